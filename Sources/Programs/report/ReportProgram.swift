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
            candidates.jsonl), pairs.jsonl, audit.json, adapter/metrics.jsonl and eval/, and beside them
            comparison.json. What isn't there is left out.
              report runs/demo -o runs/demo/report.html
              report runs/coco --image-root train2014 --test-image-root val2014 -o coco.html
            """)

    @Argument(help: ArgumentHelp("Folder of the run.", valueName: "folder")) var folder: String
    @Option(name: [.short, .long], help: ArgumentHelp("Page to write.", valueName: "file")) var output: String
    @Option(
        help: ArgumentHelp("Pictures shown of each round, and captions before and after.", valueName: "n"))
    var pictures = 12
    @Option(help: ArgumentHelp("Objects and their synonyms; else the picture world's.", valueName: "file"))
    var synonyms: String?
    @Option(
        help: ArgumentHelp(
            "Folder of the pictures trained on; else where the run has them, else here.",
            valueName: "folder"))
    var imageRoot: String?
    @Option(
        help: ArgumentHelp(
            "Folder of the pictures evaluated on; else where the run has them, else here.",
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
