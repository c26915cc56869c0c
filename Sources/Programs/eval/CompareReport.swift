import Exams
import Metrics
import Report
import Tables

/// The page of a comparison, from its table and its sheets.
struct CompareReport {
    let table: ComparisonTable
    /// A sheet of each seed; the base first.
    let runs: [(name: String, sheets: [ScoreSheet])]
    let resamples: Int
    let overlap: TrainingOverlap?

    func page() throws -> ComparisonReport {
        let categories = try categories()
        let benchmarks = table.exams.exams.compactMap { exam -> ComparisonReport.Benchmark? in
            let plots = plots(of: exam)
            let own = categories.first { $0.exam == exam.title }?.tables ?? []
            return plots.isEmpty && own.isEmpty
                ? nil : .init(title: exam.title, plots: plots, tables: own)
        }
        return ComparisonReport(
            title: title, facts: facts, findings: table.headlines, legend: legend, benchmarks: benchmarks,
            readings: table.readingTable.map {
                ReportTable(
                    rows: $0.rows,
                    legend: "Official: as the benchmark's own script reads answers, mistakes too. Strict: a "
                        + "plain answer and nothing else; what isn't one is wrong."
                        + (isAlone ? "" : " Δ with its \(interval)."))
            },
            tests: table.testTable.map {
                ReportTable(
                    rows: $0.rows,
                    legend: "Two-sided and exact; Holm's correction over all rows. It takes questions as "
                        + "independent, where several ask about one picture; the intervals above don't.")
            },
            lengths: lengths, health: health, doubts: doubts, overlap: overlap?.section)
    }

    // MARK: - Head

    private var isAlone: Bool { table.names.count == 1 }
    private var interval: String { "\(fixed(100 * table.level, 0))% interval" }

    private var title: String {
        isAlone
            ? table.names[0] : "\(table.names.dropFirst().joined(separator: ", ")) against \(table.names[0])"
    }

    private var facts: [(name: String, value: String)] {
        let counts = runs[0].sheets[0].counts
        let all = [
            ("pictures", table.images ?? 0), ("questions", counts.answers), ("captions", counts.captions),
            ("resamples", resamples),
        ]
        return all.filter { $0.1 > 0 }.map { (name: $0.0, value: String($0.1)) }
            + [(name: "intervals", value: "\(fixed(100 * table.level, 0))%")]
    }

    private var legend: String {
        let bootstrap = "\(interval)s by a bootstrap over pictures"
        return isAlone
            ? "Of one run: its figures with \(bootstrap)."
            : "Differences to \(table.names[0]), with \(bootstrap), the same for all runs. Full marks: zero lies "
                + "outside (*), blue where that is better, orange where it is worse, black or white where a figure "
                + "has no better side. Open marks: it may be chance."
    }

    // MARK: - Plots

    /// A plot for all figures of one unit; one of its own for a figure whose unit is what its name says.
    private func plots(of exam: any Exam) -> [ForestPlot] {
        let known = Dictionary(table.rows.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        var plots: [ForestPlot] = []
        for figure in exam.figures {
            guard let row = known[figure.key] else { continue }
            let unit = unit(of: figure)
            let place = plots.firstIndex { $0.unit == unit } ?? plots.count
            if place == plots.count { plots.append(ForestPlot(unit: unit, hasZero: !isAlone, rows: [])) }
            plots[place].rows += isAlone ? [self.row(figure, row, of: exam)] : changes(figure, row, of: exam)
        }
        return plots
    }

    private func unit(of figure: Figure) -> String {
        switch figure.unit {
        case .fraction: isAlone ? "percent" : "percentage points"
        case .points(let most): "points, of \(most)"
        case .count: "number"
        case .named: figure.name
        }
    }

    /// Its name without the benchmark's, which stands above.
    private func name(_ figure: Figure, of exam: any Exam) -> String {
        let start = exam.title + " "
        return figure.name.hasPrefix(start) ? String(figure.title.dropFirst(start.count)) : figure.title
    }

    private func changes(_ figure: Figure, _ row: BootstrapResult, of exam: any Exam) -> [ForestPlot.Row] {
        let scale = figure.scale
        return row.differences.enumerated().map { index, difference in
            ForestPlot.Row(
                title: name(figure, of: exam), run: row.differences.count > 1 ? table.labels[index + 1] : "",
                values: "\(fixed(scale * row.values[0].estimate, 1)) → "
                    + fixed(scale * row.values[index + 1].estimate, 1),
                estimate: scale * difference.estimate, lower: scale * difference.lower,
                upper: scale * difference.upper,
                told: "\(signed(scale * difference.estimate, 1)) [\(signed(scale * difference.lower, 1)), "
                    + "\(signed(scale * difference.upper, 1))]\(difference.excludesZero ? "*" : "")",
                tone: tone(of: difference, figure.better))
        }
    }

    private func tone(of difference: Interval, _ better: Figure.Better) -> ForestPlot.Tone {
        guard difference.excludesZero else { return .open }
        switch better {
        case .neither: return .other
        case .more: return difference.estimate > 0 ? .better : .worse
        case .less: return difference.estimate < 0 ? .better : .worse
        }
    }

    private func row(_ figure: Figure, _ row: BootstrapResult, of exam: any Exam) -> ForestPlot.Row {
        Self.row(name(figure, of: exam), row.values[0], scale: figure.scale)
    }

    private static func row(_ title: String, _ value: Interval, scale: Double) -> ForestPlot.Row {
        ForestPlot.Row(
            title: title, estimate: scale * value.estimate, lower: scale * value.lower,
            upper: scale * value.upper,
            told: "\(fixed(scale * value.estimate, 1)) [\(fixed(scale * value.lower, 1)), "
                + "\(fixed(scale * value.upper, 1))]", tone: .other)
    }

    /// Figures of exams of captions that are drawn together, each with all runs.
    private var lengths: [(title: String, plot: ForestPlot)] {
        table.exams.exams.filter { $0.answers == .caption }.flatMap { exam in
            exam.highlights.plotted.compactMap { key in
                table.rows.first { $0.name == key }.map { row in
                    let figure = table.exams.figure(key)
                    let rows = zip(table.labels, row.values).map { Self.row($0, $1, scale: figure.scale) }
                    return (figure.title, ForestPlot(unit: "", hasZero: false, rows: rows))
                }
            }
        }
    }

    // MARK: - Tables

    /// Sheets with what a row calls them.
    private var sheets: [(label: String, sheet: ScoreSheet)] {
        runs.flatMap { run in
            run.sheets.enumerated().map { index, sheet in
                (run.sheets.count == 1 ? run.name : "\(run.name), seed \(index + 1)", sheet)
            }
        }
    }

    /// Tables of all sheets under one head: a row for each of a table's first column and each sheet.
    private func categories() throws -> [(exam: String, tables: [ReportTable])] {
        let own = try sheets.map { (label: $0.label, exams: try $0.sheet.categories()) }
        return table.exams.exams.map(\.title).map { title in
            let tables = own.flatMap { label, exams in
                exams.filter { $0.exam == title }.flatMap(\.tables).map { (label: label, rows: $0.rows) }
            }
            return (title, Self.joined(tables))
        }.filter { !$0.tables.isEmpty }
    }

    private static func joined(_ tables: [(label: String, rows: [[String]])]) -> [ReportTable] {
        var heads: [[String]] = []
        var cells: [[(name: String, rows: [[String]])]] = []
        for (label, rows) in tables {
            guard let first = rows.first else { continue }
            // One row alone is a figure with its name, not a head.
            let head = rows.count == 1 ? [first[0]] : first
            let place = heads.firstIndex(of: head) ?? heads.count
            if place == heads.count {
                heads.append(head)
                cells.append([])
            }
            for row in rows.count == 1 ? rows : Array(rows.dropFirst()) {
                let name = row.first ?? ""
                let line = [name, label] + row.dropFirst()
                if let index = cells[place].firstIndex(where: { $0.name == name }) {
                    cells[place][index].rows.append(line)
                } else {
                    cells[place].append((name, [line]))
                }
            }
        }
        return zip(heads, cells).map { head, groups in
            let width = groups.flatMap(\.rows).map(\.count).max() ?? 0
            let full = [head[0], "run"] + head.dropFirst()
            let padded = full + Array(repeating: "", count: max(0, width - full.count))
            return ReportTable(rows: [padded] + groups.flatMap(\.rows), labels: 2)
        }
    }

    private var health: ReportTable? {
        let own = sheets.map { (label: $0.label, health: $0.sheet.health) }
        let rows = table.exams.exams.map(\.title).flatMap { title in
            own.flatMap { label, health in
                health.filter { $0.exam == title }.map { Self.row($0, label) }
            }
        }
        guard !rows.isEmpty else { return nil }
        let head = [
            "benchmark", "run", "answers", "empty", "unread", "read plainly", "no sentence end", "words each",
        ]
        return ReportTable(
            rows: [head] + rows,
            legend:
                "Unread: the benchmark's own script finds no answer in them. Read plainly: the strict reading is "
                + "the official one. No sentence end: captions and long answers that break off, as the token limit "
                + "makes them. A dash: not of this benchmark.", labels: 2)
    }

    private static func row(_ health: AnswerHealth, _ label: String) -> [String] {
        func share(_ count: Int) -> String {
            "\(count) (\(fixed(100 * Double(count) / Double(health.answers), 1))%)"
        }
        return [
            health.exam, label, String(health.answers), String(health.empty),
            health.isRead ? String(health.unread) : "–", health.isRead ? share(health.plain) : "–",
            health.open.map(share) ?? "–", fixed(Double(health.words) / Double(health.answers), 1),
        ]
    }

    private static let mostLetters = 400

    private var doubts: [ComparisonReport.Doubt] {
        sheets.flatMap { label, sheet in
            sheet.health.flatMap { health in
                health.doubts.map { doubt in
                    func word(_ reading: String?) -> String { reading ?? "nothing" }
                    let text = doubt.answer.prefix(Self.mostLetters)
                    return ComparisonReport.Doubt(
                        run: label, exam: health.exam, image: doubt.image,
                        answer: text.isEmpty
                            ? "(empty)" : text.count < doubt.answer.count ? text + "…" : String(text),
                        taken:
                            "official \(word(doubt.reading.official)), strict \(word(doubt.reading.strict))")
                }
            }
        }
    }
}
