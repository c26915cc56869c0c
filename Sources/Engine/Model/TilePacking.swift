import Foundation
import Imaging
import Kernels

/// How the rows of a picture's tiles become those that the decoder reads: those of the whole picture, then the tiles put
/// together to one map without the padding, which ends each of its rows with a learned row (transformers'
/// `pack_image_features` of LLaVA-NeXT and LLaVA-OneVision).
struct TilePacking {
    enum Row: Equatable {
        case newline
        /// A row of the tiles, or a mixture of some.
        case mixed([Part])
    }

    struct Part: Equatable {
        let row: Int
        let weight: Float
    }

    let rows: [Row]
    let tiles: Int

    /// - Parameters:
    ///   - side: patches along a side of a tile.
    ///   - most: tiles' worth of rows above which the map is made smaller; nil where it never is.
    ///   - rounds: whether the map's lengths are rounded before they are cut, as transformers does and LLaVA's own code
    ///     doesn't.
    init(_ shape: PictureShape, side: Int, most: Int?, rounds: Bool) {
        tiles = 1 + shape.grid.height * shape.grid.width
        let whole = (0..<side * side).map { Row.mixed([Part(row: $0, weight: 1)]) }
        guard shape.grid.height > 0 else {
            rows = whole + [.newline]
            return
        }
        let map = Self.unpadded(shape, side: side, rounds: rounds)
        let size = Self.limited(map, side: side, most: most)
        let (across, down) = (Self.taps(map.columns, to: size.width), Self.taps(map.rows, to: size.height))
        rows =
            whole
            + (0..<size.height).flatMap { y in
                (0..<size.width).map { x in
                    Row.mixed(
                        Self.parts(down[y], across[x]) { Self.place(of: $0, $1, shape.grid.width, side) })
                } + [.newline]
            }
    }

    private static func parts(
        _ rows: [Tap], _ columns: [Tap], _ place: (_ row: Int, _ column: Int) -> Int
    ) -> [Part] {
        rows.flatMap { row in
            columns.map { Part(row: place(row.place, $0.place), weight: row.weight * $0.weight) }
        }
    }

    /// The part of the map that the picture covers: rounding as in `unpad_image`, which may differ by one from where the
    /// padding truly ends.
    private static func unpadded(
        _ shape: PictureShape, side: Int, rounds: Bool
    ) -> (rows: Range<Int>, columns: Range<Int>) {
        let (height, width) = (side * shape.grid.height, side * shape.grid.width)
        func inner(_ length: Int, _ covered: Double) -> Range<Int> {
            // To seven digits.
            let covered = rounds ? (covered * 1e7).rounded(.toNearestOrEven) / 1e7 : covered
            let margin = (length - Int(covered)) / 2
            return margin..<length - margin
        }
        let (h, w) = (Double(shape.original.height), Double(shape.original.width))
        if w / h > Double(width) / Double(height) {
            return (inner(height, h * (Double(width) / w)), 0..<width)
        }
        return (0..<height, inner(width, w * (Double(height) / h)))
    }

    private static func limited(
        _ map: (rows: Range<Int>, columns: Range<Int>), side: Int, most: Int?
    ) -> PictureSize {
        let size = PictureSize(height: map.rows.count, width: map.columns.count)
        guard let most else { return size }
        let ratio = (Double(size.height * size.width) / Double(most * side * side)).squareRoot()
        guard ratio > 1.1 else { return size }
        // Python's //, which is exact where a division would round up to the next whole number.
        func floored(_ length: Int) -> Int {
            let length = Double(length)
            return Int(((length - length.truncatingRemainder(dividingBy: ratio)) / ratio).rounded())
        }
        return PictureSize(height: floored(size.height), width: floored(size.width))
    }

    /// Of the map's place among the rows of the tiles; the whole picture's come first.
    private static func place(of y: Int, _ x: Int, _ across: Int, _ side: Int) -> Int {
        let tile = 1 + y / side * across + x / side
        return tile * side * side + y % side * side + x % side
    }

    private struct Tap {
        let place: Int
        let weight: Float
    }

    /// Where each place of an axis made smaller is read: bilinear, without antialiasing, as torch's `interpolate`.
    private static func taps(_ range: Range<Int>, to count: Int) -> [[Tap]] {
        guard count < range.count else { return range.map { [Tap(place: $0, weight: 1)] } }
        let scale = Float(range.count) / Float(count)
        return (0..<count).map { index in
            let at = max(0, (Float(index) + 0.5) * scale - 0.5)
            let first = min(Int(at), range.count - 1)
            let second = min(first + 1, range.count - 1)
            let weight = at - Float(first)
            return [
                Tap(place: range.lowerBound + first, weight: 1 - weight),
                Tap(place: range.lowerBound + second, weight: weight),
            ]
        }
    }

    /// projected `[tiles·side² × C]` → y `[rows × C]`
    func pack(_ projected: Matrix, newline: Matrix, into y: Matrix) {
        for (index, row) in rows.enumerated() {
            switch row {
            case .newline: y.rows(index..<index + 1).copy(from: newline)
            case .mixed(let parts) where parts.count == 1:
                y.rows(index..<index + 1).copy(from: projected.rows(parts[0].row..<parts[0].row + 1))
            case .mixed(let parts):
                y.rows(index..<index + 1).fill(0)
                for part in parts { addRow(projected, part.row, times: part.weight, to: y, index) }
            }
        }
    }

    /// Adds to dProjected, and to the newline's gradient where it is trained.
    func packBackward(_ dy: Matrix, dProjected: Matrix, newline: Matrix?) {
        for (index, row) in rows.enumerated() {
            switch row {
            case .newline: if let newline { addRows(dy.rows(index..<index + 1), to: newline) }
            case .mixed(let parts):
                for part in parts { addRow(dy, index, times: part.weight, to: dProjected, part.row) }
            }
        }
    }
}
