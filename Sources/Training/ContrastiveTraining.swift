import CKernels
import Foundation
import Kernels
import Model

/// Contrastive training of a CLIP on pictures of which many sentences are true: several positives per row.
///
/// A positive competes with the negatives of its row (or column) and not with the other positives, the
/// multi-positive form of InfoNCE (as the "out" form of Khosla et al. 2020 without the positives in the
/// denominator), so that two true sentences don't push each other away.
package final class ContrastiveTrainer {
    private let model: Clip
    private let arena = Arena()

    package init(_ model: Clip) { self.model = model }

    /// Adds the gradient of the mean of both directions' losses.
    ///
    /// - Parameter truth: `[images][texts]`, nil where it is unknown: such pairs are left out.
    /// - Returns: loss, the share of (true, false) sentence pairs of a picture ordered right, the scale.
    package func addGradients(pixels: [[Float]], texts: [[Int32]], truth: [[Bool?]]) -> Metrics {
        arena.reset()
        let tape = model.forward(pixels, texts, arena)
        let dLogits = arena.zeros(pixels.count, texts.count)
        let images = (0..<pixels.count).map { i in truth[i].map { $0 } }
        let columns = (0..<texts.count).map { j in (0..<pixels.count).map { truth[$0][j] } }
        var loss = 0.0
        for (i, row) in images.enumerated() {
            loss +=
                0.5
                * addRow(row, count: pixels.count) { j in
                    (
                        tape.logits.base + i * tape.logits.stride + j,
                        dLogits.base + i * dLogits.stride + j
                    )
                }
        }
        for (j, column) in columns.enumerated() {
            loss +=
                0.5
                * addRow(column, count: texts.count) { i in
                    (
                        tape.logits.base + i * tape.logits.stride + j,
                        dLogits.base + i * dLogits.stride + j
                    )
                }
        }
        let accuracy = ordered(tape.logits, truth)
        model.backward(tape, dLogits: dLogits, arena)
        return [("loss", loss), ("pair_accuracy", accuracy), ("scale", Double(model.scale))]
    }

    /// One row's loss over `count` rows: mean over positives of −log(e^p / (e^p + Σ negatives)).
    private func addRow(
        _ truth: [Bool?], count: Int,
        _ at: (Int) -> (UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>)
    ) -> Double {
        let positives = truth.indices.filter { truth[$0] == true }
        let negatives = truth.indices.filter { truth[$0] == false }
        guard !positives.isEmpty, !negatives.isEmpty else { return 0 }
        let peak = negatives.map { at($0).0.pointee }.max()!
        let exponentials = negatives.map { exp(Double(at($0).0.pointee - peak)) }
        let sum = exponentials.reduce(0, +)
        let share = 1 / Double(positives.count * count)
        var loss = 0.0
        var pull = 0.0
        for positive in positives {
            // log(1 + sum·e^(peak − p)), and its derivative
            let margin = Double(peak - at(positive).0.pointee) + log(sum)
            let slope = 1 / (1 + exp(-margin))
            loss += share * (margin > 30 ? margin : log1p(exp(margin)))
            at(positive).1.pointee -= Float(0.5 * share * slope)
            pull += share * slope
        }
        for (index, negative) in negatives.enumerated() {
            at(negative).1.pointee += Float(0.5 * pull * exponentials[index] / sum)
        }
        return loss
    }

    /// Share of a picture's true and false sentences that are in the right order, a sample of pairs.
    private func ordered(_ logits: Matrix, _ truth: [[Bool?]]) -> Double {
        var (right, all) = (0, 0)
        for i in 0..<logits.rows {
            let positives = truth[i].indices.filter { truth[i][$0] == true }
            for (n, j) in truth[i].indices.filter({ truth[i][$0] == false }).enumerated()
            where !positives.isEmpty {
                all += 1
                right += logits[i, positives[n % positives.count]] > logits[i, j] ? 1 : 0
            }
        }
        return all == 0 ? 0 : Double(right) / Double(all)
    }
}
