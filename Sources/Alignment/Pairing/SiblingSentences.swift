import Records
import Rewards

/// The least of a named score.
package struct ScoreFloor: Sendable, Equatable {
    package let name: String
    package let least: Double

    package init(name: String, least: Double) { (self.name, self.least) = (name, least) }
}

extension Sample {
    /// The sentences of the tree that were drawn behind the same beginning, set by set in the order of the tree. Each
    /// is an answer that breaks off behind it, with the sentence's own score. Nodes without words are left out.
    ///
    /// - Parameter floor: a score that a sentence must reach to be chosen.
    /// - Throws: `PreferenceError.missingScore` for a sentence without a named score.
    package func siblings(
        by name: String = ScoreName.calibrated, floor: ScoreFloor? = nil
    ) throws -> [[ScoredCandidate]] {
        var beginnings: [(text: String, path: [Int])] = []
        var sets: [Int: [ScoredCandidate]] = [:]
        for (index, node) in nodes.enumerated() {
            let before = node.parent < 0 ? (text: "", path: []) : beginnings[node.parent]
            guard node.hasWords else {
                beginnings.append(before)
                continue
            }
            let here = (
                before.text.isEmpty ? node.text : before.text + " " + node.text, before.path + [index]
            )
            beginnings.append(here)
            func score(_ name: String, _ remedy: String) throws -> Double {
                if let score = node.scores[name] { return score }
                throw PreferenceError.missingScore(where: "nodes[\(index)]", name: name, remedy: remedy)
            }
            let reached = try floor.map {
                try score($0.name, "name a score that calibrate writes to sentences") >= $0.least
            }
            sets[node.parent, default: []].append(
                ScoredCandidate(
                    id: "n\(index)", text: here.0, score: try score(name, "run calibrate before pair"),
                    path: here.1, canBeChosen: reached ?? true))
        }
        return sets.sorted { $0.key < $1.key }.map(\.value)
    }
}

extension PairRule {
    /// The best against the worst of each set of siblings; of all these pairs those with the largest margins, as many
    /// as a record may have. Of equal margins the earlier set's.
    ///
    /// - Throws: `PreferenceError.notFinite` for a score that can't be compared.
    package func pairs(fromSiblings sets: [[ScoredCandidate]]) throws -> PairSelection {
        var rule = self
        rule.pairsPerRecord = 1
        let selections = try sets.map { try rule.pairs(from: $0) }
        let found = selections.flatMap(\.pairs).enumerated()
            .sorted { (-$0.element.margin, $0.offset) < (-$1.element.margin, $1.offset) }
            .prefix(pairsPerRecord).map(\.element)
        guard found.isEmpty else { return PairSelection(pairs: found, dropped: nil) }
        return PairSelection(pairs: [], dropped: selections.lazy.compactMap(\.dropped).first ?? .fewerThanTwo)
    }
}
