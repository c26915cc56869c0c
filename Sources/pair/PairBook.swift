import Preference
import StageKit

/// What must be known of all pairs: their margins, to keep the largest, and the truth about them.
struct PairBook {
    /// Share of the pairs that is kept.
    let share: Double
    private(set) var tally = VerdictTally()
    private var entries: [Entry] = []

    private struct Entry {
        let number: Int
        let margin: Double?
        let audited: AuditedPair?
    }

    init(share: Double) { self.share = share }

    mutating func note(_ made: MadePairs, of input: InputRecord) {
        if let (verdicts, differing) = made.judged {
            tally.add(verdicts, differing: differing, settled: made.audited)
        }
        for (margin, audited) in zip(made.margins, made.audited) {
            entries.append(Entry(number: input.number, margin: margin, audited: audited))
        }
    }

    /// Which pairs of each record stay, by the number of its line.
    func keeps() throws -> [Int: [Bool]] {
        zip(entries, try flags()).reduce(into: [:]) { keeps, pair in
            keeps[pair.0.number, default: []].append(pair.1)
        }
    }

    /// The kept pairs whose truth is known.
    func audited() throws -> [AuditedPair] {
        zip(entries, try flags()).compactMap { entry, stays in stays ? entry.audited : nil }
    }

    private func flags() throws -> [Bool] {
        if share == 1 { return entries.map { _ in true } }
        return try PairRule.keepsLargest(entries.map { $0.margin ?? 0 }, fraction: share)
    }
}
