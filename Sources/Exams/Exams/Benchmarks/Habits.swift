import Metrics

/// A habit that applies to a picture: where `trigger` stands, captions like to add `companion`, there or not.
package struct AppliedHabit: Sendable, Hashable, Codable, Comparable {
    package var trigger: String
    /// By its name in the list of objects.
    package var companion: String
    /// Words of the sentence in which the habit tells of the companion. What other sentences say of one that is
    /// there is no merit of theirs: a rule that never says this one would be taken for one that looks. nil: any
    /// sentence counts.
    package var cue: String?

    package init(trigger: String, companion: String, cue: String? = nil) {
        (self.trigger, self.companion, self.cue) = (trigger, companion, cue)
    }

    package var name: String { "\(trigger) → \(companion)" }

    package static func < (a: AppliedHabit, b: AppliedHabit) -> Bool {
        (a.trigger, a.companion) < (b.trigger, b.companion)
    }
}

/// The sums by which it is judged how captions tell companions: those that are there, and those that aren't.
struct CompanionSums: Sendable {
    let there, toldThere, absent, toldAbsent: String

    /// Of all habits together.
    static let all = CompanionSums("companions")

    /// Of a habit by itself.
    init(of habit: AppliedHabit) {
        self.init("habit \(habit.trigger)\n\(habit.companion)\n\(habit.cue ?? "")")
    }

    private init(_ start: String) {
        (there, toldThere) = ("\(start).there", "\(start).there.told")
        (absent, toldAbsent) = ("\(start).absent", "\(start).absent.told")
    }

    static let balancedAccuracy = "habit_balanced_accuracy"
    static let kept = "habit_kept"
    static let invented = "habit_invented"

    /// A figure without a denominator has no value, which is not the same as 0.
    var figures: [Figure] {
        [
            // Mean of P(told | there) and P(not told | absent): exactly 0.5 for whatever tells a companion without
            // looking whether it is there, be it always, never or by a coin.
            Figure(
                Self.balancedAccuracy, "companion balanced accuracy", .fraction, better: .more,
                .function(of: [toldThere, there, toldAbsent, absent]) {
                    let kept = $0[1] == 0 ? .nan : $0[0] / $0[1]
                    let invented = $0[3] == 0 ? .nan : $0[2] / $0[3]
                    return (kept + 1 - invented) / 2
                }),
            Figure(
                Self.kept, "companions told, there", .fraction, better: .more, .share(toldThere, of: there)),
            Figure(
                Self.invented, "companions told, absent", .fraction, better: .less,
                .share(toldAbsent, of: absent)),
        ]
    }

    func count(isThere: Bool, isTold: Bool, on image: String, in sums: inout ClusteredSums) {
        sums.add(
            [
                there: isThere ? 1 : 0, toldThere: isThere && isTold ? 1 : 0, absent: isThere ? 0 : 1,
                toldAbsent: !isThere && isTold ? 1 : 0,
            ], to: image)
    }
}
