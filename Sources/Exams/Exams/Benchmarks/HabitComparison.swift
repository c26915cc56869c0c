import Metrics
import Tables

/// One habit in a comparison: how its companion is told where it is there and where it isn't.
package struct HabitComparison: Sendable, Equatable, Codable {
    package var habit: AppliedHabit
    /// Pictures to which the habit applies, with the companion and without.
    package var there: Int
    package var absent: Int
    /// Those of the figures of companions that have a value.
    package var figures: [BootstrapResult]

    /// What is estimated of each habit, as far as it has a value.
    static func estimators(
        _ captions: [CaptionScore], _ sums: ClusteredSums
    ) -> [(habit: AppliedHabit, estimators: [Estimator])] {
        captions.habits.map { habit in
            let figures = CompanionSums(of: habit).figures
            let values = sums.values(of: figures.map(\.formula))
            return (habit, zip(figures, values).compactMap { $1 == nil ? nil : $0.estimator })
        }
    }

    /// - Parameter results: those of `estimators`, in their order.
    static func family(
        _ habits: [(habit: AppliedHabit, estimators: [Estimator])], _ sums: ClusteredSums,
        _ results: ArraySlice<BootstrapResult>
    ) -> [HabitComparison] {
        var results = results
        return habits.map { habit, estimators in
            let own = results.prefix(estimators.count)
            results = results.dropFirst(own.count)
            let names = CompanionSums(of: habit)
            return HabitComparison(
                habit: habit, there: Int(sums[names.there] ?? 0), absent: Int(sums[names.absent] ?? 0),
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
        [CompanionSums.kept, CompanionSums.invented, CompanionSums.balancedAccuracy].map { key in
            self[key].map { fixed(100 * $0.values[run].estimate, 1) } ?? "–"
        }.joined(separator: " / ")
    }

    private func difference(of run: Int) -> [String] {
        guard let difference = self[CompanionSums.balancedAccuracy]?.differences[run - 1] else {
            return ["–", "–"]
        }
        return [signed(100 * difference.estimate, 1), difference.bounds(scale: 100)]
    }

    private subscript(key: String) -> BootstrapResult? { figures.first { $0.name == key } }
}

extension HabitComparison {
    /// Each habit of one evaluation, for people to read; nil without habits.
    static func table(of captions: [CaptionScore]) throws -> TextTable? {
        let habits = captions.habits
        if habits.isEmpty { return nil }
        var sums = ClusteredSums()
        try Captions().count(captions, beside: ScoreSheet(), in: &sums)
        let head = ["habit", "there", "told there %", "absent", "told absent %", "balanced accuracy %"]
        let rows = habits.map { habit in
            let own = CompanionSums(of: habit)
            let shares = sums.values(of: own.figures.map(\.formula)).map { share in
                share.map { fixed(100 * $0, 1) } ?? "–"
            }
            return [
                habit.name, fixed(sums[own.there] ?? 0, 0), shares[1], fixed(sums[own.absent] ?? 0, 0),
                shares[2],
                shares[0],
            ]
        }
        return TextTable([head] + rows)
    }
}

extension Interval {
    /// "[+1.2, +3.4]*" of a difference, with the star where zero lies outside.
    func bounds(scale: Double) -> String {
        "[\(signed(scale * lower, 1)), \(signed(scale * upper, 1))]" + (excludesZero ? "*" : " ")
    }
}
