import ArgumentParser
import Benchmarks
import Evaluating
import Files
import Foundation
import Report
import StageKit

/// Before and after: what was scored, side by side.
struct Compare: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval compare",
        abstract: "Compare scored models with paired bootstrap intervals.",
        discussion: """
            Each model is NAME=FOLDER, the folder that eval wrote or the round's that holds it as eval/; the
            first is what the others are held against. Folders of one NAME are the same run with other seeds,
            and are taken together. Prints a table, and with -o summary.json writes the figures there and,
            beside it, comparison.json (with all intervals) and comparison.md.
            """)

    @Argument(help: ArgumentHelp("What to compare.", valueName: "name=folder")) var models: [String]
    @Option(name: [.short, .long], help: ArgumentHelp("Write the figures here.", valueName: "file"))
    var output: String?
    @Option(help: ArgumentHelp("Draw CHAIR_S, recall, words, habits with intervals.", valueName: "svg"))
    var plot: String?
    @Option(help: "Resamples of the bootstrap.") var resamples = 10_000
    @Option(help: "Coverage of the intervals.") var level = 0.95
    @Option(help: "Seed of the bootstrap.") var seed: UInt64 = 20_240_522
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func run(in run: StageRun) throws {
        let folders = try models.map { try NamedPath.split($0, such: "base=runs/demo/base") }
        if let twice = folders.first(where: { folder in folders.count { $0 == folder } > 1 }) {
            throw StageError.usage(
                "\(twice.name)=\(twice.path): it is there twice; a name's folders must differ")
        }
        let sheets = try folders.map { (name: $0.name, sheet: try ScoreSheet(folder: $0.path)) }
        for (name, sheet) in sheets.dropFirst() where sheet.asked != sheets[0].sheet.asked {
            throw StageError.failed(
                "\(name): scored on other scenes or questions than \(sheets[0].name) "
                    + "(\(Self.size(sheet)) against \(Self.size(sheets[0].sheet))); "
                    + "let eval score both on the same files, as runs begun with the same TEST do")
        }
        for (name, sheet) in sheets.dropFirst() where sheet.saysTheSame(as: sheets[0].sheet) {
            run.console.warn(
                "\(name): it says word for word what \(sheets[0].name) says; if an adapter lies between them, that "
                    + "changes nothing")
        }
        var names: [String] = []
        for (name, _) in sheets where !names.contains(name) { names.append(name) }
        let groups = names.map { name in (name: name, sheets: sheets.filter { $0.name == name }.map(\.sheet))
        }
        let bootstrap = PairedBootstrap(resamples: resamples, seed: seed, level: level)
        let table = try ComparisonTable(
            runs: try groups.map { (name: $0.name, evaluations: try $0.sheets.map { try $0.evaluation() }) },
            bootstrap: bootstrap)
        let summary = try SummaryFile(
            rounds: groups.indices.map { index in
                let seconds = groups[index].sheets.reduce(0) { $0 + $1.seconds }
                return (name: names[index], summary: table.summary(of: index, seconds: seconds))
            }
        ).json()
        let lines = Headline(table).lines
        if let output, !run.isDryRun { try write(table, summary, lines, to: output, run) }
        if let plot, !run.isDryRun {
            try run.write(Self.chart(table).svg.utf8, to: plot, role: "plot")
        }
        let told = table.overview == nil ? lines : []
        try Program.put(table.plainText + told.map { $0 + "\n" }.joined())
    }

    private func write(
        _ table: ComparisonTable, _ summary: String, _ lines: [String], to output: String, _ run: StageRun
    ) throws {
        let folder = URL(fileURLWithPath: output).deletingLastPathComponent().path
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        } catch {
            throw StageError.failed(
                "\(folder): it can't be made (\(error.localizedDescription)); choose another place")
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
        let intervals = try encoder.encode(table) + Data("\n".utf8)
        let markdown = table.markdown + lines.map { "\n" + $0 + "\n" }.joined()
        // Nothing lies beside a device.
        if case .file = try OutputPlace(output) {
            try checkTables(in: folder)
            try run.write(intervals, to: "\(folder)/comparison.json")
            try run.write(markdown.utf8, to: "\(folder)/comparison.md")
        }
        try run.write(summary.utf8, to: output)
    }

    /// - Throws: `StageError` where one of the files that it writes unasked is none that it wrote.
    private func checkTables(in folder: String) throws {
        let files = ["json", "md"].map { "\(folder)/comparison.\($0)" }
        guard let standing = files.first(where: FileManager.default.fileExists(atPath:)) else { return }
        let table = FileManager.default.contents(atPath: files[0])
        if let table, (try? JSONDecoder().decode(ComparisonTable.self, from: table)) != nil { return }
        throw StageError.failed(
            "\(standing): eval compare didn't write it, and would erase it; move it away or name another -o")
    }

    private static func size(_ sheet: ScoreSheet) -> String {
        "\(sheet.captions.count) captions and \(sheet.pope.count + sheet.mme.count) questions"
    }

    /// Hallucination beside what it may be bought with, recall and length, and whether looking won it.
    private static func chart(_ table: ComparisonTable) -> IntervalChart {
        let keys = [
            SummaryKey.chairS, SummaryKey.objectRecall, SummaryKey.meanWords,
            SummaryKey.habitBalancedAccuracy,
        ]
        return IntervalChart(
            rows: table.names,
            figures: keys.compactMap { key in table.rows.first { $0.name == key } }.map { row in
                let scale = SummaryKey.isFraction(row.name) ? 100.0 : 1
                return IntervalChart.Figure(
                    title: SummaryKey.title(row.name),
                    values: row.values.map {
                        .init(
                            estimate: scale * $0.estimate, lower: scale * $0.lower, upper: scale * $0.upper)
                    })
            })
    }
}
