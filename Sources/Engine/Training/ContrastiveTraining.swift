import Foundation
import Kernels
import Model

/// Contrastive training of a CLIP on pictures of which many sentences are true: several positives per row.
///
/// A positive competes with the negatives of its row (or column) and not with the other positives, the
/// multi-positive form of InfoNCE (as the "out" form of Khosla et al. 2020 without the positives in the
/// denominator), so that two true sentences don't push each other away.
///
/// The loss is taken twice: of the class token, which is what a CLIP is used with, and of the patch that fits
/// a sentence best. A sentence about one object is about one place of the picture, so the second finds colours
/// and places within a few hundred steps where the first alone, which sees them only as a part of everything,
/// was still at chance after 1,500. (Late interaction as in FILIP, Yao et al. 2022, here with whole sentences and
/// a smooth maximum.)
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

    /// What a step is about.
    package struct Lesson {
        package let pixels: [[Float]]
        package let texts: [[Int32]]
        /// `[images][texts]`, nil where it is unknown: such cells are left out.
        package let truth: [[Bool?]]
        package let twins: [Twin]

        package init(pixels: [[Float]], texts: [[Int32]], truth: [[Bool?]], twins: [Twin] = []) {
            (self.pixels, self.texts, self.truth, self.twins) = (pixels, texts, truth, twins)
        }
    }

    /// Adds the gradient of the mean of both directions' losses, and of the mean of −log σ(true − false) over
    /// the twins: among hundreds of sentences about other things, a wrong colour would hardly be noticed.
    ///
    /// - Parameter patchWeight: of the same loss on best patches; at 0 they are not computed.
    /// - Returns: the loss, and of the class token its share of the twins, how many twins are ordered right; the
    ///   latter of the best patches; the scale.
    package func addGradients(_ lesson: Lesson, twinWeight: Double = 1, patchWeight: Double = 0) -> Metrics {
        arena.reset()
        let tape = model.forward(lesson.pixels, lesson.texts, patches: patchWeight > 0, arena)
        let dLogits = arena.zeros(lesson.pixels.count, lesson.texts.count)
        let whole = addLoss(lesson, twinWeight, tape.logits, dLogits)
        var loss = whole.loss
        var best: Outcome?
        var dPatchLogits: Matrix?
        if let patchLogits = tape.patchLogits {
            let (logits, shares) = smoothMaximum(patchLogits, images: lesson.pixels.count)
            let dBest = arena.zeros(logits.rows, logits.columns)
            let outcome = addLoss(lesson, twinWeight, logits, dBest)
            loss += patchWeight * outcome.loss
            spread(dBest, scale: Float(patchWeight), over: shares)
            (best, dPatchLogits) = (outcome, shares)
        }
        model.backward(tape, dLogits: dLogits, dPatchLogits: dPatchLogits, arena)
        var metrics: Metrics = [
            ("loss", loss), ("twin_loss", whole.twinLoss), ("twin_accuracy", whole.twinAccuracy),
        ]
        if let best { metrics.append(("patch_twin_accuracy", best.twinAccuracy)) }
        return metrics + [("scale", Double(model.scale))]
    }

    private struct Outcome {
        let loss: Double
        let twinLoss: Double
        let twinAccuracy: Double
    }

    /// The loss of logits `[images × texts]`; its gradient is added to `dLogits`.
    private func addLoss(
        _ lesson: Lesson, _ twinWeight: Double, _ logits: Matrix, _ dLogits: Matrix
    ) -> Outcome {
        var loss = 0.0
        for i in 0..<logits.rows {
            loss += 0.5 * addRow(lesson.truth[i], count: logits.rows, logits, dLogits) { (i, $0) }
        }
        for j in 0..<logits.columns {
            let column = lesson.truth.map { $0[j] }
            loss += 0.5 * addRow(column, count: logits.columns, logits, dLogits) { ($0, j) }
        }
        var (twinLoss, right) = (0.0, 0)
        let count = Double(max(1, lesson.twins.count))
        for twin in lesson.twins {
            let margin = Double(logits[twin.image, twin.truth] - logits[twin.image, twin.falsehood])
            twinLoss += (max(-margin, 0) + log1p(exp(-abs(margin)))) / count
            let slope = Float(twinWeight / count / (1 + exp(margin)))
            dLogits[twin.image, twin.truth] -= slope
            dLogits[twin.image, twin.falsehood] += slope
            right += margin > 0 ? 1 : 0
        }
        return Outcome(
            loss: loss + twinWeight * twinLoss, twinLoss: twinLoss, twinAccuracy: Double(right) / count)
    }

    /// log of the mean of e^logit over the patches of each image, `[images × texts]`, and each patch's share of
    /// it, `[texts × images·(1 + patches)]` with 0 for the class tokens.
    private func smoothMaximum(_ patchLogits: Matrix, images: Int) -> (logits: Matrix, shares: Matrix) {
        let logits = arena.matrix(images, patchLogits.rows)
        let shares = arena.zeros(patchLogits.rows, patchLogits.columns)
        let patches = patchLogits.columns / images - 1
        Parallel.run(images) { image in
            let first = image * (patches + 1) + 1
            for text in 0..<patchLogits.rows {
                let row = patchLogits.row(text) + first
                let (peak, sum) = softmax(row, patches, into: shares.row(text) + first)
                logits[image, text] = peak + log(sum / Float(patches))
            }
        }
        return (logits, shares)
    }

    /// Turns the shares of the patches into their gradients.
    private func spread(_ dLogits: Matrix, scale: Float, over shares: Matrix) {
        let stride = shares.columns / dLogits.rows
        for text in 0..<shares.rows {
            for image in 0..<dLogits.rows {
                let own = shares.rows(text..<text + 1).columns(image * stride..<(image + 1) * stride)
                scaleRows(own, by: scale * dLogits[image, text])
            }
        }
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
