import Foundation

/// What is known of one sentence before calibration.
package struct SentenceReward: Sendable, Equatable {
    /// Sum of the token log-probabilities in nats.
    package var logProbability: Double
    package var tokenCount: Int
    /// Cosine of image and sentence under the relevance model, −1…1, as it is or less its base rate; nil where
    /// λ = 0 makes it needless.
    package var relevance: Double?
    /// Whether it is the cosine as it is. Without its base rate a relevance below 0 is nothing unusual: half of
    /// all sentences fit other pictures better.
    package var hasBaseRate: Bool

    package init(logProbability: Double, tokenCount: Int, relevance: Double?, hasBaseRate: Bool = true) {
        (self.logProbability, self.tokenCount, self.relevance) = (logProbability, tokenCount, relevance)
        self.hasBaseRate = hasBaseRate
    }

    /// Mean token log-probability; 0 for a sentence without tokens.
    package var likelihood: Double { tokenCount == 0 ? 0 : logProbability / Double(tokenCount) }
}

/// CSR's calibrated reward: the model's own likelihood of a sentence mixed with the sentence's relevance to
/// the image, among the children of one parent. `sample` steers its tree by it and `calibrate` writes it.
///
/// Higher is better in every mode.
package struct Calibration: Sendable, Equatable {
    package enum Mode: String, Sendable, CaseIterable {
        /// (1−λ)·z(mean token log-probability) + λ·z(relevance), each z within the siblings. A lone child,
        /// and siblings that don't differ, get 0.
        case zscore
        /// The paper's sum (arXiv 2405.14622, §3): λ·R_I + (1−λ)·R_T, R_T the product of the sentence's
        /// token probabilities and R_I = max(100·cos, 0). Of a cosine less its base rate nothing is cut off: R_I =
        /// 100·relevance.
        case raw
        /// The released code (`utils.py`, `construct.py`): the penalty (1−α)·rank_T + α·rank_C with ranks
        /// 1/n (best) to 1 (worst) among the siblings, and α for λ. Negated here, so that higher is better.
        case rank
    }

    /// How the sentences' rewards make the score of a whole answer.
    package enum PathRule: String, Sendable, CaseIterable {
        case mean, sum
        /// Sum over sentences + 1: the released code counts the root as a sentence, which favours short
        /// answers among the good and long ones among the bad.
        case withRoot = "with-root"
    }

    /// Which sentences a sentence is compared with.
    package enum Peers: String, Sendable, CaseIterable {
        /// The other children of its parent, as CSR does. The answers of a sentence tree have them at every
        /// sentence, answers drawn whole only at the first.
        case siblings
        /// All sentences of the record that stand at the same place of their answers.
        case level
    }

    /// Whose probabilities of a sentence's tokens count.
    package enum Likelihood: String, Sendable, CaseIterable {
        /// The model's own.
        case model
        /// Those of the search that drew it, its penalties included, as the released code has it.
        case beam
    }

    package let mode: Mode
    /// Weight of relevance, 0…1.
    package let lambda: Double
    package let pathRule: PathRule
    package let peers: Peers
    package let likelihood: Likelihood

    /// - Throws: `PreferenceError.badValue` for λ outside 0…1.
    package init(
        mode: Mode = .zscore, lambda: Double = 0.9, pathRule: PathRule = .mean, peers: Peers = .siblings,
        likelihood: Likelihood = .model
    ) throws {
        guard (0...1).contains(lambda) else {
            throw PreferenceError.badValue(
                "lambda", found: "\(lambda)", remedy: "give a weight of relevance between 0 and 1")
        }
        (self.mode, self.lambda, self.pathRule, self.peers) = (mode, lambda, pathRule, peers)
        self.likelihood = likelihood
    }

    /// The calibrated rewards of siblings (or other peers), in their order.
    ///
    /// - Parameter siblings: all children of one parent that take part; every mode but `raw` depends on
    ///   the whole set.
    /// - Throws: `PreferenceError.missingScore` where λ > 0 and a relevance is missing, `.notFinite` for NaN
    ///   or infinity.
    package func calibrated(_ siblings: [SentenceReward]) throws -> [Double] {
        let relevance = try relevances(of: siblings)
        try PreferenceError.requireFinite(siblings.map(\.logProbability), where: "log-probability")
        try PreferenceError.requireFinite(relevance, where: "relevance")
        switch mode {
        case .zscore: return mix(zScores(siblings.map(\.likelihood)), zScores(relevance))
        case .raw:
            let rewards = zip(siblings, relevance).map { $0.hasBaseRate ? max(100 * $1, 0) : 100 * $1 }
            return mix(siblings.map { exp($0.logProbability) }, rewards)
        case .rank:
            return mix(rankPenalties(siblings.map(\.likelihood)), rankPenalties(relevance)).map { -$0 }
        }
    }

    /// The score of an answer from the calibrated rewards of its sentences; 0 for an answer without any.
    package func pathScore(_ rewards: [Double]) -> Double {
        let sum = rewards.reduce(0, +)
        switch pathRule {
        case .sum: return sum
        case .mean: return rewards.isEmpty ? 0 : sum / Double(rewards.count)
        case .withRoot: return sum / Double(rewards.count + 1)
        }
    }

    private func relevances(of siblings: [SentenceReward]) throws -> [Double] {
        guard lambda > 0 else { return siblings.map { _ in 0 } }
        return try siblings.enumerated().map { index, sibling in
            guard let relevance = sibling.relevance else {
                throw PreferenceError.missingScore(
                    where: "sibling \(index + 1) of \(siblings.count)", name: "relevance",
                    remedy: "score it with the relevance model, or set λ to 0")
            }
            return relevance
        }
    }

    private func mix(_ likelihood: [Double], _ relevance: [Double]) -> [Double] {
        zip(likelihood, relevance).map { (1 - lambda) * $0 + lambda * $1 }
    }
}

/// Standard scores with the population's deviation; all 0 where the values don't differ.
package func zScores(_ values: [Double]) -> [Double] {
    guard values.count > 1 else { return values.map { _ in 0 } }
    let mean = values.reduce(0, +) / Double(values.count)
    let variance = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(values.count)
    let deviation = variance.squareRoot()
    // Equal values leave a deviation of rounding size, which would blow up to scores of ±1.
    let scale = values.reduce(0) { max($0, abs($1)) }
    guard deviation > 1e-12 * scale else { return values.map { _ in 0 } }
    return values.map { ($0 - mean) / deviation }
}

/// Position / n by value descending, the best 1/n and the worst 1; of equal values the earlier is better.
func rankPenalties(_ values: [Double]) -> [Double] {
    var penalties = [Double](repeating: 0, count: values.count)
    for (position, index) in descendingOrder(values).enumerated() {
        penalties[index] = Double(position + 1) / Double(values.count)
    }
    return penalties
}

/// Indices by value descending, of equal values the earlier first.
package func descendingOrder(_ values: [Double]) -> [Int] {
    values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) }
}
