import Pairing
import Random
import Records
import Rewards
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

/// Which of the two answers of a pair is the chosen one.
enum PairOrder: String, CaseIterable {
    /// The one that the rule finds better.
    case reward
    /// What a coin says, as a control: the same two answers, and nothing in their order.
    case random
}

/// Makes a record's lines of the pairs that a source finds in it.
struct PairMaker {
    let source: any PairSource
    let order: PairOrder
    /// Of the coins.
    let seed: UInt64
    /// nil where changed spans aren't asked for.
    let edits: EditSpans?
    /// Whether a scene that can't be read makes a bad record; otherwise it is another's, and none of ours.
    let needsScenes: Bool

    /// - Throws: `RecordError`, `SceneError`, `PreferenceError`, `PromptError`, all about this record.
    func pairs(of input: InputRecord) throws -> MadePairs {
        let truth = try SceneTruth(input.record, isNeeded: needsScenes)
        let found = try source.pairs(of: input.record, truth)
        var made = MadePairs(dropped: found.dropped, judged: found.judged)
        for pair in found.pairs {
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
