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
struct TreeSteering {
    enum Rule {
        case reward(SentenceScorer)
        case likelihood
        case chance
    }

    let rule: Rule
    let pruning: Pruning
    let minimumPool: Int

    private var scorer: SentenceScorer? {
        if case .reward(let scorer) = rule { scorer } else { nil }
    }

    /// - Parameters:
    ///   - fresh: grown nodes of the level just drawn.
    ///   - scored: the record's sentences before them with their scores; those of the level are added.
    /// - Returns: which of the fresh nodes are extended.
    func keep(
        _ fresh: Range<Int>, of sentences: Sentences, scored nodes: inout [SentenceNode], image: PictureFile?
    ) throws -> [Int] {
        if case .chance = rule {
            return fresh.prefix(pruning.top + pruning.bottom).filter { sentences.isOpen($0) }
        }
        let first = nodes.count
        nodes += sentences.nodes[first...]
        try scorer?.score(&nodes, first..<nodes.count, image: image)
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
