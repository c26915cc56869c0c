import Foundation
import Kernels

/// How the logits of a question are held against those that it has in other contexts, in which the picture isn't seen,
/// or badly.
package enum Contrast: Sendable, Equatable {
    /// (1 + α)·l − α·l′, and nothing of what is less than β times as likely as the likeliest: visual contrastive decoding
    /// (VCD, arXiv 2311.16922) with a noised picture, visual debias decoding (VDD, arXiv 2403.05262) with none.
    case difference(alpha: Float, beta: Float)
    /// One of some answers of one token, whose probabilities are freed of those without a picture: divided by them, or
    /// less them (post-hoc debiasing, arXiv 2403.05262, with p_cf of each question's own contexts).
    case labels([Int32], subtracts: Bool)

    /// Whether a token is a whole answer.
    package var isWhole: Bool { if case .labels = self { true } else { false } }

    /// - Parameters:
    ///   - own: logits with the picture; become those that are drawn from.
    ///   - others: logits in the other contexts, at least one; their mean counts.
    package func apply(to own: UnsafeMutableBufferPointer<Float>, _ others: [UnsafeBufferPointer<Float>]) {
        switch self {
        case .difference(let alpha, let beta):
            let least = log(beta) + largest(UnsafeBufferPointer(own))
            let share = alpha / Float(others.count)
            for token in own.indices {
                let mean = others.reduce(0) { $0 + $1[token] } * share
                own[token] = own[token] < least ? -.infinity : (1 + alpha) * own[token] - mean
            }
        case .labels(let labels, let subtracts):
            let seen = Self.probabilities([UnsafeBufferPointer(own)], labels)
            let blind = Self.probabilities(others, labels)
            own.update(repeating: -.infinity)
            for (index, label) in labels.enumerated() {
                own[Int(label)] = Float(
                    subtracts ? seen[index] - blind[index] : log(seen[index] / blind[index]))
            }
        }
    }

    /// Of the labels among each other, summed over contexts. Each has 1e-4 more, as in the released code, so that none is
    /// divided by zero.
    private static func probabilities(
        _ contexts: [UnsafeBufferPointer<Float>], _ labels: [Int32]
    ) -> [Double] {
        var sums = [Double](repeating: 0, count: labels.count)
        for logits in contexts {
            let own = labels.map {
                exp(Double(logProbability(logits.baseAddress!, logits.count, of: Int($0)))) + 1e-4
            }
            let total = own.reduce(0, +)
            for index in sums.indices { sums[index] += own[index] / total }
        }
        return sums.map { $0 / Double(contexts.count) }
    }
}
