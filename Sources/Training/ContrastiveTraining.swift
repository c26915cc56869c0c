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

    /// A true sentence of a picture and the same with one thing made false, by their numbers.
    package struct Twin: Sendable {
        package let image: Int
        package let truth: Int
        package let falsehood: Int

        package init(image: Int, truth: Int, falsehood: Int) {
            (self.image, self.truth, self.falsehood) = (image, truth, falsehood)
        }
    }

    /// Adds the gradient of the mean of both directions' losses, and of the mean of −log σ(true − false) over
    /// the twins: among hundreds of sentences about other things, a wrong colour would hardly be noticed.
    ///
    /// - Parameter truth: `[images][texts]`, nil where it is unknown: such pairs are left out.
    /// - Returns: the loss, its share of the twins, how many twins are ordered right, the scale.
    package func addGradients(
        pixels: [[Float]], texts: [[Int32]], truth: [[Bool?]], twins: [Twin] = [], twinWeight: Double = 1
    ) -> Metrics {
        arena.reset()
        let tape = model.forward(pixels, texts, arena)
        let dLogits = arena.zeros(pixels.count, texts.count)
        var loss = 0.0
        for i in 0..<pixels.count {
            loss += 0.5 * addRow(truth[i], count: pixels.count, tape.logits, dLogits) { (i, $0) }
        }
        for j in 0..<texts.count {
            let column = truth.map { $0[j] }
            loss += 0.5 * addRow(column, count: texts.count, tape.logits, dLogits) { ($0, j) }
        }
        var (twinLoss, right) = (0.0, 0)
        for twin in twins {
            let margin = Double(tape.logits[twin.image, twin.truth] - tape.logits[twin.image, twin.falsehood])
            twinLoss += (max(-margin, 0) + log1p(exp(-abs(margin)))) / Double(twins.count)
            let slope = Float(twinWeight / Double(twins.count) / (1 + exp(margin)))
            dLogits[twin.image, twin.truth] -= slope
            dLogits[twin.image, twin.falsehood] += slope
            right += margin > 0 ? 1 : 0
        }
        model.backward(tape, dLogits: dLogits, arena)
        return [
            ("loss", loss + twinWeight * twinLoss), ("twin_loss", twinLoss),
            ("twin_accuracy", Double(right) / Double(max(1, twins.count))), ("scale", Double(model.scale)),
        ]
    }

    /// The loss of one row or column over `count` of them: mean over its positives of
    /// −log(e^p / (e^p + Σ negatives)).
    private func addRow(
        _ truth: [Bool?], count: Int, _ logits: Matrix, _ dLogits: Matrix, _ place: (Int) -> (Int, Int)
    ) -> Double {
        func logit(_ index: Int) -> Double {
            let (row, column) = place(index)
            return Double(logits[row, column])
        }
        func add(_ gradient: Double, _ index: Int) {
            let (row, column) = place(index)
            dLogits[row, column] += Float(gradient)
        }
        let positives = truth.indices.filter { truth[$0] == true }
        let negatives = truth.indices.filter { truth[$0] == false }
        guard !positives.isEmpty, let peak = negatives.map(logit).max() else { return 0 }
        let exponentials = negatives.map { exp(logit($0) - peak) }
        let sum = exponentials.reduce(0, +)
        let share = 1 / Double(positives.count * count)
        var (loss, pull) = (0.0, 0.0)
        for positive in positives {
            // log(1 + sum·e^(peak − p)), and its derivative
            let margin = peak - logit(positive) + log(sum)
            let slope = 1 / (1 + exp(-margin))
            loss += share * (margin > 30 ? margin : log1p(exp(margin)))
            add(-0.5 * share * slope, positive)
            pull += share * slope
        }
        for (index, negative) in negatives.enumerated() {
            add(0.5 * pull * exponentials[index] / sum, negative)
        }
        return loss
    }
}
