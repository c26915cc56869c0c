import ArgumentParser
import Exams
import Files
import Foundation
import Metrics
import StageKit

/// Before and after: what was scored, side by side.
struct CompareScores: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval compare",
        abstract: "Compare scored models with paired bootstrap intervals.",
        discussion: """
            Each model is NAME=FOLDER, a folder that eval wrote or a round that holds it as eval/; the others
            are compared with the first. Folders with the same NAME are seeds of one run and are pooled. Prints
            a table, and with -o summary.json writes the figures there and, beside it, comparison.json (with all
            intervals) and comparison.md. --report writes a page to look at; --training adds which of the test's
            pictures were trained on.
              eval compare base=scored/base dpo=scored/dpo --report page.html --training pairs.jsonl
            """)

    @Argument(help: ArgumentHelp("What to compare.", valueName: "name=folder")) var models: [String]
    @Option(name: [.short, .long], help: ArgumentHelp("Write the figures to this file.", valueName: "file"))
    var output: String?
    @Option(
        help: ArgumentHelp(
            "Draw CHAIR_S, recall, words and habits with their intervals to this file.", valueName: "svg"))
    var plot: String?
    @Option(help: ArgumentHelp("Write one self-contained HTML page to this file.", valueName: "html"))
    var report: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Prompts or pairs that were trained on, whose pictures the report looks for in the test.",
            valueName: "file"))
    var training: [String] = []
    @Option(help: ArgumentHelp("Folder of the test's pictures.", valueName: "folder")) var imageRoot = "."
    @Option(help: ArgumentHelp("Folder of the training's pictures.", valueName: "folder"))
    var trainingImageRoot = "."
    @Option(help: "Number of bootstrap resamples.") var resamples = 10_000
    @Option(help: "Confidence level of the intervals.") var level = 0.95
    @Option(help: "Seed of the bootstrap.") var seed: UInt64 = 20_240_522
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if !(10...1_000_000).contains(resamples) {
            throw ValidationError("--resamples \(resamples): give a number from 10 to 1000000")
        }
        if report == nil && !training.isEmpty {
            throw ValidationError("--training: what it finds goes to the page; name one with --report")
        }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(
            ["image-root", "training-image-root"], where: training.isEmpty, belongingTo: "--training")
    }

    func run(in run: StageRun) throws {
        let folders = try models.map { try NamedPath.split($0, such: "base=runs/demo/base") }
        var places: Set<[String]> = []
        for (name, path) in folders {
            let place = OutputPlace.real(ScoreSheet.place(of: path))
            guard places.insert([name, place]).inserted else {
                throw StageError.usage("\(name)=\(path): it is given twice; folders of one name must differ")
            }
        }
        let sheets = try folders.map { (name: $0.name, sheet: try ScoreSheet(folder: $0.path)) }
        let outputs = try Outputs(output, plot: plot, report: report)
        for (name, sheet) in sheets.dropFirst() where !sheet.asksTheSame(as: sheets[0].sheet) {
            throw StageError.failed(
                "\(name): scored on other scenes or questions than \(sheets[0].name) "
                    + "(\(Self.size(sheet)) against \(Self.size(sheets[0].sheet))); "
                    + "let eval score both on the same files, as runs begun with the same TEST do")
        }
        for (name, sheet) in sheets.dropFirst() where sheet.saysTheSame(as: sheets[0].sheet) {
            run.console.warn(
                "\(name): its answers are word for word those of \(sheets[0].name); an adapter between them "
                    + "changes nothing")
        }
        for (index, (name, sheet)) in sheets.enumerated()
        where sheets[..<index].contains(where: { $0.name == name && $0.sheet.saysTheSame(as: sheet) }) {
            run.console.warn(
                "\(name): two of its folders hold the same answers word for word: one run, not two seeds")
        }
        let overlap = try self.overlap(sheets[0].sheet, run)
        if run.isDryRun { return run.console.say("\(sheets.count) evaluations would be compared") }
        var names: [String] = []
        for (name, _) in sheets where !names.contains(name) { names.append(name) }
        let groups = names.map { name in (name: name, sheets: sheets.filter { $0.name == name }.map(\.sheet))
        }
        let bootstrap = PairedBootstrap(resamples: resamples, seed: seed, level: level)
        let table = try ComparisonTable(
            runs: groups.map { (name: $0.name, sheets: $0.sheets) }, bootstrap: bootstrap)
        let summary = try SummaryFile(
            rounds: groups.indices.map { index in
                let seconds = groups[index].sheets.reduce(0) { $0 + $1.seconds }
                return (name: names[index], summary: table.summary(of: index, seconds: seconds))
            }
        ).json()
        let lines = table.headlines
        try outputs.write(table, summary, lines, run)
        if report != nil {
            let report = CompareReport(
                table: table, runs: groups.map { (name: $0.name, sheets: $0.sheets) }, resamples: resamples,
                overlap: overlap)
            try outputs.write(try report.page(), run)
        }
        let told = table.overview == nil ? lines : []
        try Program.put(table.plainText + told.map { $0 + "\n" }.joined())
    }

    /// - Returns: nil where no training was named.
    private func overlap(_ sheet: ScoreSheet, _ run: StageRun) throws -> TrainingOverlap? {
        guard !training.isEmpty else { return nil }
        let pictures = try run.records(paths: training).compactMap { try $0.record.picture() }
        let overlap = try TrainingOverlap(
            test: sheet.images, in: imageRoot, training: pictures, in: trainingImageRoot)
        run.console.say(overlap.sentence)
        return overlap
    }

    private static func size(_ sheet: ScoreSheet) -> String {
        "\(sheet.counts.captions) captions and \(sheet.counts.answers) questions"
    }
}
