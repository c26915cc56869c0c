import PictureWorld
import Preference
import Random
import Records
import StageKit

/// The pairs of one record, before the whole input is known.
struct MadePairs {
    /// A line of output each.
    var lines: [Record] = []
    /// By line, as the rule found them; nil where a critic decided.
    var margins: [Double?] = []
    /// By line; nil where the record has no scene.
    var audited: [AuditedPair?] = []
    /// By line, as the rule preferred them, before a coin may turn a pair around: a control has the pairs of its run.
    var preferred: [(chosen: String, rejected: String)] = []
    var dropped: [String: Int] = [:]
    /// What critics said, and how many of the pairs they judged differ in truth; nil where no critic decided.
    var judged: (verdicts: VerdictPairs, differing: Int)?

    /// - Parameter fates: by line; none where all stay.
    func result(_ fates: [PairFate]? = nil) -> RecordResult {
        guard let fates else { return .records(lines, dropped: dropped) }
        var dropped = dropped
        for fate in fates where fate != .stays { dropped[fate.rawValue, default: 0] += 1 }
        return .records(zip(lines, fates).filter { $0.1 == .stays }.map(\.0), dropped: dropped)
    }
}

/// What becomes of a pair once all are known.
enum PairFate: String {
    case stays
    case smallMargin = "not among the largest margins"
    case guessable = "told by a judge without pictures"
}

/// What stands against what in a pair from scores.
enum PairUnit: String, CaseIterable {
    /// A whole answer against another.
    case answer
    /// A sentence against another one behind the same beginning, where both break off.
    case sentence
}

/// Which of the two answers of a pair is the chosen one.
enum PairOrder: String, CaseIterable {
    /// The one that the rule finds better.
    case reward
    /// What a coin says, as a control: the same two answers, and nothing in their order.
    case random
}

/// Makes a record's pairs from its scores, verdicts or corrections.
struct PairMaker {
    let rule: PairRule
    let order: PairOrder
    /// Of the coins.
    let seed: UInt64
    let from: Pair.Origin
    let score: String
    let unit: PairUnit
    /// nil where every sentence may be chosen.
    let floor: ScoreFloor?
    let bothOrders: Bool
    /// nil where changed spans aren't asked for.
    let edits: EditSpans?

    /// - Throws: `RecordError`, `PreferenceError`, `PromptError`, all about this record.
    func pairs(of input: InputRecord) throws -> MadePairs {
        var made = MadePairs()
        let truth = SceneTruth(input.record)
        func add(_ pair: PreferencePair) throws {
            made.margins.append(pair.margin)
            made.preferred.append((pair.chosen, pair.rejected))
            var (pair, line) = (ordered(pair), input.record)
            if let edits { pair.weights = try edits.weights(of: pair) }
            try pair.write(into: &line)
            made.lines.append(line)
            made.audited.append(
                truth.map {
                    AuditedPair(
                        chosen: $0.judgement(of: pair.chosen), rejected: $0.judgement(of: pair.rejected),
                        margin: pair.margin)
                })
        }
        if from == .pairs {
            try add(PreferencePair(input.record))
            return made
        }
        let prompt = try Prompt(input.record)
        let sample = try Sample(input.record)
        func add(_ chosen: String, over rejected: String, margin: Double?, source: String) throws {
            let number = made.lines.count + 1
            try add(
                PreferencePair(
                    id: number == 1 ? prompt.id : "\(prompt.id)#\(number)", image: prompt.image,
                    prompt: prompt.prompt, history: prompt.history, chosen: chosen, rejected: rejected,
                    margin: margin, source: source, isPartial: unit == .sentence)
            )
        }
        switch from {
        case .pairs: break
        case .corrections:
            let corrected = truth.map { truth in
                sample.candidates.compactMap { answer in
                    truth.corrected(answer.text).map { ($0, answer.text) }
                }
            }
            if corrected == nil { made.dropped["no scene to correct by", default: 0] += 1 }
            if corrected?.isEmpty == true { made.dropped["nothing to correct", default: 0] += 1 }
            for (chosen, rejected) in (corrected ?? []).prefix(rule.pairsPerRecord) {
                try add(chosen, over: rejected, margin: nil, source: "corrections/scene")
            }
        case .reference:
            guard let reference = prompt.reference else { throw RecordError.missing(key: "reference") }
            let others = sample.candidates.filter { $0.hasWords && !$0.says(reference) }
            let silent = sample.candidates.count { !$0.hasWords }
            if silent > 0 { made.dropped["answers without words"] = silent }
            if others.isEmpty, silent < sample.candidates.count {
                made.dropped["no answer but the reference"] = 1
            }
            for rejected in others.prefix(rule.pairsPerRecord) {
                try add(reference, over: rejected.text, margin: nil, source: "reference")
            }
        case .scores:
            var speaking = sample
            speaking.candidates.removeAll { !$0.hasWords }
            let silent = sample.candidates.count - speaking.candidates.count
            if silent > 0 { made.dropped["answers without words"] = silent }
            let selection =
                switch unit {
                case .answer: try rule.pairs(from: scored(speaking, truth))
                case .sentence: try rule.pairs(fromSiblings: sample.siblings(by: score, floor: floor))
                }
            if let drop = selection.dropped { made.dropped[drop.rawValue, default: 0] += 1 }
            let mode = try input.record.object("calibration")?.string("mode")
            let source = mode.map { "\(score)/\($0)" } ?? score
            for pair in selection.pairs {
                try add(pair.chosen.text, over: pair.rejected.text, margin: pair.margin, source: source)
            }
        case .verdicts:
            let verdicts = VerdictPairs(try input.record.verdicts(), bothOrders: bothOrders)
            made.judged = (verdicts, try differing(verdicts.judged, sample, truth))
            for preference in try preferences(verdicts, sample, &made.dropped) {
                try add(
                    preference.chosen.text, over: preference.rejected.text, margin: nil,
                    source: "verdicts/\(preference.critic)")
            }
        }
        return made
    }

    /// The pair as the rule made it, or in an order drawn by seed and id.
    private func ordered(_ pair: PreferencePair) -> PreferencePair {
        guard order == .random else { return pair }
        var pair = pair
        pair.source = "random/" + (pair.source ?? "pairs")
        var coin = SplitMix64(seed: seed, purpose: "order of pair \(pair.id)")
        if coin.chance(0.5) { pair.turnAround() }
        return pair
    }

    private func scored(_ sample: Sample, _ truth: SceneTruth?) throws -> [ScoredCandidate] {
        guard score == ScoreName.truth else { return try sample.scoredCandidates(by: score) }
        guard let truth else { throw RecordError.missing(key: "scene") }
        return sample.candidates.map {
            sample.scored($0, -Double(truth.judgement(of: $0.text).falseSentences))
        }
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

    /// What the critics prefer and the rule admits, the earliest verdicts first.
    private func preferences(
        _ verdicts: VerdictPairs, _ sample: Sample, _ dropped: inout [String: Int]
    ) throws -> [Preference] {
        func drop(_ count: Int, _ reason: String) { if count > 0 { dropped[reason, default: 0] += count } }
        drop(verdicts.ties, "ties, and orders that contradict each other")
        drop(verdicts.unreadable, "unreadable verdicts")
        drop(verdicts.oneOrder, "asked in one order only")
        if verdicts.judged.isEmpty { drop(1, "no verdicts") }
        var found: [Preference] = []
        for preference in verdicts.preferences {
            let chosen = try answer(preference.chosen, sample)
            let rejected = try answer(preference.rejected, sample)
            let ids = [preference.chosen, preference.rejected]
            if found.contains(where: { [$0.chosen.id, $0.rejected.id] == ids }) {
                drop(1, "preferred by an earlier critic too")
            } else if let index = found.firstIndex(where: { [$0.rejected.id, $0.chosen.id] == ids }) {
                found.remove(at: index)
                drop(1, "critics that contradict each other")
            } else if !chosen.hasWords || !rejected.hasWords {
                drop(1, "answers without words")
            } else if let objection = rule.objection(to: chosen, rejected) {
                drop(1, objection.rawValue)
            } else {
                found.append(Preference(chosen: chosen, rejected: rejected, critic: preference.critic))
            }
        }
        return Array(found.prefix(rule.pairsPerRecord))
    }

    /// The candidate that a verdict names.
    private func answer(_ id: String, _ sample: Sample) throws -> ScoredCandidate {
        guard let candidate = sample.candidates.first(where: { $0.id == id }) else {
            throw RecordError.invalid(
                key: "verdicts", found: "about \"\(id)\", which is no candidate",
                remedy: "judge the candidates of this record")
        }
        return sample.scored(candidate, 0)
    }
}

extension PreferencePair {
    /// The chosen answer becomes the rejected one, with all that is said of either.
    fileprivate mutating func turnAround() {
        (chosen, rejected) = (rejected, chosen)
        margin = margin.map { 0 - $0 }
        weights = weights.map { .init(chosen: $0.rejected, rejected: $0.chosen) }
        referenceLogProbabilities = referenceLogProbabilities.mapValues {
            .init(chosen: $0.rejected, rejected: $0.chosen)
        }
    }
}
