import Foundation
import Records
import Relevance
import Rewards
import StageKit

/// Keeps the sentences that a tree goes on from: each is scored by the calibrated reward among its siblings,
/// and an answer so far by their mean. The answers of a level have equally many sentences, so every path rule
/// would keep the same. Or an answer so far has the sum of the likelihoods that its sentences were drawn with,
/// as in CSR's released code. Or chance decides: what was drawn first goes on, and an answer that ends there is over,
/// so that beginnings are as likely as the model finds them.
final class TreeSteering {
    enum Rule {
        case reward(SentenceScorer)
        case likelihood
        case chance
    }

    private let rule: Rule
    private let pruning: Pruning
    private let minimumPool: Int
    /// Sentences of each record with their scores, while its tree grows.
    private var scored: [Int: [SentenceNode]] = [:]

    init(_ rule: Rule, pruning: Pruning, minimumPool: Int) {
        (self.rule, self.pruning, self.minimumPool) = (rule, pruning, minimumPool)
    }

    private var scorer: SentenceScorer? {
        if case .reward(let scorer) = rule { scorer } else { nil }
    }

    /// - Parameter fresh: grown nodes of the level just drawn.
    /// - Returns: which of them are extended.
    func keep(record: Int, image: PictureFile?, _ sentences: Sentences, _ fresh: Range<Int>) throws -> [Int] {
        if case .chance = rule {
            return fresh.prefix(pruning.top + pruning.bottom).filter { sentences.isOpen($0) }
        }
        let first = sentences.first(of: fresh.lowerBound)
        // A record's first level begins its tree anew, also in the next batch.
        var nodes = first == 0 ? [] : scored[record] ?? []
        nodes += sentences.nodes[first...]
        try scorer?.score(&nodes, first..<nodes.count, image: image)
        scored[record] = nodes
        let open = fresh.filter { sentences.isOpen($0) }
        let scores = open.map { score(of: sentences.path(to: $0).map { nodes[$0] }) }
        return try pruning.kept(scores, minimumPool: minimumPool).map { open[$0] }
    }

    private func score(of path: [SentenceNode]) -> Double {
        if let scorer {
            return scorer.calibration.pathScore(path.compactMap { $0.scores[ScoreName.calibrated] })
        }
        return path.reduce(0) { $0 + ($1.scores[ScoreName.beam] ?? SentenceReward($1).likelihood) }
    }

    /// Tells when sentences were longer than the relevance model reads.
    func sayWhatWasCut(_ console: Console) {
        guard let cut = scorer?.relevance?.cutTexts, cut > 0 else { return }
        console.say("\(cut) sentences were longer than the relevance model reads; their ends were ignored")
    }
}
