import Foundation

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
        /// −log σ(z): direct preference optimisation (Rafailov et al. 2023), which CSR and SIMA train with.
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

    /// Which tokens give a rejected answer its log-probabilities.
    package enum RejectedTokens: String, Sendable, CaseIterable {
        /// Its own.
        case label
        /// At each of its places the likeliest other one, under policy and reference each by itself: what SIMA's
        /// released trainer computes where its paper has plain DPO.
        case topAlternative = "top-alternative"
    }

    package var kind: Kind
    package var rejected: RejectedTokens
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
        normalize: Bool = false, rejected: RejectedTokens = .label
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

/// −log σ(z), without overflow.
func surprise(_ z: Double) -> Double { max(-z, 0) + log1p(exp(-abs(z))) }

/// σ(−z), the size of its slope.
func doubt(_ z: Double) -> Double { 1 / (1 + exp(z)) }
