import Benchmarks
import Foundation
import PictureWorld
import Preference
import Records

/// How a reward orders answers whose truth is known: over pairs of a record's answers, and over the best of
/// its first n. What the best is rewarded with stands beside what it invents, so that a reward that is only
/// pleased, not served, is seen.
package struct RewardSheet {
    package let name: String
    package let sums: ClusteredSums
    package let pairs: Int
    package let records: Int

    /// Best of the first 1, 2, 4, … answers.
    package static func sizes(upTo most: Int) -> [Int] {
        sequence(first: 1) { $0 * 2 }.prefix { $0 <= most }.map { $0 }
    }

    private struct Answer {
        let scored: ScoredCandidate
        let falseSentences: Int
        let invents: Bool
    }

    /// Columns: pairs, of these right, records; then four for every size.
    private static let fixedColumns = 3
    private static let figures = ["given reward", "false sentences", "with an invention", "words"]

    /// - Parameters:
    ///   - records: with scored candidates and scenes.
    ///   - rule: which two answers are compared: those of the same sentence count and nearly the same words.
    /// - Throws: `RecordError`, `SceneError`, `PreferenceError` for a record that can't be judged.
    package init(name: String, _ records: [Record], score: String, rule: PairRule, sizes: [Int]) throws {
        var sums = ClusteredSums(width: Self.fixedColumns + Self.figures.count * sizes.count)
        var pairs = 0
        for record in records {
            let scene = try Scene(record: record)
            var sample = try Sample(record)
            sample.candidates.removeAll { !$0.hasWords }
            let answers = try sample.scoredCandidates(by: score).map { Self.judged($0, scene) }
            guard let most = sizes.last, answers.count >= most else {
                throw RecordError.invalid(
                    key: "candidates", found: "\(answers.count) answers with words",
                    remedy: "draw at least \(sizes.last ?? 1), or lower --best-of")
            }
            for (better, worse) in Self.pairs(of: answers, rule) {
                sums.add(1, column: 0, cluster: scene.id)
                sums.add(
                    better.scored.score > worse.scored.score ? 1 : 0, column: 1, cluster: scene.id)
                pairs += 1
            }
            sums.add(1, column: 2, cluster: scene.id)
            for (index, size) in sizes.enumerated() {
                var best = answers[0]
                for answer in answers[1..<size] where answer.scored.score > best.scored.score {
                    best = answer
                }
                let figures = [
                    best.scored.score, Double(best.falseSentences), best.invents ? 1 : 0,
                    Double(best.scored.words),
                ]
                for (offset, figure) in figures.enumerated() {
                    let column = Self.fixedColumns + Self.figures.count * index + offset
                    sums.add(figure, column: column, cluster: scene.id)
                }
            }
        }
        (self.name, self.sums, self.pairs, self.records) = (name, sums, pairs, records.count)
    }

    private static func judged(_ candidate: ScoredCandidate, _ scene: Scene) -> Answer {
        let judged = Lexer.sentences(of: candidate.text).map { scene.judge(ParsedSentence($0)) }
        return Answer(
            scored: candidate, falseSentences: judged.count { $0.verdict == .false },
            invents: judged.contains { !$0.invented.isEmpty })
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

    package static func estimators(sizes: [Int]) -> [Estimator] {
        let accuracy = Estimator(name: "accuracy on pairs, %") { 100 * $0[1] / $0[0] }
        return [accuracy]
            + figures.enumerated().flatMap { offset, figure in
                sizes.enumerated().map { index, size in
                    let column = fixedColumns + figures.count * index + offset
                    let scale = figure == "with an invention" ? 100.0 : 1
                    return Estimator(name: "\(figure)\(scale > 1 ? ", %" : ""), best of \(size)") {
                        scale * $0[column] / $0[2]
                    }
                }
            }
    }
}
