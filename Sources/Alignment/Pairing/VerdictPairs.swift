import Foundation
import Records
import Rewards

/// What the verdicts of one record amount to: preferences between two candidates, and a count of what gave
/// none.
package struct VerdictPairs: Sendable, Equatable {
    package struct Preference: Sendable, Equatable {
        package var chosen: String
        package var rejected: String
        package var critic: String

        package init(chosen: String, rejected: String, critic: String) {
            (self.chosen, self.rejected, self.critic) = (chosen, rejected, critic)
        }
    }

    package private(set) var preferences: [Preference] = []
    /// Pairs on which the two orders contradict each other, or the critic saw no difference.
    package private(set) var ties = 0
    /// Pairs with a verdict that can't be read.
    package private(set) var unreadable = 0
    /// Pairs asked in one order only where both are wanted.
    package private(set) var oneOrder = 0
    /// Of the verdicts on pairs that were asked about in both orders those that can be read, and of these the
    /// ones for the answer that was shown first. One order alone tells nothing of position.
    package private(set) var readable = 0
    package private(set) var forFirst = 0

    /// The pairs that were judged, by the ids of their candidates; once where several critics did.
    package private(set) var judged: [[String]] = []

    /// - Parameters:
    ///   - verdicts: all of a record; where a critic judged the same order twice the later verdict counts.
    ///     Verdicts on other than two candidates are none of this rule's business and are passed over.
    ///   - bothOrders: whether a preference needs agreement in both orders; otherwise the first order that
    ///     was asked decides alone, as in SIMA's release.
    package init(_ verdicts: [Verdict], bothOrders: Bool = true) {
        var questions: [Question] = []
        var latest: [Question: [[String]: Verdict.Choice]] = [:]
        var firstOrder: [Question: [String]] = [:]
        for verdict in verdicts where verdict.order.count == 2 {
            let question = Question(critic: verdict.critic, candidates: verdict.order.sorted())
            if firstOrder[question] == nil {
                questions.append(question)
                firstOrder[question] = verdict.order
            }
            latest[question, default: [:]][verdict.order] = verdict.choice
        }
        for (order, choice) in latest.values.filter({ $0.count == 2 }).joined() {
            guard case .candidate(let id) = choice else { continue }
            readable += 1
            if id == order[0] { forFirst += 1 }
        }
        judged = questions.reduce(into: []) { if !$0.contains($1.candidates) { $0.append($1.candidates) } }
        for question in questions {
            guard let order = firstOrder[question], let first = latest[question]?[order] else { continue }
            let second = latest[question]?[order.reversed()]
            if bothOrders, second == nil {
                oneOrder += 1
                continue
            }
            let choice = bothOrders ? Verdict.Choice.combined(first, second ?? .unreadable) : first
            add(choice, question)
        }
    }

    private struct Question: Hashable {
        var critic: String
        var candidates: [String]
    }

    private mutating func add(_ choice: Verdict.Choice, _ question: Question) {
        switch choice {
        case .tie: ties += 1
        case .unreadable: unreadable += 1
        case .candidate(let chosen):
            let rejected = question.candidates.first { $0 != chosen } ?? chosen
            preferences.append(Preference(chosen: chosen, rejected: rejected, critic: question.critic))
        }
    }
}

/// What the verdicts of many records come to.
package struct VerdictTally: Sendable, Equatable, CustomStringConvertible {
    /// Pairs that were judged.
    package private(set) var judged = 0
    /// Pairs that a preference came of.
    package private(set) var settled = 0
    /// Judged pairs whose answers differ in truth, where that is known, and of these the settled ones.
    package private(set) var differing = 0
    package private(set) var settledDiffering = 0
    /// Readable verdicts on pairs asked about in both orders, and of these the ones for the answer shown first.
    package private(set) var readable = 0
    package private(set) var forFirst = 0

    package init() {}

    /// - Parameters:
    ///   - differing: judged pairs of this record whose answers differ in truth.
    ///   - settled: the preferences that became pairs, with the truth about both sides where it is known.
    package mutating func add(_ verdicts: VerdictPairs, differing: Int, settled: [AuditedPair?]) {
        judged += verdicts.judged.count
        self.settled += settled.count
        self.differing += differing
        settledDiffering += settled.count { $0?.differs ?? false }
        readable += verdicts.readable
        forFirst += verdicts.forFirst
    }

    /// Share of the judged pairs that a preference came of; nil without any.
    package var coverage: Double? { judged == 0 ? nil : Double(settled) / Double(judged) }

    /// The same of the pairs that differ in truth: of answers that say the same a critic has nothing to settle.
    package var coverageOfDiffering: Double? {
        differing == 0 ? nil : Double(settledDiffering) / Double(differing)
    }

    /// Share of these for the answer shown first: of a critic without bias of position a half. nil without any.
    package var firstShare: Double? { readable == 0 ? nil : Double(forFirst) / Double(readable) }

    /// The figures under stable names; what doesn't exist is left out.
    package var metrics: [(name: String, value: Double)] {
        [("judged", Double(judged)), ("verdicts_both_orders", Double(readable))]
            + [
                ("coverage", coverage), ("coverage_differing", coverageOfDiffering),
                ("first_share", firstShare),
            ].compactMap { name, value in value.map { (name, $0) } }
    }

    package var description: String {
        func percent(_ share: Double?) -> String {
            share.map { String(format: "%.1f%%", 100 * $0) } ?? "none"
        }
        let known =
            differing == 0
            ? ""
            : ", \(settledDiffering) of the \(differing) that differ in truth (\(percent(coverageOfDiffering)))"
        return "The critic settled \(settled) of \(judged) pairs (\(percent(coverage)))\(known)."
            + (firstShare.map {
                " Of \(readable) verdicts in both orders \(percent($0)) are for the answer shown first."
            } ?? "")
    }
}
