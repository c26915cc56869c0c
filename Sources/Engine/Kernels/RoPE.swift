import CKernels
import Foundation

/// Where a token stands. One of text has its number for all three; one of a picture its row and column too (M-RoPE, Wang
/// et al. 2024, §2.1).
package struct RotaryPosition: Sendable, Equatable, ExpressibleByIntegerLiteral {
    package let time: Int32
    package let row: Int32
    package let column: Int32

    package init(time: Int32, row: Int32, column: Int32) {
        (self.time, self.row, self.column) = (time, row, column)
    }

    package init(_ number: Int) {
        let number = Int32(number)
        self.init(time: number, row: number, column: number)
    }

    package init(integerLiteral value: Int32) { self.init(time: value, row: value, column: value) }
}

/// Rotary position embedding (Su et al. 2021) in the half-split layout of the Hugging Face LLaMA checkpoints.
package struct RotaryTable: Sendable {
    private let half: Int
    /// `[positions × half]` each
    private let cosine: [Float]
    private let sine: [Float]
    /// Where the frequencies that turn by rows begin, and those that turn by columns; nil where all turn by time.
    private let borders: (rows: Int, columns: Int)?

    /// - Parameters:
    ///   - frequencies: radians per position, D/2 of them. Angles are formed in f32, as transformers does.
    ///   - factor: what cosines and sines are multiplied by (YaRN, Peng et al. 2023).
    ///   - sections: how many frequencies turn by a token's time, row and column, one after the other; nil turns all by
    ///     its time.
    package init(frequencies: [Float], positions: Int, factor: Double = 1, sections: [Int]? = nil) {
        half = frequencies.count
        borders = sections.map { ($0[0], $0[0] + $0[1]) }
        let count = positions * half
        let half = half
        /// One turn of every angle, in the order of the table.
        func table(_ turn: @escaping @Sendable (Double) -> Double) -> [Float] {
            [Float](unsafeUninitializedCapacity: count) { table, filled in
                nonisolated(unsafe) let table = table.baseAddress
                Parallel.ranges(positions, grain: 1024) { rows in
                    for position in rows {
                        for (i, frequency) in frequencies.enumerated() {
                            let angle = Double(Float(position) * frequency)
                            table![position * half + i] = Float(turn(angle) * factor)
                        }
                    }
                }
                filled = count
            }
        }
        (cosine, sine) = (table { cos($0) }, table { sin($0) })
    }

    package var positions: Int { half == 0 ? 0 : cosine.count / half }

    /// Rotates every head of every row of x `[T × heads·D]` in place by its row's position.
    package func rotate(_ x: Matrix, positions: [RotaryPosition]) { turn(x, positions, 1) }

    /// The transpose of `rotate`, applied to a gradient in place.
    package func rotateBackward(_ dx: Matrix, positions: [RotaryPosition]) {
        turn(dx, positions, -1)
    }

    private func turn(_ x: Matrix, _ positions: [RotaryPosition], _ direction: Float) {
        precondition(x.rows == positions.count)
        // Read past its end, the table would give whatever lies there.
        let known = 0..<Int32(self.positions)
        precondition(
            positions.allSatisfy {
                known.contains($0.time) && known.contains($0.row) && known.contains($0.column)
            }, "a position beyond the table")
        cosine.withUnsafeBufferPointer { cosine in
            sine.withUnsafeBufferPointer { sine in
                nonisolated(unsafe) let (c, s) = (cosine.baseAddress!, sine.baseAddress!)
                Parallel.ranges(x.rows, grain: 64) { rows in
                    for row in rows { turn(x, row, positions[row], direction, c, s) }
                }
            }
        }
    }

    private func turn(
        _ x: Matrix, _ row: Int, _ position: RotaryPosition, _ direction: Float,
        _ cosine: UnsafePointer<Float>, _ sine: UnsafePointer<Float>
    ) {
        func turn(_ cosine: UnsafePointer<Float>, _ sine: UnsafePointer<Float>) {
            for head in 0..<x.columns / (2 * half) {
                sl_rotate(half, cosine, sine, direction, x.row(row) + head * 2 * half)
            }
        }
        let at = Int(position.time) * half
        guard let borders, position.row != position.time || position.column != position.time else {
            return turn(cosine + at, sine + at)
        }
        withUnsafeTemporaryAllocation(of: Float.self, capacity: 2 * half) { mixed in
            for i in 0..<half {
                let axis =
                    i < borders.rows ? position.time : i < borders.columns ? position.row : position.column
                mixed[i] = cosine[Int(axis) * half + i]
                mixed[half + i] = sine[Int(axis) * half + i]
            }
            turn(mixed.baseAddress!, mixed.baseAddress! + half)
        }
    }
}
