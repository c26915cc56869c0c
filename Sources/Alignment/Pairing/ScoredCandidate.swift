import Records
import Rewards

/// A finished answer with its score, as pairing sees it.
package struct ScoredCandidate: Sendable, Equatable {
    package var id: String
    package var text: String
    package var score: Double
    /// Node indices from the first sentence to the last; empty for an answer that was not drawn as
    /// sentences.
    package var path: [Int]
    /// Whether it may be the better one of a pair.
    package var canBeChosen: Bool

    package init(
        id: String, text: String, score: Double, path: [Int] = [], canBeChosen: Bool = true
    ) {
        (self.id, self.text, self.score, self.path) = (id, text, score, path)
        self.canBeChosen = canBeChosen
    }

    /// Number of sentences: those of the path, and without one those that the text's full stops, question
    /// and exclamation marks end.
    package var sentences: Int { path.isEmpty ? sentenceCount(text) : path.count }

    package var hasWords: Bool { words > 0 }

    /// Words at white space.
    package var words: Int { text.split(whereSeparator: \.isWhitespace).count }

    /// What decides whether two answers are the same.
    var folded: [UInt8] { text.folded }
}

extension String {
    /// The text with every run of white space as one space.
    fileprivate var folded: [UInt8] {
        Array(split(whereSeparator: \.isWhitespace).joined(separator: " ").utf8)
    }
}

extension Sample {
    /// The candidates with the named score.
    ///
    /// - Throws: `PreferenceError.missingScore` for a candidate without it.
    package func scoredCandidates(by name: String = ScoreName.calibrated) throws -> [ScoredCandidate] {
        try candidates.map { candidate in
            guard let score = candidate.scores[name] else {
                throw PreferenceError.missingScore(
                    where: "candidate \(candidate.id)", name: name, remedy: "run calibrate before pair")
            }
            return scored(candidate, score)
        }
    }

    /// A candidate of this sample with a score. Nodes without words are no sentences and left out of the path.
    package func scored(_ candidate: Candidate, _ score: Double) -> ScoredCandidate {
        ScoredCandidate(
            id: candidate.id, text: candidate.text, score: score,
            path: candidate.path.filter { nodes[$0].hasWords })
    }
}

extension Candidate {
    /// Whether it is this text, but for white space.
    package func says(_ other: String) -> Bool { text.folded == other.folded }
}

private func sentenceCount(_ text: String) -> Int {
    let ends = text.unicodeScalars.split(whereSeparator: { ".!?".unicodeScalars.contains($0) })
    return ends.count { piece in piece.contains { !$0.properties.isWhitespace } }
}
