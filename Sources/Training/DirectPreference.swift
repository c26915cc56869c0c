import Foundation
import Kernels
import Model

/// A preference pair as tokens. The two answers are children of one prompt, which is computed once.
package struct PreferenceExample: AnsweredPrompt, Sendable {
    package let id: String
    /// −1 − i stands for row i of `picture`.
    package let prompt: [Int32]
    /// Tower and projector are frozen.
    package let picture: Picture?
    /// Answers with their end token.
    package let chosen: [Int32]
    package let rejected: [Int32]
    /// How much each token counts; nil where all count the same.
    package let weights: PairTokens?
    package var answers: [[Int32]] { [chosen, rejected] }

    package init(
        id: String, prompt: [Int32], picture: Picture?, chosen: [Int32], rejected: [Int32],
        weights: PairTokens? = nil
    ) {
        (self.id, self.prompt, self.picture) = (id, prompt, picture)
        (self.chosen, self.rejected, self.weights) = (chosen, rejected, weights)
    }
}

/// Gradients of the preference loss for the decoder's adapter.
package final class PreferenceTrainer {
    private let decoder: Llama
    private let loss: PreferenceLoss
    private let arena = Arena()
    /// Rows of one forward pass at most; more pairs go in several passes, whose gradients add up.
    private let rowLimit: Int

    package init(_ decoder: Llama, _ loss: PreferenceLoss, rowLimit: Int = 8192) {
        self.decoder = decoder
        self.loss = loss
        self.rowLimit = rowLimit
    }

    /// Scores of the answers under the model with its adapter off; without weights and `normalize` summed
    /// log-probabilities.
    package func referenceScores(_ pairs: [PreferenceExample]) -> [PairScores] {
        decoder.useAdapter(false)
        defer { decoder.useAdapter(true) }
        return zip(pairs, logProbabilities(pairs)).map { loss.scores($1, $0.weights) }
    }

    private func logProbabilities(_ pairs: [PreferenceExample]) -> [PairTokens] {
        passes(pairs, rowLimit).flatMap { forward(pairs[$0]).logs }
    }

    /// Adds the gradient of the batch's mean loss.
    /// - Parameter reference: by `referenceScores`.
    /// - Returns: metrics under TRL's names.
    package func addGradients(
        _ batch: [PreferenceExample], reference: [PairScores]
    ) -> Metrics {
        var summary = PreferenceSummary()
        for range in passes(batch, rowLimit) {
            let pass = forward(batch[range])
            var weights: [Float] = []
            for (index, logs) in zip(range, pass.logs) {
                let result = loss.evaluate(logs, batch[index].weights, reference: reference[index])
                summary.add(result.loss, result.rewards, logs)
                for slope in result.slopes.chosen + result.slopes.rejected {
                    weights.append(Float(slope / Double(batch.count)))
                }
            }
            let dHidden = decoder.logProbabilitiesBackward(
                pass.tape.hidden, pass.labels, weights: weights, arena)
            decoder.backward(pass.tape, dHidden: dHidden, dFeatures: nil, arena)
        }
        return summary.metrics
    }

    /// The same metrics without gradients, for held-out pairs.
    package func evaluate(_ pairs: [PreferenceExample], reference: [PairScores]) -> Metrics {
        var summary = PreferenceSummary()
        for (index, logs) in logProbabilities(pairs).enumerated() {
            let result = loss.evaluate(logs, pairs[index].weights, reference: reference[index])
            summary.add(result.loss, result.rewards, logs)
        }
        return summary.metrics
    }

    private func forward(_ pairs: ArraySlice<PreferenceExample>) -> (
        tape: Llama.Tape, labels: [Label], logs: [PairTokens]
    ) {
        arena.reset()
        let tree = answerForest(pairs, arena)
        var labels: [Label] = []
        var rejected: [Int] = []
        for (number, span) in tree.answers.enumerated() {
            let answer = tree.forest.labels(of: span)
            labels += answer
            if number % 2 == 1 { rejected += labels.indices.suffix(answer.count) }
        }
        let tape = decoder.forward(tree.forest, features: tree.features, arena)
        if loss.rejected == .topAlternative {
            let alternatives = decoder.alternatives(tape.hidden, rejected.map { labels[$0] }, arena)
            for (index, label) in zip(rejected, alternatives) { labels[index] = label }
        }
        var values = decoder.logProbabilities(tape.hidden, labels, arena)[...]
        func next(_ count: Int) -> [Double] {
            defer { values = values.dropFirst(count) }
            return values.prefix(count).map { Double($0) }
        }
        let logs = pairs.map { PairTokens(chosen: next($0.chosen.count), rejected: next($0.rejected.count)) }
        return (tape, labels, logs)
    }
}

/// Means over pairs, as TRL's DPOTrainer logs them.
private struct PreferenceSummary {
    private var count = 0.0
    private var (loss, chosen, rejected, accurate) = (0.0, 0.0, 0.0, 0.0)
    private var (chosenLogs, rejectedLogs) = (0.0, 0.0)

    mutating func add(_ loss: Double, _ rewards: PairScores, _ logs: PairTokens) {
        count += 1
        self.loss += loss
        chosen += rewards.chosen
        rejected += rewards.rejected
        accurate += rewards.chosen > rewards.rejected ? 1 : 0
        chosenLogs += logs.chosen.reduce(0, +)
        rejectedLogs += logs.rejected.reduce(0, +)
    }

    var metrics: Metrics {
        [
            ("loss", loss / count), ("rewards/chosen", chosen / count),
            ("rewards/rejected", rejected / count),
            ("rewards/accuracies", accurate / count), ("rewards/margins", (chosen - rejected) / count),
            ("logps/chosen", chosenLogs / count), ("logps/rejected", rejectedLogs / count),
        ]
    }
}
