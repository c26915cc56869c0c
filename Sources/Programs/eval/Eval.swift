import ArgumentParser
import Exams
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
        case "compare": CompareScores.start(Array(words.dropFirst()))
        case "ask-back": AskBack.start(Array(words.dropFirst()))
        case "blind": Blind.start(Array(words.dropFirst()))
        case "judge-requests": JudgeRequests.start(Array(words.dropFirst()))
        case "judge-replies": JudgeReplies.start(Array(words.dropFirst()))
        case "judge-reviews": JudgeReviews.start(Array(words.dropFirst()))
        case "judge-local": JudgeLocally.start(Array(words.dropFirst()))
        case "rewards": Rewards.start(Array(words.dropFirst()))
        case "list": Program.main(ListExams.self, name: "eval list", Array(words.dropFirst()))
        // The same program: whether a model is asked or answers are read, --model or --answers says.
        case "run", "score": Eval.start(Array(words.dropFirst()))
        default: Eval.start(words)
        }
    }
}

/// What a model says about pictures whose truth is known.
struct Eval: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval",
        abstract: "Score a model's captions and answers by the field's benchmarks.",
        discussion: """
            Generates greedily with --model, or scores --answers without a model, and writes a folder with
            scores.json and, in answers/, a file of answers for each file of questions.
              eval --model data/llava --captions prompts.jsonl --pope pope_*.jsonl --mme mme.jsonl \\
                --image-root . -o runs/demo/base/eval
              eval --answers runs/demo/base/eval/answers --captions prompts.jsonl -o rescored
            Benchmarks are found by name in the folder that they were unpacked to; eval list names them:
              eval run pope mme --data coco --model llava -o scored
              eval score gqa --data gqa --answers predictions.json -o scored
            Compare the results with
              eval compare base=runs/demo/base round-1=runs/demo/round-1 -o runs/demo/summary.json
            """)
    static let immaterialOptions = AskingOptions.immaterial

    @Option(help: ArgumentHelp("Model in Hugging Face layout.", valueName: "folder")) var model: String?
    @Option(
        help: ArgumentHelp(
            "PEFT adapter to fold into the model; repeat for several, in order.", valueName: "folder")
    )
    var adapter: [String] = []
    @Option(help: ArgumentHelp("Chat template; the checkpoint's by default.", valueName: "name"))
    var template: String?
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "Answers to score instead: files named like those of the questions, a folder of them, or one file for all.",
            valueName: "path"))
    var answers: [String] = []

    @Argument(help: ArgumentHelp("Benchmarks whose files lie in --data.", valueName: "benchmark"))
    var benchmarks: [String] = []
    @Option(
        help: ArgumentHelp(
            "Folder of the benchmarks' own files, and of their pictures unless --image-root says otherwise.",
            valueName: "folder"))
    var data: String?
    @OptionGroup var exams: ExamOptions
    @Option(
        parsing: .upToNextOption,
        help: ArgumentHelp(
            "A benchmark's own files, for questions that lack labels; by default those in the same folder.",
            valueName: "file"
        ))
    var labels: [String] = []
    @Option(
        help: ArgumentHelp(
            "File of objects and their synonyms; the picture world's by default.", valueName: "file"))
    var synonyms: String?
    @Flag(help: "Ask about each object that a caption invented: \"Is there a … in the image?\"")
    var habit = false
    @Option(help: ArgumentHelp("Use only the first n pictures.", valueName: "n")) var limit: Int?
    @Option(
        help: ArgumentHelp(
            "Add a number to the logit of a token, spelled as in the tokenizer, before the likeliest is chosen.",
            valueName: "token=number"))
    var logitBias: [NamedNumber<Float>] = []
    @Option(help: "Maximum tokens per caption.") var captionTokens = 128
    @Option(help: "Maximum tokens per answer that is judged.") var longTokens = 1024
    @OptionGroup var asking: AskingOptions
    @OptionGroup(title: "Decoding") var decoding: DecodeOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write.", valueName: "folder"))
    var output: String
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var features: FeatureOptions
    @OptionGroup var engine: ComputeOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if (model == nil) == answers.isEmpty { throw ValidationError("give --model or --answers, not both") }
        if benchmarks.isEmpty != (data == nil) {
            throw ValidationError(
                data == nil
                    ? "\(benchmarks[0]): give the folder of its files with --data"
                    : "--data: name the benchmarks to take")
        }
        let files = try self.files
        if files.isEmpty {
            throw ValidationError("give a benchmark and --data, or \(ExamOptions.names()): what to ask")
        }
        if !labels.isEmpty, !files.contains(where: \.exam.readsLabels) {
            let names = ExamOptions.names(where: \.readsLabels).replacing(" or ", with: "'s or ")
            throw ValidationError("--labels: these label \(names)'s questions; give those too")
        }
        if Set(logitBias.map(\.name)).count < logitBias.count {
            throw ValidationError("--logit-bias: a token is given twice; give each one number")
        }
        if habit && (model == nil || !files.contains { $0.exam is Captions }) {
            throw ValidationError("--habit asks a model about its captions: it needs --model and --captions")
        }
        for (name, count) in [
            ("caption-tokens", captionTokens), ("long-tokens", longTokens), ("limit", limit ?? 1),
        ] where count < 1 {
            throw ValidationError("--\(name) \(count): give a number from 1")
        }
        if !decoding.takesCaptions, let caption = files.first(where: { $0.exam.answers == .caption }) {
            throw ValidationError("--decode posthoc answers in one word; leave out --\(caption.exam.name)")
        }
        if let ranked = files.first(where: { $0.exam.answers == .ranked }),
            decoding.decode != nil || !logitBias.isEmpty
        {
            throw ValidationError(
                "--\(ranked.exam.name) draws no tokens; leave out --\(decoding.decode == nil ? "logit-bias" : "decode")"
            )
        }
        let names = files.map { AnswerFile.fileName($0.path) }
        if Set(names).count < names.count {
            throw ValidationError(
                "two files of questions have the same name, so their answers would too; rename one")
        }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try decoding.refuseIdle(given)
        try given.refuse(
            [
                "adapter", "template", "logit-bias", "caption-tokens", "long-tokens",
                "answer-tokens", "suffix", "batch",
                "tiles", "memory", "compute", "threads", "feature-cache", "feature-cache-size", "decode",
            ],
            where: model == nil, belongingTo: "--model")
    }

    func run(in run: StageRun) throws {
        let began = ContinuousClock.now
        try engine.prepare(run)
        let target = try AtomicFolder(output)
        var paper = try self.paper(run)
        let examinee = try model.map { try self.examinee(open($0, run), run) }
        run.console.say(paper.description)
        if run.isDryRun { return }

        let folder = try target.prepare(keeping: false)
        let answers = "\(folder)/answers"
        try FileManager.default.createDirectory(atPath: answers, withIntermediateDirectories: true)
        let texts = try examinee.map { try $0.answer(paper.requests.map(request), run) } ?? read(paper, run)
        run.count(written: texts.count)
        var sheet = try paper.score(texts, writingTo: answers)
        if let examinee {
            sheet.model = examinee.model.digest
            if habit { try paper.askOn(&sheet) { try examinee.answer($0.map(request), run) } }
        }
        if !logitBias.isEmpty {
            sheet.logitBias = Dictionary(uniqueKeysWithValues: logitBias.map { ($0.name, $0.value) })
        }
        sheet.decoding = decoding.description
        sheet.seconds = began.duration(to: .now) / .seconds(1)
        try sheet.write(to: "\(folder)/\(ScoreSheet.fileName)")
        for (name, bytes) in sheet.submissions {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        try target.publish()
        try run.addOutput(output, kind: .file)
        try run.addMetrics(of: sheet)
        try Program.put(try sheet.report())
    }

    /// What is asked: named files, and those of benchmarks.
    private var files: [(exam: any Exam, path: String)] {
        get throws {
            try exams.files
                + benchmarks.flatMap { name in
                    let known = ExamList.all.exams.first { $0.name == name && $0.help != nil }
                    guard let known else {
                        throw ValidationError("\(name): no such benchmark; sightline eval list names them")
                    }
                    let paths = known.files(in: data ?? ".")
                    if paths.isEmpty {
                        throw ValidationError("\(name) has no files of its own; name yours with --\(name)")
                    }
                    return paths.map { (known, $0) }
                }
        }
    }

    /// Where pictures lie.
    private var shown: ImageOptions {
        var shown = images
        if let data, images.imageRoot == ImageOptions().imageRoot { shown.imageRoot = data }
        return shown
    }

    /// Everything that is asked.
    private func paper(_ run: StageRun) throws -> ExamPaper {
        let finder = try synonyms.map { try ObjectFinder(synonyms: $0) } ?? ObjectFinder()
        var paper = ExamPaper(.all, finder)
        var hasLabelFiles = false
        for (exam, path) in try files {
            var areRecords = false
            func lines() throws -> FileLines {
                run.addInput(try Digest.artefact(path, kind: .records))
                return FileLines(path)
            }
            func records() throws -> [(record: Record, place: String)] {
                areRecords = true
                return try run.records(paths: [path]).map { ($0.record, $0.place) }
            }
            let file = ExamFile(
                path, labels: labels, root: shown.imageRoot, finder, lines: lines, records: records)
            let read = try paper.add(exam, file)
            for labels in read.labelFiles {
                run.addInput(try Digest.artefact(labels, kind: .records), role: "labels")
                run.console.say("labels of \(path) are read from \(labels)")
            }
            hasLabelFiles = hasLabelFiles || !read.labelFiles.isEmpty
            // Records were counted as they were read. No other question is without a picture.
            if areRecords { continue }
            run.count(read: read.count)
            run.countPictures(read.count, of: read.count)
        }
        if !labels.isEmpty, !hasLabelFiles {
            throw StageError.usage("--labels: all questions have labels already; leave it out")
        }
        if let limit { paper.keep(pictures: limit) }
        return paper
    }

    private func request(_ request: ExamRequest) -> Examinee.Request {
        switch request.answer {
        case .short: asking.request(request.prompt, image: request.image, place: request.place)
        case .caption: whole(request, maxTokens: captionTokens)
        case .long: whole(request, maxTokens: longTokens)
        case .ranked: whole(request, maxTokens: 0)
        }
    }

    private func whole(_ request: ExamRequest, maxTokens: Int) -> Examinee.Request {
        Examinee.Request(
            place: request.place, image: request.image, prompt: request.prompt, maxTokens: maxTokens,
            ranked: request.ranked)
    }

    private func read(_ paper: ExamPaper, _ run: StageRun) throws -> [String] {
        let (texts, unnamed) = try paper.texts(in: answers)
        for (file, count) in unnamed.sorted(by: { $0.key < $1.key }) where count > 0 {
            run.console.warn(
                "\(file): \(count) answers don't say what they were asked, and are matched by id alone")
        }
        return texts
    }

    private func examinee(_ model: VisionLanguageModel, _ run: StageRun) throws -> Examinee {
        let biases = try logitBias.map { bias in
            guard let id = model.tokenizer.id(of: bias.name) else {
                throw StageError.usage(
                    "--logit-bias \(bias.name): the tokenizer has no such token; a word's first token usually begins with ▁ or Ġ"
                )
            }
            return (id, bias.value)
        }
        return try asking.examinee(
            model, shown, bias: Dictionary(uniqueKeysWithValues: biases),
            contrasting: decoding.contrast(of: model),
            seed: decoding.noiseSeed, engine, run)
    }

    private func open(_ model: String, _ run: StageRun) throws -> VisionLanguageModel {
        return try ModelOptions(model, adapter: adapter, template: template, features: features).open(
            run, pictures.reading)
    }
}
