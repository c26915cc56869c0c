import Imaging
import Kernels

/// What a record shows, made once: the rows that stand for it in the decoder. How many they are is a matter of the
/// picture, so pictures of one batch may differ.
package struct Picture: Sendable {
    /// `[rows × width]`, never written again.
    private let storage: Storage
    /// That it takes in the decoder.
    package let rows: Int
    /// That of the decoder.
    package let width: Int
    /// How the rows lie in the picture, where the decoder's positions tell it; nil where they count like text.
    package let grid: PictureSize?

    private enum Storage {
        case floats(Buffer)
        case bf16([UInt16])
    }

    /// - Parameters:
    ///   - values: row after row.
    ///   - isHalf: keep them rounded to bf16, for a decoder that computes so.
    package init(_ values: [Float], width: Int, grid: PictureSize? = nil, isHalf: Bool = false) {
        precondition(values.count % width == 0)
        storage = isHalf ? .bf16(HalfFloat.bf16.narrow(values)) : .floats(Buffer(values))
        (rows, self.width, self.grid) = (values.count / width, width, grid)
        precondition(grid.map { $0.height * $0.width == rows } ?? true)
    }

    /// - Parameter payload: the elements as `payload` gives them.
    init(payload: [UInt8], isHalf: Bool, rows: Int, width: Int, grid: PictureSize?) {
        precondition(payload.count == rows * width * (isHalf ? 2 : 4))
        (self.rows, self.width, self.grid) = (rows, width, grid)
        if isHalf {
            storage = .bf16(payload.withUnsafeBytes { Array($0.bindMemory(to: UInt16.self)) })
        } else {
            storage = .floats(Buffer(payload.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }))
        }
    }

    package var isHalf: Bool { if case .bf16 = storage { true } else { false } }

    /// The elements as they lie in memory.
    package var payload: [UInt8] {
        switch storage {
        case .floats(let buffer): Array(UnsafeRawBufferPointer(start: buffer.base, count: 4 * buffer.count))
        case .bf16(let halves): halves.withUnsafeBytes(Array.init)
        }
    }

    var bytes: Int { rows * width * (isHalf ? 2 : 4) }

    /// `[rows × width]` in the memory of `arena`, so that no view of a picture outlives it.
    package func matrix(_ arena: Arena) -> Matrix {
        let result = arena.matrix(rows, width)
        copy(into: result)
        return result
    }

    fileprivate func copy(into matrix: Matrix) {
        switch storage {
        case .floats(let buffer): matrix.copy(from: buffer.matrix(rows: rows, columns: width))
        case .bf16(let halves):
            precondition(matrix.isContiguous)
            halves.withUnsafeBytes {
                HalfFloat.bf16.widen(
                    $0, into: UnsafeMutableBufferPointer(start: matrix.base, count: matrix.count))
            }
        }
    }
}

/// The pictures of a batch for the decoder, their rows one after the other.
package struct PictureRows {
    private var pictures: [Picture] = []
    private var count = 0

    package init() {}

    /// Appends the picture of a record.
    ///
    /// - Parameter tokens: those of the record, where −1 − i stands for row i of `picture`.
    /// - Returns: the same, where −1 − i stands for row i of the batch.
    package mutating func add(_ picture: Picture?, _ tokens: [Int32]) -> [Int32] {
        let rows = picture?.rows ?? 0
        precondition(tokens.allSatisfy { $0 >= -rows }, "a token for a row that the picture doesn't have")
        let first = Int32(count)
        if let picture { pictures.append(picture) }
        count += rows
        return tokens.map { $0 < 0 ? $0 - first : $0 }
    }

    /// `[rows × width]`; nil without a picture.
    package func matrix(_ arena: Arena) -> Matrix? {
        guard let width = pictures.first?.width else { return nil }
        let all = arena.matrix(count, width)
        var first = 0
        for picture in pictures {
            picture.copy(into: all.rows(first..<first + picture.rows))
            first += picture.rows
        }
        return all
    }
}
