/// One habit in a comparison: how its companion is told where it is there and where it isn't.
package struct HabitComparison: Sendable, Equatable, Codable {
    package var habit: AppliedHabit
    /// Pictures to which the habit applies, with the companion and without.
    package var there: Int
    package var absent: Int
    /// Those of the figures `SummaryKey.habit…` that have a value.
    package var figures: [BootstrapResult]

    /// - Parameter results: those of the evaluation's `habitEstimators`, in their order.
    static func family(_ evaluation: Evaluation, _ results: ArraySlice<BootstrapResult>) -> [HabitComparison]
    {
        var results = results
        return zip(evaluation.habits, evaluation.habitEstimators).map { named, figures in
            let own = results.prefix(figures.estimators.count)
            results = results.dropFirst(own.count)
            return HabitComparison(
                habit: named.habit, there: Int(named.sums.there), absent: Int(named.sums.absent),
                figures: Array(own))
        }
    }

    package static let legend =
        "Companion told where it is there / told where it is absent / balanced accuracy, all in %.\n"

    static func table(_ habits: [HabitComparison], names: [String], interval: String) -> TextTable {
        let others = names.dropFirst().flatMap { [$0, "Δ balanced", interval] }
        let head = ["habit", "there", "absent", names[0]] + others
        return TextTable([head] + habits.map { $0.cells(of: names.indices) })
    }

    private func cells(of runs: Range<Int>) -> [String] {
        runs.reduce([habit.name, "\(there)", "\(absent)"]) { cells, run in
            cells + [figures(of: run)] + (run == 0 ? [] : difference(of: run))
        }
    }

    private func figures(of run: Int) -> String {
        [SummaryKey.habitKept, SummaryKey.habitInvented, SummaryKey.habitBalancedAccuracy].map { key in
            self[key].map { fixed(100 * $0.values[run].estimate, 1) } ?? "–"
        }.joined(separator: " / ")
    }

    private func difference(of run: Int) -> [String] {
        guard let difference = self[SummaryKey.habitBalancedAccuracy]?.differences[run - 1] else {
            return ["–", "–"]
        }
        return [signed(100 * difference.estimate, 1), difference.bounds(scale: 100)]
    }

    private subscript(key: String) -> BootstrapResult? { figures.first { $0.name == key } }
}

extension CompanionSums {
    /// Each habit of one evaluation, for people to read; nil without habits.
    package static func table(_ evaluation: Evaluation) -> TextTable? {
        let habits = evaluation.habits
        if habits.isEmpty { return nil }
        func shown(_ share: Double) -> String { share.isNaN ? "–" : fixed(100 * share, 1) }
        let head = ["habit", "there", "told there %", "absent", "told absent %", "balanced accuracy %"]
        return TextTable(
            [head]
                + habits.map { habit, sums in
                    [
                        habit.name, fixed(sums.there, 0), shown(sums.kept), fixed(sums.absent, 0),
                        shown(sums.invented), shown(sums.balancedAccuracy),
                    ]
                })
    }
}

extension Interval {
    /// "[+1.2, +3.4]*" of a difference, with the star where zero lies outside.
    func bounds(scale: Double) -> String {
        "[\(signed(scale * lower, 1)), \(signed(scale * upper, 1))]" + (excludesZero ? "*" : " ")
    }
}
