import ArgumentParser
import Benchmarks
import Decoding
import Evaluating
import Files
import Foundation
import Model
import ModelOptions
import Records
import StageKit

/// `eval`, and `eval compare` and the others of two words, which are stages of their own.
@main enum EvalProgram {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "compare": Compare.start(Array(words.dropFirst()))
        case "ask-back": AskBack.start(Array(words.dropFirst()))
        case "blind": Blind.start(Array(words.dropFirst()))
        case "rewards": Rewards.start(Array(words.dropFirst()))
        default: Eval.start(words)
        }
    }
}

/// What a model says about pictures whose truth is known.
struct Eval: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Score a model's captions and answers: CHAIR, POPE, MME.",
        discussion: """
            Generates greedily with --model, or scores --answers without any model, and writes a folder with
            scores.json and, in answers/, a file of answers for each file of questions.
              eval --model data/llava --captions prompts.jsonl --pope pope_*.jsonl --mme mme.jsonl \\
                --image-root . -o runs/demo/base/eval
              eval --answers runs/demo/base/eval/answers --captions prompts.jsonl -o rescored
            Compare what was scored with
              eval compare base=runs/demo/base round-1=runs/demo/round-1 -o runs/demo/summary.json
            """)
    static let immaterialOptions = AskingOptions.immaterial

    @Option(help: ArgumentHelp("LLaVA in Hugging Face layout.", valueName: "folder")) var model: String?
    @Option(
        help: ArgumentHelp("PEFT adapter folded into the model; several in their order.", valueName: "folder")
    )
    var adapter: [String] = []
    @Option(help: ArgumentHelp("Chat template; else the checkpoint's.", valueName: "name"))
    var template: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Answers to score instead: files named as those of the questions, their folder, or one file for all.",
            valueName: "path"))
    var answers: [String] = []

    @Option(
        help: ArgumentHelp("Prompts for captions, with scene or facts of the kind object.", valueName: "file")
    )
    var captions: String?
    @Option(
        parsing: .upToNextOption, help: ArgumentHelp("POPE's questions, a file per split.", valueName: "file")
    )
    var pope: [String] = []
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "POPE's or MME's files as labels of questions without; else those beside them.", valueName: "file"
        ))
    var labels: [String] = []
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp("Questions in pairs, as MME asks them: records or MME's files.", valueName: "file")
    )
    var mme: [String] = []
    @Option(help: ArgumentHelp("Objects and their synonyms; else the picture world's.", valueName: "file"))
    var synonyms: String?
    @Flag(help: "Ask about each object that a caption invented: \"Is there a … in the image?\"")
    var habit = false
    @Option(help: ArgumentHelp("Use only the first pictures.", valueName: "n")) var limit: Int?
    @Option(
        help: ArgumentHelp(
            "Add so much to the logit of a token, named as the tokenizer has it, before the likeliest is taken.",
            valueName: "token=number"))
    var logitBias: [NamedNumber<Float>] = []
    @Option(help: "Most tokens of a caption.") var captionTokens = 128
    @OptionGroup var asking: AskingOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write.", valueName: "folder"))
    var output: String
    @OptionGroup var images: ImageOptions
    @OptionGroup var alpha: AlphaOptions
    @OptionGroup var engine: ThreadOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if (model == nil) == answers.isEmpty { throw ValidationError("give --model or --answers, not both") }
        if captions == nil && pope.isEmpty && mme.isEmpty {
            throw ValidationError("give --captions, --pope or --mme: what to ask")
        }
        if !labels.isEmpty && pope.isEmpty && mme.isEmpty {
            throw ValidationError("--labels: labels of --pope's or --mme's questions; give those too")
        }
        if Set(logitBias.map(\.name)).count < logitBias.count {
            throw ValidationError("--logit-bias: a token stands there twice; give each one number")
        }
        if habit && (captions == nil || model == nil) {
            throw ValidationError("--habit asks a model about its captions: it needs --model and --captions")
        }
        for (name, count) in [("caption-tokens", captionTokens), ("limit", limit ?? 1)] where count < 1 {
            throw ValidationError("--\(name) \(count): give a number from 1")
        }
        let names = ([captions].compactMap { $0 } + pope + mme).map(AnswerFile.fileName)
        if Set(names).count < names.count {
            throw ValidationError("two files of questions have the same name; their answers would too")
        }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(
            [
                "adapter", "template", "logit-bias", "caption-tokens", "answer-tokens", "suffix", "batch",
                "memory",
                "threads",
            ],
            where: model == nil, belongingTo: "--model")
    }

    func run(in run: StageRun) throws {
        let began = ContinuousClock.now
        try engine.prepare(run)
        let target = try AtomicFolder(output)
        let paper = try ExamPaper(self, run)
        let respondent: Respondent =
            if let model {
                .model(try examinee(open(model, run)))
            } else { .files(answers) }
        run.console.say(paper.description)
        if run.isDryRun { return }

        let folder = try target.prepare(keeping: false)
        var sheet = try paper.answer(by: respondent, self, run, folder: folder)
        if !logitBias.isEmpty {
            sheet.logitBias = Dictionary(uniqueKeysWithValues: logitBias.map { ($0.name, $0.value) })
        }
        sheet.seconds = began.duration(to: .now) / .seconds(1)
        try AtomicFile.write(Array(try sheet.json()), to: "\(folder)/\(ScoreSheet.fileName)")
        try target.publish()
        try run.addOutput(output, kind: .file)
        try run.addMetrics(of: sheet)
        try Program.put(try Findings(sheet).text)
    }

    private func examinee(_ model: VisionLanguageModel) throws -> Examinee {
        let biases = try logitBias.map { bias in
            guard let id = model.tokenizer.id(of: bias.name) else {
                throw StageError.usage(
                    "--logit-bias \(bias.name): the tokenizer has no such token; a word's first mostly begins with ▁ or Ġ"
                )
            }
            return (id, bias.value)
        }
        return asking.examinee(model, images, bias: Dictionary(uniqueKeysWithValues: biases))
    }

    private func open(_ model: String, _ run: StageRun) throws -> VisionLanguageModel {
        let words =
            ["--model=\(model)"] + adapter.map { "--adapter=\($0)" }
            + (template.map { ["--template=\($0)"] } ?? [])
        return try ModelOptions.parse(words).open(run, alpha.rule)
    }
}
