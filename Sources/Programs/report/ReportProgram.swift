import ArgumentParser
import Foundation
import StageKit

/// A page to look at: what a run drew, preferred, learned and became.
@main struct ReportProgram: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "report",
        abstract: "Write one self-contained HTML page about a run.",
        discussion: """
            Reads the folder of a run: base/ and round-1/, round-2/, …, in each round scored.jsonl (or
            candidates.jsonl), pairs.jsonl, audit.json, adapter/metrics.jsonl and eval/, and the run's
            comparison.json. What is missing is left out.
              report runs/demo -o runs/demo/report.html
              report runs/coco --image-root train2014 --test-image-root val2014 -o coco.html
            """)

    @Argument(help: ArgumentHelp("Folder of the run.", valueName: "folder")) var folder: String
    @Option(name: [.short, .long], help: ArgumentHelp("Page to write.", valueName: "file")) var output: String
    @Option(
        help: ArgumentHelp(
            "Number of pictures to show per round, and of captions before and after.", valueName: "n"))
    var pictures = 12
    @Option(
        help: ArgumentHelp(
            "File of objects and their synonyms; the picture world's by default.", valueName: "file"))
    var synonyms: String?
    @Option(
        help: ArgumentHelp(
            "Folder of the training pictures; by default the run's own, else the current folder.",
            valueName: "folder"))
    var imageRoot: String?
    @Option(
        help: ArgumentHelp(
            "Folder of the test pictures; by default the run's own, else the current folder.",
            valueName: "folder"))
    var testImageRoot: String?
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if pictures < 0 { throw ValidationError("--pictures \(pictures): give a number from 0") }
    }

    func run(in run: StageRun) throws {
        let reader = try RunFolder(
            folder, pictures: pictures, imageRoot: imageRoot, testImageRoot: testImageRoot, synonyms: synonyms
        )
        let page = try reader.report(run).html()
        if run.isDryRun {
            return run.console.say("dry run: \(page.utf8.count >> 10) KiB would go to \(output)")
        }
        try run.write(page.utf8, to: output)
        run.console.say("\(output): \(page.utf8.count >> 10) KiB")
    }
}
