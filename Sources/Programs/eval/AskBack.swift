import ArgumentParser
import Exams
import Files
import Foundation
import ModelOptions
import StageKit

/// What a model can be had to say without any training: its captions without what it denies when it's asked.
struct AskBack: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval ask-back",
        abstract: "Ask a model about each object that its captions name, and remove what it denies.",
        discussion: """
            "Is there a dog in the image?": sentences that name an object to which the model says no are removed
            from the caption. Writes a folder like eval's, for eval compare, with questions and replies in
            asked.jsonl. It looks at the pictures and learns nothing, at the price of one question per object.
              eval ask-back --model data/llava --apply runs/x/base/eval --captions test/prompts.jsonl \\
                --image-root test -o runs/x/controls/ask-back/eval
            """)
    static let immaterialOptions = AskingOptions.immaterial

    @OptionGroup var model: ModelOptions
    @Option(help: ArgumentHelp("Folder that eval wrote for this model.", valueName: "folder")) var apply:
        String
    @Option(help: ArgumentHelp("Prompts, with a scene or facts of the kind object.", valueName: "file"))
    var captions: String
    @Option(
        help: ArgumentHelp(
            "File of objects and their synonyms; the picture world's by default.", valueName: "file"))
    var synonyms: String?
    @OptionGroup var asking: AskingOptions
    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write.", valueName: "folder"))
    var output: String
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var engine: ComputeOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func run(in run: StageRun) throws {
        try Rewriting.check(output: output, reading: [apply, captions])
        let began = ContinuousClock.now
        try engine.prepare(run)
        let target = try AtomicFolder(output)
        let finder = try synonyms.map { try ObjectFinder(synonyms: $0) } ?? ObjectFinder()
        let told = try Rewriting(captions, by: apply, finder, run)
        let opened = try model.open(run, pictures.reading)
        if let digest = told.base.model, digest != opened.digest {
            throw StageError.failed(
                "\(apply): these are another model's answers (\(digest.prefix(8))…); ask that model")
        }
        let sentences = told.texts.map(finder.sentences)
        let asked = zip(told.pictures, sentences).flatMap { picture, sentences in
            Set(sentences.flatMap(\.objects)).sorted().map { object in
                let question = HabitScore.question(object)
                let place = "question on \(picture.image)"
                return (
                    picture: picture, object: object,
                    request: asking.request(question, image: picture.image, place: place)
                )
            }
        }
        run.console.say("\(told.texts.count) captions and \(asked.count) questions")
        let examinee = try asking.examinee(opened, images, engine)
        if run.isDryRun { return try examinee.estimate(asked.map(\.request), engine, run) }

        let replies = try examinee.answer(asked.map(\.request), run)
        let verdicts = replies.map { firstWordAnswer(in: $0) }
        let denials = zip(asked, verdicts).filter { $1 == .no }.map(\.0)
        let denied = Dictionary(grouping: denials, by: \.picture.image).mapValues { Set($0.map(\.object)) }
        var taken = 0
        let texts = told.texts.indices.map { index in
            let (said, no) = (sentences[index], denied[told.pictures[index].image] ?? [])
            let kept = said.filter { no.isDisjoint(with: $0.objects) }
            taken += said.count - kept.count
            return kept.count == said.count
                ? told.texts[index]
                : kept.map(\.text).joined().trimmingCharacters(in: .whitespacesAndNewlines)
        }
        let unread = verdicts.count { $0 == nil }
        if unread > 0 {
            run.console.warn(
                "\(unread) of \(asked.count) replies are neither yes nor no, and remove nothing")
        }
        let lines = AnswerFile.lines(
            zip(asked, replies).map {
                .init(
                    id: "\($0.picture.id) \($0.object)", image: $0.picture.image, prompt: $0.request.prompt,
                    text: $1)
            })
        try told.write(
            texts, ["asked.jsonl": Array(lines.utf8)], model: opened.digest, since: began, to: target, output,
            run)
        try Program.put("\(taken) sentences name what the model denies when asked, and are removed\n")
    }
}
