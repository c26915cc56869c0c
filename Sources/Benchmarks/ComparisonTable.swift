/// Figures of a base model and of the rounds after it, with paired intervals of the differences.
package struct ComparisonTable: Sendable, Equatable, Codable {
    package var names: [String]
    /// Seeds of each run; nil in a file of an earlier version.
    package var seeds: [Int]?
    /// Pictures; nil in a file of an earlier version.
    package var images: Int?
    package var rows: [BootstrapResult]
    /// Coverage of the intervals.
    package var level: Double
    /// Of the yes/no questions; nil in a file of an earlier version.
    package var tests: [YesNoTest]?
    /// Habit by habit, where the data has habits.
    package var habits: [HabitComparison]?

    /// - Parameter runs: the base first; all over the same images and benchmarks, a run of several seeds with an
    ///   evaluation of each.
    /// - Throws: what `PairedBootstrap.intervals` throws.
    package init(
        runs: [(name: String, evaluations: [Evaluation])], bootstrap: PairedBootstrap = PairedBootstrap()
    ) throws {
        guard let base = runs.first, let first = base.evaluations.first else {
            throw BenchmarksError.empty(where: "comparison")
        }
        let figures = first.estimators
        for run in runs where run.evaluations.contains(where: { $0.figureNames != first.figureNames }) {
            throw BenchmarksError.unmatched(
                where: "comparison", found: "\(run.name) and \(base.name) have different figures",
                remedy: "evaluate both on the same benchmarks")
        }
        names = runs.map(\.name)
        seeds = runs.map(\.evaluations.count)
        level = bootstrap.level
        let habitFigures = first.habitEstimators
        let systems = try runs.map { run in
            BootstrapSystem(name: run.name, seeds: try run.evaluations.map { try $0.sums() })
        }
        images = systems[0].seeds[0].clusters.count
        let results = try bootstrap.intervals(
            systems, estimators: figures + habitFigures.flatMap(\.estimators))
        rows = Array(results.prefix(figures.count))
        tests = try YesNoTest.family(runs)
        let ofHabits = HabitComparison.family(first, results.dropFirst(figures.count))
        habits = ofHabits.isEmpty ? nil : ofHabits
    }

    /// Its figures in `summary.json`.
    ///
    /// - Parameter seconds: time that generating and scoring took.
    package func summary(of run: Int, seconds: Double) -> Summary {
        var values = Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.values[run].estimate) })
        values[SummaryKey.n] = images.map(Double.init)
        values[SummaryKey.seconds] = seconds
        return Summary(values: values)
    }

    /// The names, with the number of seeds where there are several.
    package var labels: [String] {
        zip(names, seeds ?? names.map { _ in 1 }).map { $1 == 1 ? $0 : "\($0) (\($1) seeds)" }
    }

    package var plainText: String {
        if let overview { return overview.plainText + overviewLegend }
        return table.plainText + legend
            + (habitTable.map { "\n" + $0.plainText + HabitComparison.legend } ?? "")
            + (testTable.map { "\n" + $0.plainText + "\n" } ?? "")
    }
    package var markdown: String {
        (overview.map { $0.markdown + "\n" + overviewLegend + "\n" } ?? "") + table.markdown + "\n" + legend
            + (habitTable.map { "\n" + $0.markdown + "\n" + HabitComparison.legend } ?? "")
            + (testTable.map { "\n" + $0.markdown } ?? "")
    }

    /// The cells of the habits, for a report.
    package var habitTable: TextTable? {
        habits.map { HabitComparison.table($0, names: names, interval: interval) }
    }

    private var testTable: TextTable? {
        guard let tests, !tests.isEmpty else { return nil }
        return YesNoTest.table(tests, base: names[0])
    }

    /// A line for each run, where there are more than columns can be read of.
    package var overview: TextTable? {
        let titles = [
            (SummaryKey.chairS, "CHAIR_S % ↓"), (SummaryKey.objectRecall, "recall % ↑"),
            (SummaryKey.meanWords, "words"), (SummaryKey.habitKept, "companions there % ↑"),
            (SummaryKey.habitInvented, "absent % ↓"), (SummaryKey.habitBalancedAccuracy, "balanced % ↑"),
        ]
        let columns = titles.compactMap { key, title in
            rows.first { $0.name == key }.map { (title: title, row: $0) }
        }
        guard names.count > 4, !columns.isEmpty else { return nil }
        let head = [""] + columns.flatMap { [$0.title, "Δ \(interval)"] }
        return TextTable(
            [head]
                + names.indices.map { run in
                    [labels[run]]
                        + columns.flatMap { _, row in
                            let scale = SummaryKey.isFraction(row.name) ? 100.0 : 1
                            let difference = run == 0 ? "" : row.differences[run - 1].bounds(scale: scale)
                            return [fixed(scale * row.values[run].estimate, 1), difference]
                        }
                })
    }

    private var overviewLegend: String {
        let told = "Of companions of habits: told where there, where absent; the mean of what is right.\n"
        let several = "Of several seeds all together; they are drawn with replacement as well.\n"
        let rest = "All other figures go to comparison.md, beside what -o names.\n"
        return legend + (habits == nil ? "" : told) + (labels == names ? "" : several) + rest
    }

    private var interval: String { "\(fixed(100 * level, 0))% interval" }

    /// What the columns mean.
    package var legend: String {
        names.count > 1
            ? "Δ: difference to \(names[0]), paired bootstrap over images; * zero lies outside.\n"
            : "Bootstrap over images.\n"
    }

    /// The cells, for a report.
    package var table: TextTable {
        let differences = labels.dropFirst().flatMap { [$0, "Δ", interval] }
        let head = ["", labels[0]] + (names.count > 1 ? differences : [interval])
        return TextTable([head] + rows.map(cells))
    }

    private func cells(_ row: BootstrapResult) -> [String] {
        let scale = SummaryKey.isFraction(row.name) ? 100.0 : 1.0
        let base = row.values[0]
        var cells = [SummaryKey.title(row.name), fixed(scale * base.estimate, 1)]
        if names.count == 1 {
            cells.append("[\(fixed(scale * base.lower, 1)), \(fixed(scale * base.upper, 1))]")
        }
        for (value, difference) in zip(row.values.dropFirst(), row.differences) {
            cells += [
                fixed(scale * value.estimate, 1), signed(scale * difference.estimate, 1),
                difference.bounds(scale: scale),
            ]
        }
        return cells
    }
}
