import ArgumentParser
import Exams
import Files
import Foundation
import StageKit
import Tables

/// The first step of judging: what a judge is asked about answers.
struct JudgeRequests: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval judge-requests",
        abstract: "Write requests to a judge about answers, in OpenAI's batch format.",
        discussion: """
            For the answers of a folder that eval wrote. The replies are read by eval judge-replies.
              eval judge-requests runs/x/eval --judge gpt-4-0613 -o requests.jsonl
            The official prompts aren't included: give the benchmark's own with --judge-prompt, LLaVA's
            rule.json, or a text with {question}, {reference}, {answer} and, for MMHal-Bench, {context};
            what stands behind {again} is only said where a reply couldn't be read. Else the prompt is ours.
            """)

    @Argument(help: ArgumentHelp("Folder that eval wrote.", valueName: "folder")) var folder: String
    @Option(help: ArgumentHelp("Model that judges, as its server calls it.", valueName: "name")) var judge:
        String
    @Option(
        help: ArgumentHelp("Benchmark to judge; by default all that are judged.", valueName: "name"))
    var exam: String?
    @Option(help: ArgumentHelp("The judge's prompt, for one benchmark.", valueName: "file"))
    var judgePrompt: String?
    @Option(
        help: ArgumentHelp(
            "How often each answer is judged; by default as the benchmark does (MM-Vet: 5, others: 1).",
            valueName: "n"))
    var runs: Int?
    @Flag(help: "Ask only about what no reply could be read of yet.") var missing = false
    @Option(name: [.short, .long], help: ArgumentHelp("File to write.", valueName: "file")) var output: String
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if let runs, !(1...mostJudgeRuns).contains(runs) {
            throw ValidationError("--runs \(runs): give a number from 1 to \(mostJudgeRuns)")
        }
    }

    func run(in run: StageRun) throws {
        let sheet = try ScoreSheet(folder: folder)
        let exams = sheet.judgedExams.filter { exam == nil || $0.name == exam }
        guard !exams.isEmpty else {
            throw StageError.failed(
                "\(folder): no answers \(exam.map { "to \($0)" } ?? "that are judged"); let eval write some")
        }
        guard judgePrompt == nil || exams.count == 1 else {
            throw StageError.usage(
                "--judge-prompt: it is for one benchmark, and here are \(exams.map(\.name).joined(separator: ", ")); "
                    + "name one with --exam")
        }
        if let judgePrompt { run.addInput(try Digest.artefact(judgePrompt, kind: .file), role: "prompt") }
        func lines<E: JudgedExam>(_ exam: E) throws -> [String] {
            let prompt = try judgePrompt.map { try JudgePrompt(file: $0) } ?? JudgePrompt(ownOf: exam)
            let lines = try exam.requests(
                sheet[exam], judge: judge, prompt, runs: runs ?? exam.runs, missing: missing)
            let whose = prompt.file.map { "of \($0)" } ?? "of ours, not the official one"
            run.console.say(
                "\(exam.title): \(lines.count) requests with the prompt \(prompt.digest) \(whose)")
            return lines
        }
        let requests = try exams.flatMap { try lines($0) }
        run.count(written: requests.count)
        if run.isDryRun { return }
        try run.write(requests.joined().utf8, to: output)
    }
}

/// The last step of judging: replies become part of the scores.
struct JudgeReplies: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval judge-replies",
        abstract: "Read a judge's replies into scores, and show the figures.",
        discussion: """
            Takes lines of OpenAI's batch output to what eval judge-requests wrote, and the reviews that the
            benchmarks' own scripts keep. The replies are kept word for word in scores.json.
              eval judge-replies runs/x/eval replies.jsonl
            Answers without reply are named; ask about them with eval judge-requests --missing.
            """)

    @Argument(help: ArgumentHelp("Folder that eval wrote.", valueName: "folder")) var folder: String
    @Argument(help: ArgumentHelp("Replies.", valueName: "file")) var replies: [String]
    @Option(
        name: .customLong("with"),
        help: ArgumentHelp(
            "Files of the benchmark that replies are read with: Mementos' sym_graphs.", valueName: "folder"))
    var companions: String?
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func run(in run: StageRun) throws {
        var sheet = try ScoreSheet(folder: folder)
        var exams: Set<String> = []
        var failures = 0
        for path in replies {
            run.addInput(try Digest.artefact(path, kind: .file), role: "replies")
            let read = try sheet.take(repliesIn: FileLines(path), with: companions)
            exams.formUnion(read.exams)
            failures += read.failures.count
            run.count(read: read.new + read.known + read.failures.count, written: read.new)
            let known = read.known == 0 ? "" : ", \(read.known) known before"
            run.console.say("\(path): \(read.new) replies\(known), \(read.failures.count) failures")
            read.failures.prefix(10).forEach { run.console.warn($0) }
            if read.failures.count > 10 { run.console.warn("\(read.failures.count - 10) failures more") }
        }
        func missing<E: JudgedExam>(_ exam: E) -> [(id: String, run: Int)] { exam.missing(sheet[exam]) }
        for exam in sheet.judgedExams where exams.contains(exam.name) {
            let all = missing(exam)
            guard let first = all.first else { continue }
            run.console.warn(
                "\(exam.title): \(all.count) answers without reply that could be read, the first is \(first.id) in run "
                    + "\(first.run); ask about them with eval judge-requests --missing")
        }
        if run.isDryRun { return }
        try sheet.write(to: "\(ScoreSheet.place(of: folder))/\(ScoreSheet.fileName)")
        try run.addOutput(folder, kind: .file)
        try run.addMetrics(of: sheet)
        try Program.put(try sheet.report())
    }
}

/// Reviews that a benchmark's script kept, without the answers.
struct JudgeReviews: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval judge-reviews",
        abstract: "Show the figures of reviews that a benchmark's own script kept.",
        discussion: """
            Each file is a run of the judge: LLaVA-Bench's lines with content, MMHal-Bench's array of the API's
            replies; MM-Vet's grades hold several.
              eval judge-reviews llava-bench eval1.jsonl eval2.jsonl eval3.jsonl
            """)

    @Argument(help: ArgumentHelp("Benchmark: llava-bench, mmhal or mm-vet.", valueName: "name")) var exam:
        String
    @Argument(help: ArgumentHelp("Reviews.", valueName: "file")) var reviews: [String]
    @Option(
        help: ArgumentHelp(
            "The benchmark's questions: MM-Vet's reviews don't say which capabilities they need.",
            valueName: "file"))
    var questions: String?
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func run(in run: StageRun) throws {
        let known = ExamList.all.exams.compactMap { $0 as? any JudgedExam }
        guard let exam = known.first(where: { $0.name == exam }) else {
            throw StageError.usage(
                "\(exam): no judged benchmark; give \(known.map(\.name).joined(separator: " or "))")
        }
        for path in reviews { run.addInput(try Digest.artefact(path, kind: .file), role: "reviews") }
        let asked = try questions.map { path in
            let file = ExamFile(path, lines: { FileLines(path) }, records: { [] })
            return try exam.read(file).questions
        }
        let scores = try exam.scores(ofReviews: reviews.map { FileLines($0) }, questions: asked)
        run.count(read: scores.count)
        if run.isDryRun { return }
        try Program.put(try exam.tables(scores).map(\.plainText).joined(separator: "\n"))
    }
}
