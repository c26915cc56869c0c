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

/// How captions tell the companions of habits that apply: those that are there, and those that aren't. A figure
/// without a denominator has no value (NaN), which is not the same as 0.
package struct CompanionSums: Sendable {
    package var there = 0.0
    package var toldThere = 0.0
    package var absent = 0.0
    package var toldAbsent = 0.0

    package var kept: Double { share(toldThere, there) }
    package var invented: Double { share(toldAbsent, absent) }
    /// Mean of P(told | there) and P(not told | absent): exactly 0.5 for whatever tells a companion without
    /// looking whether it is there, be it always, never or by a coin.
    package var balancedAccuracy: Double { (kept + 1 - invented) / 2 }

    private mutating func add(_ companion: String, isTold: Bool, of caption: CaptionJudgement) {
        if caption.truth.contains(companion) {
            there += 1
            toldThere += isTold ? 1 : 0
        } else {
            absent += 1
            toldAbsent += isTold ? 1 : 0
        }
    }

    /// All companions of a caption's habits, one that two habits have only once.
    mutating func addAll(of caption: CaptionJudgement) {
        let told = Set(caption.told.map(\.companion))
        for companion in Set(caption.habits.map(\.companion)) {
            add(companion, isTold: told.contains(companion), of: caption)
        }
    }

    mutating func add(_ habit: AppliedHabit, of caption: CaptionJudgement) {
        guard caption.habits.contains(habit) else { return }
        add(habit.companion, isTold: caption.told.contains(habit), of: caption)
    }
}

extension CompanionSums {
    static let columns = 4
    static let figures: [(name: String, figure: @Sendable (CompanionSums) -> Double)] = [
        (SummaryKey.habitBalancedAccuracy, { $0.balancedAccuracy }), (SummaryKey.habitKept, { $0.kept }),
        (SummaryKey.habitInvented, { $0.invented }),
    ]

    var row: [Double] { [there, toldThere, absent, toldAbsent] }

    init(row: ArraySlice<Double>) {
        let first = row.startIndex
        (there, toldThere) = (row[first], row[first + 1])
        (absent, toldAbsent) = (row[first + 2], row[first + 3])
    }

    /// Those that have a value in these sums, reading a row of `ClusteredSums` from `column`.
    func estimators(at column: Int) -> [Estimator] {
        Self.figures.filter { !$0.figure(self).isNaN }.map { name, figure in
            Estimator(name: name) { figure(CompanionSums(row: $0[column..<(column + Self.columns)])) }
        }
    }
}

extension Evaluation {
    /// The sums of each habit by itself, by name.
    package var habits: [(habit: AppliedHabit, sums: CompanionSums)] {
        Set(captions.flatMap(\.habits)).sorted().map { habit in
            (habit, captions.reduce(into: CompanionSums()) { $0.add(habit, of: $1) })
        }
    }
}

/// `a / b`; no number where `b` is 0.
func share(_ a: Double, _ b: Double) -> Double { b == 0 ? .nan : a / b }
