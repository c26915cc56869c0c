import ArgumentParser
import Exams
import Files
import Foundation
import StageKit

/// The control that no method may be read without: captions rewritten without a look at their pictures.
struct Blind: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval blind",
        abstract: "Rewrite captions as well as possible without looking at the pictures, and score them.",
        discussion: """
            Learns from captions of known pictures which sentences are better left out, at no more than a
            given loss of object recall, and removes them from other captions by their words alone. Writes a
            folder like eval's, for eval compare, with the rules in edit.json. No model is needed.
              eval blind --learn runs/x/dev --learn-captions dev/prompts.jsonl \\
                --apply runs/x/base/eval --captions test/prompts.jsonl -o runs/x/controls/blind/eval
            """)

    @Option(help: ArgumentHelp("Folder that eval wrote for the pictures to learn from.", valueName: "folder"))
    var learn: String
    @Option(
        help: ArgumentHelp(
            "Prompts of those pictures, with a scene or facts of the kind object.", valueName: "file"))
    var learnCaptions: String
    @Option(
        help: ArgumentHelp(
            "Folder that eval wrote for the pictures whose captions are rewritten.", valueName: "folder"))
    var apply: String
    @Option(help: ArgumentHelp("Prompts of those pictures.", valueName: "file")) var captions: String
    @Option(
        help: ArgumentHelp(
            "File of objects and their synonyms; the picture world's by default.", valueName: "file"))
    var synonyms: String?
    @Option(
        help: ArgumentHelp(
            "Object recall that may be lost on the pictures learned from.", valueName: "points"))
    var recallLoss = 1.0
    @Option(help: ArgumentHelp("Minimum number of sentences that a rule must remove.", valueName: "n"))
    var support = 10
    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write.", valueName: "folder"))
    var output: String
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if !(0...100).contains(recallLoss) {
            throw ValidationError("--recall-loss \(recallLoss): give points from 0 to 100")
        }
        if support < 1 { throw ValidationError("--support \(support): give a number from 1") }
    }

    func run(in run: StageRun) throws {
        try Rewriting.check(output: output, reading: [learn, apply, learnCaptions, captions])
        let target = try AtomicFolder(output)
        let began = ContinuousClock.now
        let finder = try synonyms.map { try ObjectFinder(synonyms: $0) } ?? ObjectFinder()
        let known = try Rewriting(learnCaptions, by: learn, finder, run)
        let others = try Rewriting(captions, by: apply, finder, run)
        try check(known.pictures, others.pictures)
        run.console.say("\(known.texts.count) captions to learn from, \(others.texts.count) to rewrite")
        if run.isDryRun { return }

        func told(_ captions: Rewriting) -> [BlindEdit.Told] {
            zip(captions.texts, captions.pictures).map { ($0, $1.objects) }
        }
        let edit = BlindEdit(
            learning: told(known), applying: told(others), recallLoss: recallLoss / 100, support: support,
            finder)
        let rules = Array(try edit.json(recallLoss: recallLoss / 100, support: support))
        try others.write(edit.texts, [BlindEdit.fileName: rules], since: began, to: target, output, run)
        try Program.put(edit.text(recallLoss: recallLoss / 100))
    }

    /// - Throws: `StageError.failed` where a picture would be learned from and applied to.
    private func check(_ known: [KnownPicture], _ others: [KnownPicture]) throws {
        let learned = Dictionary(known.map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
        for picture in others {
            guard let same = learned[picture.id], same.image == picture.image, same.objects == picture.objects
            else { continue }
            throw StageError.failed(
                "\(learnCaptions): the picture \(picture.id) is in \(captions) too; learn from "
                    + "pictures that aren't scored")
        }
    }
}
