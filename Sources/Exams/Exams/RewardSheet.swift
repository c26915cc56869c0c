import Foundation
import Metrics
import Pairing
import PictureWorld
import Records

/// How a reward orders answers whose truth is known: over pairs of a record's answers, and over the best of
/// its first n. What the best is rewarded with stands beside what it invents, so that a reward that is only
/// pleased, not served, is seen.
package struct RewardSheet {
    package let name: String
    package let sums: ClusteredSums

    /// Of the first 1, 2, 4, … answers the best is taken.
    private static func sizes(upTo most: Int) -> [Int] {
        sequence(first: 1) { $0 * 2 }.prefix { $0 <= most }.map { $0 }
    }

    private struct Answer {
        let scored: ScoredCandidate
        let falseSentences: Int
        let invents: Bool
    }

    private enum Sum {
        static let pairs = "pairs"
        static let rightPairs = "pairs.right"
        static let records = "records"

        static func best(_ figure: String, of size: Int) -> String { "\(figure).\(size)" }
    }

    private static let figures = ["given reward", "false sentences", "with an invention", "words"]

    /// - Parameters:
    ///   - records: with scored candidates and scenes.
    ///   - rule: which two answers are compared: those of the same sentence count and nearly the same words.
    /// - Throws: `RecordError`, `SceneError`, `PreferenceError` for a record that can't be judged.
    package init(name: String, _ records: [Record], score: String, rule: PairRule, bestOf most: Int) throws {
        let sizes = Self.sizes(upTo: most)
        var sums = ClusteredSums()
        for record in records {
            let scene = try Scene(record: record)
            var sample = try Sample(record)
            sample.candidates.removeAll { !$0.hasWords }
            let answers = try sample.scoredCandidates(by: score).map { Self.judged($0, scene) }
            guard answers.count >= most else {
                throw RecordError.invalid(
                    key: "candidates", found: "\(answers.count) answers with words",
                    remedy: "draw at least \(most), or lower --best-of")
            }
            let compared = Self.pairs(of: answers, rule)
            let right = compared.count { $0.scored.score > $1.scored.score }
            sums.add(
                [Sum.pairs: Double(compared.count), Sum.rightPairs: Double(right), Sum.records: 1],
                to: scene.id)
            for size in sizes {
                for (figure, value) in zip(Self.figures, Self.figures(ofBest: answers[..<size])) {
                    sums.add([Sum.best(figure, of: size): value], to: scene.id)
                }
            }
        }
        (self.name, self.sums) = (name, sums)
    }

    package var pairs: Int { Int(sums[Sum.pairs] ?? 0) }
    package var records: Int { Int(sums[Sum.records] ?? 0) }

    /// In the order of `figures`; of equal scores the first counts.
    private static func figures(ofBest answers: ArraySlice<Answer>) -> [Double] {
        var best = answers[0]
        for answer in answers where answer.scored.score > best.scored.score { best = answer }
        return [
            best.scored.score, Double(best.falseSentences), best.invents ? 1 : 0, Double(best.scored.words),
        ]
    }

    private static func judged(_ candidate: ScoredCandidate, _ scene: Scene) -> Answer {
        let judged = scene.judge(candidate.text)
        return Answer(
            scored: candidate, falseSentences: judged.falseSentences, invents: !judged.invented.isEmpty)
    }

    /// All pairs that the rule admits and that differ in truth, the truer answer first.
    private static func pairs(of answers: [Answer], _ rule: PairRule) -> [(Answer, Answer)] {
        answers.indices.flatMap { i in
            answers[(i + 1)...].compactMap { other in
                let one = answers[i]
                guard one.falseSentences != other.falseSentences,
                    rule.objection(to: one.scored, other.scored) == nil
                else { return nil }
                return one.falseSentences < other.falseSentences ? (one, other) : (other, one)
            }
        }
    }

    package static func estimators(bestOf most: Int) -> [Estimator] {
        let sizes = sizes(upTo: most)
        let accuracy = Estimator(
            name: "accuracy on pairs, %",
            .function(of: [Sum.rightPairs, Sum.pairs]) { 100 * $0[0] / $0[1] })
        return [accuracy]
            + figures.flatMap { figure in
                sizes.map { size in
                    let scale = figure == "with an invention" ? 100.0 : 1
                    return Estimator(
                        name: "\(figure)\(scale > 1 ? ", %" : ""), best of \(size)",
                        .function(of: [Sum.best(figure, of: size), Sum.records]) { scale * $0[0] / $0[1] })
                }
            }
    }
}
