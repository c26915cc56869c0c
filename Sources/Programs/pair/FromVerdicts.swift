import Pairing
import Records
import Rewards
import StageKit

/// What critics prefer and the rule admits.
struct FromVerdicts: PairSource {
    static let name = "verdicts"
    static let options: Set = ["one-order", "equal-sentences", "word-tolerance", "keep-all", "pairs"]
    static let hasCritics = true

    private let rule: PairRule
    private let bothOrders: Bool

    init(_ command: Pair, _ run: StageRun) throws {
        (rule, bothOrders) = (try command.rule, !command.oneOrder)
    }

    func pairs(of record: Record, _ truth: SceneTruth?) throws -> FoundPairs {
        let prompt = try Prompt(record)
        let sample = try Sample(record)
        let verdicts = VerdictPairs(try record.verdicts(), bothOrders: bothOrders)
        var found = FoundPairs()
        found.judged = (verdicts, try differing(verdicts.judged, sample, truth))
        for preference in try preferences(verdicts, sample, &found) {
            found.add(
                preference.chosen.text, over: preference.rejected.text, to: prompt,
                source: "verdicts/\(preference.critic)")
        }
        return found
    }

    /// How many of the pairs differ in truth; none where it isn't known.
    private func differing(_ pairs: [[String]], _ sample: Sample, _ truth: SceneTruth?) throws -> Int {
        guard let truth else { return 0 }
        return try pairs.count { pair in
            let sides = try pair.map { truth.judgement(of: try answer($0, sample).text) }
            return AuditedPair(chosen: sides[0], rejected: sides[1], margin: nil).differs
        }
    }

    private struct Preference {
        let chosen: ScoredCandidate
        let rejected: ScoredCandidate
        let critic: String
    }

    /// The earliest verdicts first.
    private func preferences(
        _ verdicts: VerdictPairs, _ sample: Sample, _ found: inout FoundPairs
    ) throws -> [Preference] {
        found.drop("ties, and orders that contradict each other", count: verdicts.ties)
        found.drop("unreadable verdicts", count: verdicts.unreadable)
        found.drop("asked in one order only", count: verdicts.oneOrder)
        if verdicts.judged.isEmpty { found.drop("no verdicts") }
        var kept: [Preference] = []
        for preference in verdicts.preferences {
            let chosen = try answer(preference.chosen, sample)
            let rejected = try answer(preference.rejected, sample)
            let ids = [preference.chosen, preference.rejected]
            if kept.contains(where: { [$0.chosen.id, $0.rejected.id] == ids }) {
                found.drop("preferred by an earlier critic too")
            } else if let index = kept.firstIndex(where: { [$0.rejected.id, $0.chosen.id] == ids }) {
                kept.remove(at: index)
                found.drop("critics that contradict each other")
            } else if !chosen.hasWords || !rejected.hasWords {
                found.drop("answers without words")
            } else if let objection = rule.objection(to: chosen, rejected) {
                found.drop(objection.rawValue)
            } else {
                kept.append(Preference(chosen: chosen, rejected: rejected, critic: preference.critic))
            }
        }
        return Array(kept.prefix(rule.pairsPerRecord))
    }

    /// The candidate that a verdict names.
    private func answer(_ id: String, _ sample: Sample) throws -> ScoredCandidate {
        guard let candidate = sample.candidates.first(where: { $0.id == id }) else {
            throw RecordError.invalid(
                key: "verdicts", found: "about \"\(id)\", which is not a candidate",
                remedy: "judge the candidates of this record")
        }
        return sample.scored(candidate, 0)
    }
}
