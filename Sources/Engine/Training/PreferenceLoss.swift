import Foundation
import Model

/// A preference pair as tokens. The two answers are children of one prompt, which is computed once.
package struct PreferenceExample: AnswerGroup {
    package let id: String
    package let prompt: [Int32]
    package let picture: Picture?
    /// Answers with their end token.
    package let chosen: [Int32]
    package let rejected: [Int32]
    /// How much each token counts; nil where all count the same.
    package let weights: PairTokens?
    /// The answers' scores under the reference, by `GroupTrainer.referenceScores`.
    package var reference = PairScores(chosen: 0, rejected: 0)

    package var answers: [[Int32]] { [chosen, rejected] }

    package init(
        id: String, prompt: [Int32], picture: Picture?, chosen: [Int32], rejected: [Int32],
        weights: PairTokens? = nil
    ) {
        self.id = id
        self.prompt = prompt
        self.picture = picture
        self.chosen = chosen
        self.rejected = rejected
        self.weights = weights
    }
}

/// A number for either answer of a pair.
package struct PairScores: Sendable, Equatable {
    package var chosen: Double
    package var rejected: Double

    package init(chosen: Double, rejected: Double) {
        self.chosen = chosen
        self.rejected = rejected
    }
}

/// A number for every token of either answer, end tokens included.
package struct PairTokens: Sendable, Equatable {
    package var chosen: [Double]
    package var rejected: [Double]

    package init(chosen: [Double], rejected: [Double]) {
        self.chosen = chosen
        self.rejected = rejected
    }

    fileprivate func map(_ transform: ([Double]) -> [Double]) -> PairTokens {
        PairTokens(chosen: transform(chosen), rejected: transform(rejected))
    }
}

/// What a preference pair is trained by. With Δ = [s(y_w) − s_ref(y_w)] − [s(y_l) − s_ref(y_l)], s the sum of an
/// answer's token log-probabilities (or their weighted mean), and z = β·Δ.
package struct PreferenceLoss: Sendable {
    package enum Kind: String, Sendable, CaseIterable {
        /// −log σ(z): direct preference optimization (Rafailov et al. 2023), which CSR and SIMA train with.
        case sigmoid
        /// max(0, 1 − z): SLiC (Zhao et al. 2023) with DPO's margin.
        case hinge
        /// (Δ − 1/2β)²: IPO (Azar et al. 2023). TRL takes it of token means, `normalize` here.
        case ipo
        /// [(1−ε)·−log σ(z) − ε·−log σ(−z)] / (1−2ε): robust DPO (Chowdhury et al. 2024), unbiased where a share ε
        /// of the preferences is flipped.
        case robust
        /// (1−ε)·−log σ(z) + ε·−log σ(−z): conservative DPO (Mitchell 2023), targets smoothed by ε.
        case conservative
    }

    package var kind: Kind
    /// Which tokens give a rejected answer its log-probabilities.
    package var rejected: AnswerTokens
    package var beta: Double
    /// ε of `robust` and `conservative`.
    package var labelSmoothing: Double
    /// Weight of −log π(y_w) per token beside it, which keeps the chosen answer likely (RPO, Pang et al. 2024).
    package var likelihoodWeight: Double
    /// An answer's score is the mean over its tokens by their weights, not the sum: DDPO's (RLHF-V, §3.2) with
    /// changed tokens weighted, TRL's `sigmoid_norm` without.
    package var normalize: Bool

    package init(
        _ kind: Kind = .sigmoid, beta: Double = 0.1, labelSmoothing: Double = 0, likelihoodWeight: Double = 0,
        normalize: Bool = false, rejected: AnswerTokens = .label
    ) {
        self.kind = kind
        self.rejected = rejected
        self.beta = beta
        self.labelSmoothing = labelSmoothing
        self.likelihoodWeight = likelihoodWeight
        self.normalize = normalize
    }

    /// The loss of a pair, its two rewards β(s − s_ref), and dLoss/dlog p of every token.
    ///
    /// - Parameters:
    ///   - logs: the tokens' log-probabilities under the policy.
    ///   - weights: how much each token counts; nil where all count the same.
    ///   - reference: the answers' scores under the reference, by `scores`.
    package func evaluate(
        _ logs: PairTokens, _ weights: PairTokens?, reference: PairScores
    ) -> (loss: Double, rewards: PairScores, slopes: PairTokens) {
        let shares = (weights ?? logs.map { $0.map { _ in 1 } }).map(shares)
        let scores = scores(logs, weights)
        let rewards = PairScores(
            chosen: beta * (scores.chosen - reference.chosen),
            rejected: beta * (scores.rejected - reference.rejected))
        let (value, slope) = evaluate(rewards.chosen - rewards.rejected)
        let perToken = likelihoodWeight / Double(logs.chosen.count)
        return (
            value - perToken * logs.chosen.reduce(0, +), rewards,
            PairTokens(
                chosen: shares.chosen.map { beta * slope * $0 - perToken },
                rejected: shares.rejected.map { -beta * slope * $0 })
        )
    }

    /// s of either answer: Σ w·log p, over Σ w where `normalize`.
    package func scores(_ logs: PairTokens, _ weights: PairTokens?) -> PairScores {
        func score(_ logs: [Double], _ weights: [Double]?) -> Double {
            guard weights != nil || normalize else { return logs.reduce(0, +) }
            return zip(logs, shares(weights ?? logs.map { _ in 1 })).reduce(0) { $0 + $1.0 * $1.1 }
        }
        return PairScores(
            chosen: score(logs.chosen, weights?.chosen), rejected: score(logs.rejected, weights?.rejected))
    }

    private func shares(_ weights: [Double]) -> [Double] {
        guard normalize else { return weights }
        let sum = weights.reduce(0, +)
        return weights.map { $0 / sum }
    }

    /// The loss and its slope by z.
    private func evaluate(_ z: Double) -> (value: Double, slope: Double) {
        let ε = labelSmoothing
        switch kind {
        case .sigmoid: return (surprise(z), -doubt(z))
        case .hinge: return (max(0, 1 - z), z < 1 ? -1 : 0)
        case .ipo:
            let excess = z / beta - 1 / (2 * beta)
            return (excess * excess, 2 * excess / beta)
        case .robust:
            return (
                ((1 - ε) * surprise(z) - ε * surprise(-z)) / (1 - 2 * ε),
                (-(1 - ε) * doubt(z) - ε * doubt(-z)) / (1 - 2 * ε)
            )
        case .conservative:
            return ((1 - ε) * surprise(z) + ε * surprise(-z), -(1 - ε) * doubt(z) + ε * doubt(-z))
        }
    }
}

// MARK: - Over a batch: the mean of its pairs

extension PreferenceLoss: Objective {
    package func tokens(ofAnswer answer: Int) -> AnswerTokens { answer == 1 ? rejected : .label }

    package func slopes(
        of range: Range<Int>, in batch: [PreferenceExample], _ read: [Reading]
    ) -> [Reading] {
        range.map { index in
            let slopes = evaluate(batch[index], read[index]).slopes
            return [slopes.chosen, slopes.rejected].map { $0.map { $0 / Double(batch.count) } }
        }
    }

    /// Means over pairs, as TRL's DPOTrainer logs them.
    package func metrics(_ batch: [PreferenceExample], _ read: [Reading]) -> Metrics {
        let count = Double(batch.count)
        var (loss, chosen, rejected, accurate) = (0.0, 0.0, 0.0, 0.0)
        var (chosenLogs, rejectedLogs) = (0.0, 0.0)
        for (pair, reading) in zip(batch, read) {
            let result = evaluate(pair, reading)
            loss += result.loss
            chosen += result.rewards.chosen
            rejected += result.rewards.rejected
            accurate += result.rewards.chosen > result.rewards.rejected ? 1 : 0
            chosenLogs += reading[0].reduce(0, +)
            rejectedLogs += reading[1].reduce(0, +)
        }
        return [
            ("loss", loss / count), ("rewards/chosen", chosen / count),
            ("rewards/rejected", rejected / count),
            ("rewards/accuracies", accurate / count), ("rewards/margins", (chosen - rejected) / count),
            ("logps/chosen", chosenLogs / count), ("logps/rejected", rejectedLogs / count),
        ]
    }

    private func evaluate(
        _ pair: PreferenceExample, _ reading: Reading
    ) -> (loss: Double, rewards: PairScores, slopes: PairTokens) {
        evaluate(PairTokens(reading), pair.weights, reference: pair.reference)
    }
}

extension PairTokens {
    fileprivate init(_ reading: Reading) { self.init(chosen: reading[0], rejected: reading[1]) }
}

extension GroupTrainer where Loss == PreferenceLoss {
    /// Scores of the answers under the model with its adapter off; without weights and `normalize` summed
    /// log-probabilities.
    package func referenceScores(_ pairs: [PreferenceExample]) -> [PairScores] {
        zip(pairs, readReference(pairs)).map { loss.scores(PairTokens($1), $0.weights) }
    }
}

/// −log σ(z), without overflow.
func surprise(_ z: Double) -> Double { max(-z, 0) + log1p(exp(-abs(z))) }

/// σ(−z), the size of its slope.
func doubt(_ z: Double) -> Double { 1 / (1 + exp(z)) }
