import Pairing
import Rewards
import StageKit

/// What must be known of all pairs: their margins, to keep the largest, and the truth about them.
struct PairBook {
    /// Share of the pairs that is kept.
    let share: Double
    /// Whether what a judge without pictures can tell goes.
    let isBalanced: Bool
    private var tally = VerdictTally()
    private var entries: [Entry] = []

    private struct Entry {
        let number: Int
        let margin: Double?
        let audited: AuditedPair?
        /// nil where none is asked for.
        let difference: WordDifference?
    }

    init(share: Double, isBalanced: Bool) { (self.share, self.isBalanced) = (share, isBalanced) }

    mutating func note(_ made: MadePairs, of input: InputRecord) {
        if let (verdicts, differing) = made.judged {
            tally.add(verdicts, differing: differing, settled: made.audited)
        }
        for (index, audited) in made.audited.enumerated() {
            let (chosen, rejected) = made.preferred[index]
            entries.append(
                Entry(
                    number: input.number, margin: made.margins[index], audited: audited,
                    difference: isBalanced ? WordDifference(chosen: chosen, rejected: rejected) : nil))
        }
    }

    /// - Throws: `PreferenceError` for margins that can't be compared.
    func decided() throws -> PairDecision {
        let keeps = try PairRule.keepsLargest(entries.map { $0.margin ?? 0 }, fraction: share)
        var fates = keeps.map { $0 ? PairFate.stays : .smallMargin }
        var guessed: Double?
        let asked = entries.indices.filter { keeps[$0] }
        if isBalanced, !asked.isEmpty {
            let judged = BlindJudge.keepsUnguessed(asked.compactMap { entries[$0].difference })
            for (index, stays) in zip(asked, judged.keeps) where !stays { fates[index] = .guessable }
            guessed = Double(judged.guessed) / Double(asked.count)
        }
        return PairDecision(
            fates: zip(entries, fates).reduce(into: [:]) { $0[$1.0.number, default: []].append($1.1) },
            audited: zip(entries, fates).compactMap { $1 == .stays ? $0.audited : nil },
            guessed: guessed, tally: tally)
    }
}

/// What was made of all pairs.
struct PairDecision {
    /// By the number of the record's line; none for a record without pairs.
    let fates: [Int: [PairFate]]
    /// The pairs that stay and whose truth is known.
    let audited: [AuditedPair]
    /// Share of the pairs that a judge without pictures told rightly before it had a say; nil where it had none.
    let guessed: Double?
    let tally: VerdictTally
}
