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
            Shards of a run are scored together:
              eval run pope --data coco --model llava --shard 1/2 -o first
              eval score pope --data coco --answers first second -o scored
            Compare the results with
              eval compare base=runs/demo/base round-1=runs/demo/round-1 -o runs/demo/summary.json
            """)
    /// Questions and labels are told by their digests.
    static let immaterialOptions = AskingOptions.immaterial
        .union(ExamList.all.exams.map(\.name)).union(["labels"])

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
            "Answers to score instead: files named like those of the questions, folders of them, all shards' folders, or one file for all.",
            valueName: "path"))
    var answers: [String] = []

    @Option(
        help: ArgumentHelp(
            "Score answers that need no model and no picture: always yes, or the most frequent right one.",
            valueName: "yes|majority"))
    var guess: Guess?

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
            "Of those, ask only about part k of n (k from 1), by picture, and write its answers without scores.",
            valueName: "k/n"))
    var shard: Shard?
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
    @Flag(help: "Continue the FOLDER.part that an interrupted run left.") var resume = false
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: PictureOptions
    @OptionGroup var features: FeatureOptions
    @OptionGroup var engine: ComputeOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        // A word that is no benchmark may be the value of an option that isn't known, which is named first.
        guard benchmarks.allSatisfy({ Self.benchmark($0) != nil }) else { return }
        if [model != nil, !answers.isEmpty, guess != nil].count(where: { $0 }) != 1 {
            throw ValidationError("give --model, --answers or --guess, one of them")
        }
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
        if habit && shard != nil {
            throw ValidationError(
                "--habit asks on by answers, and its replies stand in no file of answers; leave out --shard or --habit"
            )
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
        if let word = benchmarks.first(where: { Self.benchmark($0) == nil }) {
            throw StageError.usage("\(word): no such benchmark; sightline eval list names them")
        }
        try decoding.refuseIdle(given)
        try given.refuse(
            [
                "adapter", "template", "logit-bias", "caption-tokens", "long-tokens",
                "answer-tokens", "suffix", "batch",
                "tiles", "memory", "compute", "threads", "feature-cache", "feature-cache-size", "decode",
                "resume", "shard",
            ],
            where: model == nil, belongingTo: "--model")
    }

    func run(in run: StageRun) throws {
        let began = ContinuousClock.now
        try engine.prepare(run)
        let target = try AtomicFolder(output)
        var paper = try self.paper(run)
        let examinee = try model.map { try self.examinee(open($0, run)) }
        run.console.say(paper.description)
        if run.isDryRun { return try examinee?.estimate(paper.requests.map(request), engine, run) ?? () }

        let joined = try ShardNote.joined(answers)
        let folder = try target.prepare(keeping: examinee != nil)
        let work = try examinee.map { examinee in
            let work = try run.keepWork(in: folder, resume: resume)
            try examinee.keep(in: work)
            return work
        }
        try FileManager.default.createDirectory(
            atPath: Self.answers(in: folder), withIntermediateDirectories: true)
        let given =
            try examinee.map { try $0.answer(paper.requests.map(request), run) }
            ?? guess.map { paper.texts(by: $0) }
        let texts = try given?.map { SharedText($0) } ?? read(paper, run)
        run.count(written: texts.count)
        var sheet: ScoreSheet?
        if let examinee, let shard {
            try paper.write(texts, to: Self.answers(in: folder))
            let note = ShardNote(
                shard, model: examinee.model.digest, logitBias: biases, decoding: decoding.description,
                seconds: began.duration(to: .now) / .seconds(1))
            try note.write(to: folder)
        } else {
            sheet = try score(&paper, texts, by: examinee, or: joined, since: began, in: folder, run)
        }
        try work?.finish()
        try target.publish()
        try run.addOutput(output, kind: .file)
        guard let sheet else {
            return try Program.put("\(texts.count) answers; let eval score take those of all shards\n")
        }
        try run.addMetrics(of: sheet)
        try Program.put(try sheet.report())
    }

    private static func answers(in folder: String) -> String { "\(folder)/answers" }

    /// Scores answers and writes them with all that follows from them.
    private func score(
        _ paper: inout ExamPaper, _ texts: [SharedText], by examinee: Examinee?, or joined: ShardNote?,
        since began: ContinuousClock.Instant, in folder: String, _ run: StageRun
    ) throws -> ScoreSheet {
        var sheet = try paper.score(texts, writingTo: Self.answers(in: folder))
        sheet.model = examinee?.model.digest ?? joined?.model
        if let examinee, habit {
            try paper.askOn(&sheet) { try examinee.answer($0.map(request), run) }
        }
        sheet.logitBias = biases ?? joined?.logitBias
        sheet.decoding = decoding.description ?? joined?.decoding
        // How long answers took that were given isn't known, and how long this took is no figure of theirs.
        sheet.seconds = examinee == nil ? joined?.seconds ?? 0 : began.duration(to: .now) / .seconds(1)
        try sheet.write(to: "\(folder)/\(ScoreSheet.fileName)")
        for (name, bytes) in sheet.submissions {
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        return sheet
    }

    private var biases: [String: Float]? {
        logitBias.isEmpty ? nil : Dictionary(uniqueKeysWithValues: logitBias.map { ($0.name, $0.value) })
    }

    /// What is asked: named files, and those of benchmarks.
    private var files: [(exam: any Exam, path: String)] {
        get throws {
            try exams.files
                + benchmarks.compactMap(Self.benchmark).flatMap { exam in
                    let paths = exam.files(in: data ?? ".")
                    if paths.isEmpty {
                        throw ValidationError(
                            "\(exam.name) has no files of its own; name yours with --\(exam.name)")
                    }
                    return paths.map { (exam, $0) }
                }
        }
    }

    private static func benchmark(_ name: String) -> (any Exam)? {
        ExamList.all.exams.first { $0.name == name && $0.help != nil }
    }

    /// Where pictures lie.
    private var shown: ImageOptions {
        var shown = images
        if let data, images.imageRoot == ImageOptions.currentFolder { shown.imageRoot = data }
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
        try keep(&paper)
        return paper
    }

    /// Leaves the pictures of limit and shard.
    private func keep(_ paper: inout ExamPaper) throws {
        if limit == nil, shard == nil { return }
        let most = limit ?? .max
        let count = paper.keep(picturesWhere: { $0 <= most && shard?.contains(line: $0) ?? true })
        guard let shard, shard.k > min(most, count) else { return }
        throw StageError.usage(
            "--shard \(shard): there are \(min(most, count)) pictures; give no more shards than that")
    }

    private func request(_ request: ExamRequest) -> Examinee.Request {
        switch request.answer {
        case .short: short(request)
        case .caption: whole(request, maxTokens: captionTokens)
        case .long: whole(request, maxTokens: longTokens)
        case .ranked: whole(request, maxTokens: 0)
        }
    }

    private func whole(_ request: ExamRequest, maxTokens: Int) -> Examinee.Request {
        Examinee.Request(
            place: request.place, image: request.image, prompt: request.prompt, maxTokens: maxTokens,
            ranked: request.ranked, embedded: request.embedded)
    }

    private func short(_ request: ExamRequest) -> Examinee.Request {
        var own = asking.request(request.prompt, image: request.image, place: request.place)
        own.embedded = request.embedded
        return own
    }

    private func read(_ paper: ExamPaper, _ run: StageRun) throws -> [SharedText] {
        let (texts, unnamed) = try paper.texts(in: answers)
        for (file, count) in unnamed.sorted(by: { $0.key < $1.key }) where count > 0 {
            run.console.warn(
                "\(file): \(count) answers don't say what they were asked, and are matched by id alone")
        }
        return texts
    }

    private func examinee(_ model: VisionLanguageModel) throws -> Examinee {
        let tokens = try logitBias.map { bias in
            guard let id = model.tokenizer.id(of: bias.name) else {
                throw StageError.usage(
                    "--logit-bias \(bias.name): the tokenizer has no such token; a word's first token usually begins with ▁ or Ġ"
                )
            }
            return (id, bias.value)
        }
        return try asking.examinee(
            model, shown, bias: Dictionary(uniqueKeysWithValues: tokens),
            contrasting: decoding.contrast(of: model),
            seed: decoding.noiseSeed, engine)
    }

    private func open(_ model: String, _ run: StageRun) throws -> VisionLanguageModel {
        return try ModelOptions(model, adapter: adapter, template: template, features: features).open(
            run, pictures.reading)
    }
}

extension Guess: ExpressibleByArgument {}
