import CKernels
import Foundation

/// Rotary position embedding (Su et al. 2021) in the half-split layout of the Hugging Face LLaMA checkpoints.
package struct RotaryTable: Sendable {
    private let half: Int
    /// `[positions × half]` each
    private let cosine: [Float]
    private let sine: [Float]

    /// - Parameters:
    ///   - frequencies: radians per position, D/2 of them. Angles are formed in f32, as transformers does.
    ///   - factor: what cosines and sines are multiplied by (YaRN, Peng et al. 2023).
    package init(frequencies: [Float], positions: Int, factor: Double = 1) {
        half = frequencies.count
        var cosine: [Float] = [], sine: [Float] = []
        cosine.reserveCapacity(positions * half)
        sine.reserveCapacity(positions * half)
        for position in 0..<positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosine.append(Float(cos(angle) * factor))
                sine.append(Float(sin(angle) * factor))
            }
        }
        self.cosine = cosine
        self.sine = sine
    }

    package var positions: Int { half == 0 ? 0 : cosine.count / half }

    /// Rotates every head of every row of x `[T × heads·D]` in place by its row's position.
    package func rotate(_ x: Matrix, positions: [Int32]) { turn(x, positions, 1) }

    /// The transpose of `rotate`, applied to a gradient in place.
    package func rotateBackward(_ dx: Matrix, positions: [Int32]) { turn(dx, positions, -1) }

    private func turn(_ x: Matrix, _ positions: [Int32], _ direction: Float) {
        precondition(x.rows == positions.count)
        // Read past its end, the table would give whatever lies there.
        precondition(positions.allSatisfy { $0 >= 0 && $0 < self.positions }, "a position beyond the table")
        let half = half
        cosine.withUnsafeBufferPointer { cosine in
            sine.withUnsafeBufferPointer { sine in
                nonisolated(unsafe) let (c, s) = (cosine.baseAddress!, sine.baseAddress!)
                Parallel.ranges(x.rows, grain: 64) { rows in
                    for row in rows {
                        let at = Int(positions[row]) * half
                        for head in 0..<x.columns / (2 * half) {
                            sl_rotate(half, c + at, s + at, direction, x.row(row) + head * 2 * half)
                        }
                    }
                }
            }
        }
    }
}
