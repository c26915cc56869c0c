import ArgumentParser
import Benchmarks
import Evaluating
import Files
import Foundation
import StageKit

/// The control that no method may be read without: captions rewritten without a look at their pictures.
struct Blind: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval blind",
        abstract: "Rewrite captions as well as can be without looking at the pictures, and score them.",
        discussion: """
            Learns from captions of known pictures which sentences are better never said, at no more than a
            given loss of object recall, and takes them out of other captions by their words alone. Writes a
            folder as eval does, for eval compare, with the rules in edit.json. No model is needed.
              eval blind --learn runs/x/dev --learn-captions dev/prompts.jsonl \\
                --apply runs/x/base/eval --captions test/prompts.jsonl -o runs/x/controls/blind/eval
            """)

    @Option(help: ArgumentHelp("What eval wrote of the pictures to learn from.", valueName: "folder"))
    var learn: String
    @Option(help: ArgumentHelp("Their prompts, with scene or facts of the kind object.", valueName: "file"))
    var learnCaptions: String
    @Option(help: ArgumentHelp("What eval wrote of the pictures to be told of.", valueName: "folder"))
    var apply: String
    @Option(help: ArgumentHelp("Their prompts.", valueName: "file")) var captions: String
    @Option(help: ArgumentHelp("Objects and their synonyms; else the picture world's.", valueName: "file"))
    var synonyms: String?
    @Option(help: ArgumentHelp("Most object recall to lose where it is learned.", valueName: "points"))
    var recallLoss = 1.0
    @Option(help: ArgumentHelp("Fewest sentences that a rule takes out.", valueName: "n")) var support = 10
    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write.", valueName: "folder"))
    var output: String
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if !(0...100).contains(recallLoss) {
            throw ValidationError("--recall-loss \(recallLoss): give points from 0 to 100")
        }
        if support < 1 { throw ValidationError("--support \(support): give a number from 1") }
    }

    /// What is written replaces the folder, so none of what is read may lie in it, nor it in an evaluation.
    ///
    /// - Throws: `StageError` (usage), naming both.
    private func checkOutput() throws {
        func path(_ name: String) -> String {
            URL(fileURLWithPath: name).standardizedFileURL.resolvingSymlinksInPath().path
        }
        let target = path(output)
        for name in [learn, apply, learnCaptions, captions] {
            let read = path(name)
            guard read == target || read.hasPrefix(target + "/") || target.hasPrefix(read + "/") else {
                continue
            }
            throw StageError.usage(
                "-o \(output): it would replace or change \(name), which is read; give another folder")
        }
    }

    func run(in run: StageRun) throws {
        try checkOutput()
        let target = try AtomicFolder(output)
        let began = ContinuousClock.now
        let finder = try synonyms.map { try ObjectFinder(synonyms: $0) } ?? ObjectFinder()
        let known = try told(learnCaptions, by: learn, finder, run)
        let others = try told(captions, by: apply, finder, run)
        let base = try ScoreSheet(folder: apply)
        try check(known.map(\.picture), others.map(\.picture))
        run.console.say("\(known.count) captions to learn from, \(others.count) to rewrite")
        if run.isDryRun { return }

        let edit = BlindEdit(
            learning: known.map { ($0.text, $0.picture.objects) },
            applying: others.map { ($0.text, $0.picture.objects) },
            recallLoss: recallLoss / 100, support: support, finder)
        let scores = zip(others, edit.texts).map { $0.picture.score($1, finder) }
        let sheet = ScoreSheet(
            model: nil, seconds: began.duration(to: .now) / .seconds(1), captions: scores, pope: base.pope,
            mme: base.mme)
        guard sheet.asked == base.asked else {
            throw StageError.failed(
                "\(apply): it was scored on other scenes or habits than those of \(captions); let eval score its "
                    + "answers on that file")
        }
        try write(sheet, edit, others.map(\.picture), to: target)
        try run.addOutput(output, kind: .file)
        let summary = try sheet.summary()
        for key in SummaryKey.all { if let value = summary.values[key] { run.addMetric(key, value) } }
        run.count(written: others.count)
        try Program.put(edit.text(recallLoss: recallLoss / 100))
    }

    /// Pictures with what was said of them.
    private func told(
        _ file: String, by folder: String, _ finder: ObjectFinder, _ run: StageRun
    ) throws -> [(picture: KnownPicture, text: String)] {
        let answers = try AnswerFile.find(for: file, in: ["\(ScoreSheet.place(of: folder))/answers"])
        let pictures = try run.knownPictures(file, finder).map(\.known)
        let texts = try answers.texts(
            of: pictures.map(\.asked), in: file, known: Set(pictures.map(\.id))
        ).texts
        return Array(zip(pictures, texts))
    }

    /// - Throws: `StageError.failed` where a picture would be learned from and applied to.
    private func check(_ known: [KnownPicture], _ others: [KnownPicture]) throws {
        let learned = Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for picture in others {
            guard let same = learned[picture.id], same.image == picture.image, same.objects == picture.objects
            else { continue }
            throw StageError.failed(
                "\(learnCaptions): the picture \(picture.id) is in \(captions) too; learn from other pictures "
                    + "than those that are scored")
        }
    }

    /// As eval writes it. The answers to questions are the base's: no rule touches them.
    private func write(
        _ sheet: ScoreSheet, _ edit: BlindEdit, _ pictures: [KnownPicture], to target: AtomicFolder
    ) throws {
        let folder = try target.prepare(keeping: false)
        let (from, to) = ("\(ScoreSheet.place(of: apply))/answers", "\(folder)/answers")
        try FileManager.default.createDirectory(atPath: to, withIntermediateDirectories: true)
        let own = AnswerFile.fileName(captions)
        for name in try FileManager.default.contentsOfDirectory(atPath: from).sorted() where name != own {
            try FileManager.default.copyItem(atPath: "\(from)/\(name)", toPath: "\(to)/\(name)")
        }
        try AtomicFile.write(AnswerFile.lines(captions: pictures, edit.texts), to: "\(to)/\(own)")
        try AtomicFile.write(Array(try sheet.json()), to: "\(folder)/\(ScoreSheet.fileName)")
        try AtomicFile.write(
            Array(try edit.json(recallLoss: recallLoss / 100, support: support)),
            to: "\(folder)/\(BlindEdit.fileName)")
        try target.publish()
    }
}
