import Foundation
import Kernels
import Model

/// Answers to one prompt, each followed by the turn that has it graded: children of one root.
package struct GradedExample: AnsweredPrompt, Sendable {
    package let id: String
    /// −1 − i stands for row i of `picture`.
    package let prompt: [Int32]
    package let picture: Picture?
    /// The score of each is read at its last token.
    package let answers: [[Int32]]

    package init(id: String, prompt: [Int32], picture: Picture?, answers: [[Int32]]) {
        (self.id, self.prompt, self.picture, self.answers) = (id, prompt, picture, answers)
    }
}

/// The loss that reward models are trained with: −log σ(r_w − r_l), its mean over a batch, and a term that
/// centres the scores, which the difference alone leaves free: weight · |mean(r_w + r_l)|.
package struct RewardLoss: Sendable {
    package var centring: Double

    package init(centring: Double = 1e-3) { self.centring = centring }

    /// The loss of a batch and dLoss/dscore of every answer.
    package func evaluate(_ batch: [PairScores]) -> (loss: Double, slopes: [PairScores]) {
        let count = Double(batch.count)
        let mean = batch.reduce(0) { $0 + $1.chosen + $1.rejected } / count
        let pull = mean == 0 ? 0 : centring * (mean < 0 ? -1 : 1) / count
        var loss = centring * abs(mean)
        let slopes = batch.map { scores in
            let z = scores.chosen - scores.rejected
            loss += surprise(z) / count
            let slope = doubt(z) / count
            return PairScores(chosen: pull - slope, rejected: pull + slope)
        }
        return (loss, slopes)
    }
}

/// A decoder with a reward head: scores answers, and adds the gradients of the reward loss to adapter and head.
package final class RewardTrainer {
    private let decoder: Llama
    private let head: RewardHead
    private let loss: RewardLoss
    private let arena = Arena()
    /// Rows of one forward pass at most; more examples go in several passes, whose gradients add up.
    private let rowLimit: Int

    package init(
        _ decoder: Llama, _ head: RewardHead, _ loss: RewardLoss = RewardLoss(), rowLimit: Int = 8192
    ) {
        (self.decoder, self.head, self.loss, self.rowLimit) = (decoder, head, loss, rowLimit)
    }

    /// What is trained: the decoder's adapter and the head.
    package var parameters: [Parameter] { decoder.adapterParameters + head.parameters }

    /// Call after an optimiser step.
    package func weightsChanged() { decoder.adapterTargets.forEach { $0.adapterChanged() } }

    /// The score of every answer of every example.
    package func scores(_ examples: [GradedExample]) -> [[Double]] {
        passes(examples, rowLimit).flatMap { forward(examples[$0]).scores }
    }

    /// Adds the gradient of the batch's loss. An example's first answer is the chosen one, its second the
    /// rejected one.
    package func addGradients(_ batch: [GradedExample]) -> Metrics {
        let ranges = passes(batch, rowLimit)
        // The centring term is of the whole batch: with several passes its scores are wanted beforehand.
        var pairs = ranges.count > 1 ? Self.pairs(scores(batch)) : []
        for range in ranges {
            let pass = forward(batch[range])
            if ranges.count == 1 { pairs = Self.pairs(pass.scores) }
            let slopes = loss.evaluate(pairs).slopes[range].flatMap { [$0.chosen, $0.rejected] }
            let dHidden = arena.zeros(pass.tape.hidden.rows, pass.tape.hidden.columns)
            for (row, slope) in zip(pass.rows, slopes) {
                head.backward(pass.tape.hidden, row: row, slope: slope, dHidden: dHidden)
            }
            decoder.backward(pass.tape, dHidden: dHidden, dFeatures: nil, arena)
        }
        return metrics(pairs)
    }

    /// The same metrics without gradients.
    package func evaluate(_ pairs: [GradedExample]) -> Metrics { metrics(Self.pairs(scores(pairs))) }

    private static func pairs(_ scores: [[Double]]) -> [PairScores] {
        scores.map { PairScores(chosen: $0[0], rejected: $0[1]) }
    }

    private func metrics(_ pairs: [PairScores]) -> Metrics {
        func mean(_ value: (PairScores) -> Double) -> Double {
            pairs.reduce(0) { $0 + value($1) } / Double(pairs.count)
        }
        return [
            ("loss", loss.evaluate(pairs).loss), ("rewards/chosen", mean(\.chosen)),
            ("rewards/rejected", mean(\.rejected)),
            ("rewards/accuracies", mean { $0.chosen > $0.rejected ? 1 : 0 }),
            ("rewards/margins", mean { $0.chosen - $0.rejected }),
        ]
    }

    /// - Returns: the rows at which the answers' scores are read, and the scores by example.
    private func forward(_ examples: ArraySlice<GradedExample>) -> (
        tape: Llama.Tape, rows: [Int], scores: [[Double]]
    ) {
        arena.reset()
        let tree = answerForest(examples, arena)
        let rows = tree.answers.map { tree.forest.spans[$0].rows.upperBound - 1 }
        let tape = decoder.forward(tree.forest, features: tree.features, arena)
        var scores = rows.map { head.score(tape.hidden, row: $0) }[...]
        return (
            tape, rows,
            examples.map { example in
                defer { scores = scores.dropFirst(example.answers.count) }
                return Array(scores.prefix(example.answers.count))
            }
        )
    }
}
