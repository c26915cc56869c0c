import Foundation
import JSON
import Records
import Tables

/// What the known scene says about an answer.
package struct TruthJudgement: Sendable, Equatable {
    /// Sentences that say something untrue.
    package var falseSentences: Int
    /// Mentions of objects that aren't there.
    package var inventedObjects: Int
    /// Wrong colours, sizes, places or counts of objects that are there.
    package var wrongAttributes: Int
    package var words: Int
    /// Different true objects that the answer names.
    package var namedObjects: Int

    package init(
        falseSentences: Int, inventedObjects: Int, wrongAttributes: Int, words: Int, namedObjects: Int
    ) {
        self.falseSentences = falseSentences
        self.inventedObjects = inventedObjects
        self.wrongAttributes = wrongAttributes
        self.words = words
        self.namedObjects = namedObjects
    }

    /// Fewer false sentences, and among equals more objects named: who says nothing is not the truer one.
    package func isTruer(than other: TruthJudgement) -> Bool {
        (falseSentences, -namedObjects) < (other.falseSentences, -other.namedObjects)
    }
}

/// A pair with the truth about both sides.
package struct AuditedPair: Sendable, Equatable {
    package var chosen: TruthJudgement
    package var rejected: TruthJudgement
    /// nil where the preference was no comparison of scores.
    package var margin: Double?

    package init(chosen: TruthJudgement, rejected: TruthJudgement, margin: Double?) {
        (self.chosen, self.rejected, self.margin) = (chosen, rejected, margin)
    }

    /// Whether one side is truer.
    package var differs: Bool { chosen.isTruer(than: rejected) || rejected.isTruer(than: chosen) }
}

/// How well a reward follows the truth, over the pairs it made: how often the chosen answer is the truer
/// one, and whether the reward merely prefers length.
package struct RewardAudit: Sendable, Equatable, CustomStringConvertible {
    package var pairs: Int
    /// Pairs of which one side is truer.
    package var differing: Int
    /// Of these, pairs whose chosen side is.
    package var chosenTruer: Int
    /// Means over the pairs.
    package var chosen: Means
    package var rejected: Means
    /// Pearson's correlation of margin and false sentences spared (rejected minus chosen); nil where one of the
    /// two doesn't vary.
    package var marginCorrelation: Double?

    package struct Means: Sendable, Equatable {
        package var falseSentences = 0.0
        package var inventedObjects = 0.0
        package var wrongAttributes = 0.0
        package var words = 0.0
        package var namedObjects = 0.0
    }

    package init(_ audited: [AuditedPair]) {
        pairs = audited.count
        chosenTruer = audited.count { $0.chosen.isTruer(than: $0.rejected) }
        differing = audited.count(where: \.differs)
        chosen = Means(audited.map(\.chosen))
        rejected = Means(audited.map(\.rejected))
        let scored = audited.compactMap { pair in
            pair.margin.map { ($0, Double(pair.rejected.falseSentences - pair.chosen.falseSentences)) }
        }
        marginCorrelation = correlation(scored.map(\.0), scored.map(\.1))
    }

    /// Share of the differing pairs whose chosen side is truer; nil where none differs.
    package var agreement: Double? {
        differing == 0 ? nil : Double(chosenTruer) / Double(differing)
    }

    /// Mean words of the chosen minus mean words of the rejected.
    package var lengthDifference: Double { chosen.words - rejected.words }

    /// The figures under stable names, for JSON and the ledger; what doesn't exist is left out.
    package var metrics: [(name: String, value: Double)] {
        var metrics: [(name: String, value: Double)] = [
            ("pairs", Double(pairs)), ("pairs_differing", Double(differing)),
            ("chosen_truer", Double(chosenTruer)),
        ]
        if let agreement { metrics.append(("agreement", agreement)) }
        for (side, means) in [("chosen", chosen), ("rejected", rejected)] {
            metrics += [
                ("\(side)_false_sentences", means.falseSentences),
                ("\(side)_invented_objects", means.inventedObjects),
                ("\(side)_wrong_attributes", means.wrongAttributes), ("\(side)_words", means.words),
                ("\(side)_named_objects", means.namedObjects),
            ]
        }
        metrics.append(("length_difference", lengthDifference))
        if let marginCorrelation { metrics.append(("margin_correlation", marginCorrelation)) }
        return metrics
    }

    /// A table for people.
    package var description: String {
        func row(_ name: String, _ figure: KeyPath<Means, Double>) -> [String] {
            let (a, b) = (chosen[keyPath: figure], rejected[keyPath: figure])
            return [name] + [a, b, a - b].map { fixed($0, 2) }
        }
        let share = agreement.map { " (\(fixed(100 * $0, 1))%)" } ?? ""
        let correlation = marginCorrelation.map { fixed($0, 2) } ?? "none"
        let rows = [
            ["mean of \(pairs) pairs", "chosen", "rejected", "difference"],
            row("false sentences", \.falseSentences), row("invented objects", \.inventedObjects),
            row("wrong attributes", \.wrongAttributes), row("objects named", \.namedObjects),
            row("words", \.words),
        ]
        return TextTable(rows).plainText
            + "The chosen answer is the truer one in \(chosenTruer) of \(differing)\(share) pairs that differ "
            + "in truth.\nCorrelation of margin and false sentences spared: \(correlation).\n"
    }
}

extension RewardAudit.Means {
    fileprivate init(_ judgements: [TruthJudgement]) {
        func mean(_ figure: KeyPath<TruthJudgement, Int>) -> Double {
            guard !judgements.isEmpty else { return 0 }
            return Double(judgements.reduce(0) { $0 + $1[keyPath: figure] }) / Double(judgements.count)
        }
        self.init(
            falseSentences: mean(\.falseSentences), inventedObjects: mean(\.inventedObjects),
            wrongAttributes: mean(\.wrongAttributes), words: mean(\.words),
            namedObjects: mean(\.namedObjects))
    }
}

private func correlation(_ a: [Double], _ b: [Double]) -> Double? {
    let products = zip(zScores(a), zScores(b)).map { $0 * $1 }
    let sum = products.reduce(0, +)
    let varies = zScores(a).contains { $0 != 0 } && zScores(b).contains { $0 != 0 }
    return varies ? sum / Double(a.count) : nil
}

extension JSONObject {
    /// Figures by name.
    ///
    /// - Throws: `RecordError` for a figure that is not finite.
    package init(figures: [(name: String, value: Double)]) throws {
        self.init()
        for (name, value) in figures { set(name, try RecordError.naming(name) { try .double(value) }) }
    }
}
