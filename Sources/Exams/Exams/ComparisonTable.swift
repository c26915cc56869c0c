import Metrics
import Tables

/// Figures of a base model and of the rounds after it, with paired intervals of the differences.
package struct ComparisonTable: Sendable, Equatable, Codable {
    package var names: [String]
    /// Seeds of each run; nil in a file of an earlier version.
    package var seeds: [Int]?
    /// Pictures; nil in a file of an earlier version.
    package var images: Int?
    package var rows: [BootstrapResult]
    /// What a second reading of the same answers gives; nil in a file of an earlier version.
    package var strict: [BootstrapResult]?
    /// Confidence level of the intervals.
    package var level: Double
    /// Of the yes/no questions; nil in a file of an earlier version.
    package var tests: [QuestionTest]?
    /// Habit by habit, where the data has habits.
    package var habits: [HabitComparison]?
    /// Whose figures they are.
    package private(set) var exams = ExamList.all

    private enum CodingKeys: String, CodingKey {
        case names, seeds, images, rows, strict, level, tests, habits
    }

    /// - Parameter runs: the base first; all over the same images and exams, a run of several seeds with a sheet of each.
    /// - Throws: what `ScoreSheet.sums` and `PairedBootstrap.intervals` throw.
    package init(
        runs: [(name: String, sheets: [ScoreSheet])], bootstrap: PairedBootstrap = PairedBootstrap()
    ) throws {
        guard let base = runs.first, let first = base.sheets.first else {
            throw MetricsError.empty(where: "comparison")
        }
        exams = first.exams
        let systems = try runs.map { run in
            BootstrapSystem(name: run.name, seeds: try run.sheets.map { try $0.sums() })
        }
        let figures = Self.figures(first, systems[0].seeds[0])
        for (run, system) in zip(runs, systems) {
            for (sheet, sums) in zip(run.sheets, system.seeds)
            where Self.figures(sheet, sums).names != figures.names {
                throw MetricsError.unmatched(
                    where: "comparison", found: "\(run.name) and \(base.name) have different figures",
                    remedy: "evaluate both on the same benchmarks")
            }
        }
        names = runs.map(\.name)
        seeds = runs.map(\.sheets.count)
        level = bootstrap.level
        images = systems[0].seeds[0].clusters.count
        let known = figures.all + figures.strict
        let results = try bootstrap.intervals(
            systems, estimators: known + figures.habits.flatMap(\.estimators))
        rows = Array(results.prefix(figures.all.count))
        strict = figures.strict.isEmpty ? nil : Array(results[figures.all.count..<known.count])
        tests = try QuestionTest.family(runs)
        let ofHabits = HabitComparison.family(
            figures.habits, systems[0].seeds[0], results.dropFirst(known.count))
        habits = ofHabits.isEmpty ? nil : ofHabits
    }

    /// What is estimated: the figures of the summary that have a value, those of second readings, and those of each
    /// habit by itself.
    private struct Figures {
        var all: [Estimator]
        var strict: [Estimator]
        var habits: [(habit: AppliedHabit, estimators: [Estimator])]

        /// What must agree for two evaluations to be held against each other.
        var names: [String] {
            (all + strict).map(\.name)
                + habits.flatMap { named in named.estimators.map { "\(named.habit.name) \($0.name)" } }
        }
    }

    private static func figures(_ sheet: ScoreSheet, _ sums: ClusteredSums) -> Figures {
        let figures = sheet.exams.summarized
        func estimators(_ figures: [Figure]) -> [Estimator] {
            zip(figures, sums.values(of: figures.map(\.formula))).compactMap {
                $1 == nil ? nil : $0.estimator
            }
        }
        let strict = sheet.exams.exams.flatMap(\.readings).map { sheet.exams.figure($0.strict) }
        return Figures(
            all: estimators(figures), strict: estimators(strict),
            habits: HabitComparison.estimators(sheet.captions, sums))
    }

    /// Its figures in `summary.json`.
    ///
    /// - Parameter seconds: time that generating and scoring took.
    package func summary(of run: Int, seconds: Double) -> Summary {
        var values = Dictionary(uniqueKeysWithValues: rows.map { ($0.name, $0.values[run].estimate) })
        values[ExamList.images] = images.map(Double.init)
        values[ExamList.seconds] = seconds
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
            + (readingTable.map { "\n" + $0.plainText } ?? "")
            + (testTable.map { "\n" + $0.plainText + "\n" } ?? "")
    }
    package var markdown: String {
        (overview.map { $0.markdown + "\n" + overviewLegend + "\n" } ?? "") + table.markdown + "\n" + legend
            + (habitTable.map { "\n" + $0.markdown + "\n" + HabitComparison.legend } ?? "")
            + (readingTable.map { "\n" + $0.markdown } ?? "")
            + (testTable.map { "\n" + $0.markdown } ?? "")
    }

    /// The cells of the habits, for a report.
    package var habitTable: TextTable? {
        habits.map { HabitComparison.table($0, names: names, interval: interval) }
    }

    /// Figures by the official reading of answers beside those by a strict one, where an exam has both.
    package var readingTable: TextTable? {
        func cell(_ row: BootstrapResult, _ run: Int, _ scale: Double) -> String {
            fixed(scale * row.values[run].estimate, 1)
        }
        func change(_ row: BootstrapResult, _ run: Int, _ scale: Double) -> String {
            let difference = row.differences[run - 1]
            return signed(scale * difference.estimate, 1) + " " + difference.bounds(scale: scale)
        }
        let pairs = exams.exams.flatMap(\.readings).compactMap { own in
            rows.first { $0.name == own.official }.flatMap { official in
                strict?.first { $0.name == own.strict }.map { (official: official, strict: $0) }
            }
        }
        guard !pairs.isEmpty else { return nil }
        let head = ["official and strict reading"] + labels.flatMap { [$0, "strict"] }
        let changes = names.count > 1 ? labels.dropFirst().flatMap { ["Δ \($0)", "Δ strict"] } : []
        return TextTable(
            [head + changes]
                + pairs.map { official, strict in
                    let figure = exams.figure(official.name)
                    let both = [official, strict]
                    let values = names.indices.flatMap { run in both.map { cell($0, run, figure.scale) } }
                    let moves = names.indices.dropFirst().flatMap { run in
                        both.map { change($0, run, figure.scale) }
                    }
                    return [figure.title] + values + moves
                })
    }

    /// McNemar's tests, for a report.
    package var testTable: TextTable? {
        guard let tests, !tests.isEmpty else { return nil }
        return QuestionTest.table(tests, base: names[0])
    }

    /// A line for each run, where there are more than columns can be read of.
    package var overview: TextTable? {
        let columns = exams.highlights.columns.compactMap { key, title in
            rows.first { $0.name == key }.map { (title: title, row: $0) }
        }
        guard names.count > 4, !columns.isEmpty else { return nil }
        let head = [""] + columns.flatMap { [$0.title, "Δ \(interval)"] }
        return TextTable(
            [head]
                + names.indices.map { run in
                    [labels[run]]
                        + columns.flatMap { _, row in
                            let scale = exams.figure(row.name).scale
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
        let figure = exams.figure(row.name)
        let (scale, base) = (figure.scale, row.values[0])
        var cells = [figure.title, fixed(scale * base.estimate, 1)]
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

    /// The figures that a chart shows, each with what it is.
    package var plotted: [(figure: Figure, row: BootstrapResult)] {
        exams.highlights.plotted.compactMap { key in
            rows.first { $0.name == key }.map { (exams.figure(key), $0) }
        }
    }

    /// Runs held against the base in a sentence each: the figures that a recipe is judged by.
    package var headlines: [String] {
        let rows = Dictionary(rows.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let base = names.first ?? ""
        return names.indices.dropFirst().flatMap { run in
            let parts = exams.highlights.changes.compactMap { key, name, change in
                rows[key].map { "\(name) \(text(of: change, $0, run))" }
            }
            let changes = "\(names[run]) against \(base): " + parts.joined(separator: "; ")
            return (parts.isEmpty ? [] : [changes])
                + exams.exams.compactMap { $0.conclusion(rows, run: run, base: base) }.map {
                    "\(names[run]), \($0)"
                }
        }
    }

    private func text(of change: Highlights.Change, _ row: BootstrapResult, _ run: Int) -> String {
        func sign(_ value: Double, _ decimals: Int) -> String {
            (value < 0 ? "−" : "+") + fixed(abs(value), decimals)
        }
        func points(_ difference: Double) -> String { sign(100 * difference, 1) }
        let (base, difference) = (row.values[0].estimate, row.differences[run - 1])
        switch change {
        case .relative:
            guard base != 0 else { return "\(row.values[run].estimate) from 0" }
            return sign(100 * difference.estimate / base, 0) + "%"
        case .points: return "\(points(difference.estimate)) points"
        case .pointsWithBounds:
            return "\(points(difference.estimate)) points, \(fixed(100 * level, 0))% bounds "
                + "[\(points(difference.lower)), \(points(difference.upper))]"
        }
    }
}
