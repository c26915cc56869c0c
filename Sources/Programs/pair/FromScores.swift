import Pairing
import Records
import Rewards
import StageKit

/// The best answer against the worst by a score, whole or from where they part.
struct FromScores: PairSource {
    static let name = "scores"
    static let options: Set = [
        "score", "unit", "prefix-slack", "min-margin", "allow-ties", "keep-fraction", "equal-sentences",
        "word-tolerance", "keep-all", "pairs",
    ]
    static let share = 0.5

    private let rule: PairRule
    private let score: String
    private let unit: PairUnit
    /// nil where every sentence may be chosen.
    private let floor: ScoreFloor?

    init(_ command: Pair, _ run: StageRun) throws {
        rule = try command.rule
        (score, unit) = (command.score, command.unit)
        floor = command.floor.map { ScoreFloor(name: $0.name, least: $0.value) }
    }

    func pairs(of record: Record, _ truth: SceneTruth?) throws -> FoundPairs {
        let prompt = try Prompt(record)
        var sample = try Sample(record)
        let drawn = sample.candidates.count
        sample.candidates.removeAll { !$0.hasWords }
        var found = FoundPairs()
        found.drop("answers without words", count: drawn - sample.candidates.count)
        let selection =
            switch unit {
            case .answer: try rule.pairs(from: scored(sample, truth))
            case .sentence: try rule.pairs(fromSiblings: sample.siblings(by: score, floor: floor))
            }
        if let drop = selection.dropped { found.drop(drop.rawValue) }
        let mode = try record.object("calibration")?.string("mode")
        for pair in selection.pairs {
            found.add(
                pair.chosen.text, over: pair.rejected.text, to: prompt, margin: pair.margin,
                source: mode.map { "\(score)/\($0)" } ?? score, isPartial: unit == .sentence)
        }
        return found
    }

    private func scored(_ sample: Sample, _ truth: SceneTruth?) throws -> [ScoredCandidate] {
        guard score == ScoreName.truth else { return try sample.scoredCandidates(by: score) }
        guard let truth else { throw RecordError.missing(key: "scene") }
        return sample.candidates.map {
            sample.scored($0, -Double(truth.judgement(of: $0.text).falseSentences))
        }
    }
}

/// What stands against what in a pair from scores.
enum PairUnit: String, CaseIterable {
    /// A whole answer against another.
    case answer
    /// A sentence against another one behind the same beginning, where both break off.
    case sentence
}
