import Foundation
import Kernels
import Model

/// A preference pair as tokens. The two answers are children of one prompt, which is computed once.
package struct PreferenceExample: Sendable {
    package let id: String
    /// −1 − i stands for row i of `features`.
    package let prompt: [Int32]
    /// The picture's projected patches `[tokensPerImage × C]`; tower and projector are frozen.
    package let features: Buffer?
    /// Answers with their end token.
    package let chosen: [Int32]
    package let rejected: [Int32]

    package init(id: String, prompt: [Int32], features: Buffer?, chosen: [Int32], rejected: [Int32]) {
        (self.id, self.prompt, self.features) = (id, prompt, features)
        (self.chosen, self.rejected) = (chosen, rejected)
    }
}

/// Summed log-probabilities of a pair's answers, end token included.
package struct PairLogProbabilities: Sendable, Equatable {
    package var chosen: Double
    package var rejected: Double

    package init(chosen: Double, rejected: Double) {
        self.chosen = chosen
        self.rejected = rejected
    }
}

/// Direct preference optimisation (Rafailov et al. 2023), the sigmoid loss that CSR and SIMA train with:
/// −log σ(β[(log π(y_w) − log π_ref(y_w)) − (log π(y_l) − log π_ref(y_l))]).
package struct PreferenceLoss: Sendable {
    package var beta: Double
    /// Weight of −log π(y_w) per token beside it, which keeps the chosen answer likely (RPO, Pang et al. 2024).
    package var likelihoodWeight: Double

    package init(beta: Double = 0.1, likelihoodWeight: Double = 0) {
        self.beta = beta
        self.likelihoodWeight = likelihoodWeight
    }

    /// The loss of a pair, its two rewards, and dLoss/dlog π of either answer.
    package func evaluate(
        _ policy: PairLogProbabilities, _ reference: PairLogProbabilities, chosenTokens: Int
    ) -> (loss: Double, rewards: PairLogProbabilities, slopes: PairLogProbabilities) {
        let rewards = PairLogProbabilities(
            chosen: beta * (policy.chosen - reference.chosen),
            rejected: beta * (policy.rejected - reference.rejected))
        let z = rewards.chosen - rewards.rejected
        // softplus(−z) without overflow
        let loss = max(-z, 0) + log1p(exp(-abs(z)))
        let slope = beta / (1 + exp(z))
        let perToken = likelihoodWeight / Double(chosenTokens)
        return (
            loss - perToken * policy.chosen, rewards,
            PairLogProbabilities(chosen: -slope - perToken, rejected: slope)
        )
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

    /// Log-probabilities under the model with its adapter off.
    package func referenceLogProbabilities(_ pairs: [PreferenceExample]) -> [PairLogProbabilities] {
        decoder.useAdapter(false)
        defer { decoder.useAdapter(true) }
        return logProbabilities(pairs)
    }

    package func logProbabilities(_ pairs: [PreferenceExample]) -> [PairLogProbabilities] {
        passes(pairs).flatMap { forward(pairs[$0]).sums }
    }

    /// Adds the gradient of the batch's mean loss.
    /// - Returns: metrics under TRL's names.
    package func addGradients(
        _ batch: [PreferenceExample], reference: [PairLogProbabilities]
    ) -> Metrics {
        var summary = PreferenceSummary()
        for range in passes(batch) {
            let pass = forward(batch[range])
            var weights: [Float] = []
            for (index, sums) in zip(range, pass.sums) {
                let result = loss.evaluate(sums, reference[index], chosenTokens: batch[index].chosen.count)
                summary.add(loss: result.loss, rewards: result.rewards, sums)
                let scale = 1 / Double(batch.count)
                weights += [Float](
                    repeating: Float(result.slopes.chosen * scale), count: batch[index].chosen.count)
                weights += [Float](
                    repeating: Float(result.slopes.rejected * scale), count: batch[index].rejected.count)
            }
            let dHidden = decoder.logProbabilitiesBackward(
                pass.tape.hidden, pass.labels, weights: weights, arena)
            decoder.backward(pass.tape, dHidden: dHidden, dFeatures: nil, arena)
        }
        return summary.metrics
    }

    /// The same metrics without gradients, for held-out pairs.
    package func evaluate(_ pairs: [PreferenceExample], reference: [PairLogProbabilities]) -> Metrics {
        var summary = PreferenceSummary()
        for (index, sums) in logProbabilities(pairs).enumerated() {
            let result = loss.evaluate(sums, reference[index], chosenTokens: pairs[index].chosen.count)
            summary.add(loss: result.loss, rewards: result.rewards, sums)
        }
        return summary.metrics
    }

    private func passes(_ pairs: [PreferenceExample]) -> [Range<Int>] {
        var ranges: [Range<Int>] = []
        var (first, rows) = (0, 0)
        for (index, pair) in pairs.enumerated() {
            let count = pair.prompt.count + pair.chosen.count + pair.rejected.count
            if index > first, rows + count > rowLimit {
                ranges.append(first..<index)
                (first, rows) = (index, 0)
            }
            rows += count
        }
        if first < pairs.count { ranges.append(first..<pairs.count) }
        return ranges
    }

    private func forward(_ pairs: ArraySlice<PreferenceExample>) -> (
        tape: Llama.Tape, labels: [Label], sums: [PairLogProbabilities]
    ) {
        arena.reset()
        let width = decoder.config.hiddenSize
        let features = arena.matrix(pairs.reduce(0) { $0 + ($1.features?.count ?? 0) } / width, width)
        var forest = TokenForest()
        var labels: [Label] = []
        var row = 0
        for pair in pairs {
            let root = forest.add(pair.prompt.map { $0 < 0 ? $0 - Int32(row) : $0 })
            if let picture = pair.features {
                let rows = picture.count / width
                features.rows(row..<row + rows).copy(from: picture.matrix(rows: rows, columns: width))
                row += rows
            }
            for answer in [pair.chosen, pair.rejected] {
                // In one expression the forest would be read before the span is in it.
                let span = forest.add(answer, parent: root)
                labels += forest.labels(of: span)
            }
        }
        let tape = decoder.forward(forest, features: features, arena)
        let logs = decoder.logProbabilities(tape.hidden, labels, arena)
        var at = 0
        func sum(_ count: Int) -> Double {
            defer { at += count }
            return logs[at..<at + count].reduce(0) { $0 + Double($1) }
        }
        let sums = pairs.map {
            PairLogProbabilities(chosen: sum($0.chosen.count), rejected: sum($0.rejected.count))
        }
        return (tape, labels, sums)
    }
}

/// Means over pairs, as TRL's DPOTrainer logs them.
private struct PreferenceSummary {
    private var count = 0.0
    private var (loss, chosen, rejected, accurate) = (0.0, 0.0, 0.0, 0.0)
    private var (chosenLogs, rejectedLogs) = (0.0, 0.0)

    mutating func add(loss: Double, rewards: PairLogProbabilities, _ sums: PairLogProbabilities) {
        count += 1
        self.loss += loss
        chosen += rewards.chosen
        rejected += rewards.rejected
        accurate += rewards.chosen > rewards.rejected ? 1 : 0
        chosenLogs += sums.chosen
        rejectedLogs += sums.rejected
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
