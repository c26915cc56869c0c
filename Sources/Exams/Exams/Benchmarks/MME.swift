import Foundation
import JSON
import Metrics
import Records

/// MME (Fu et al. 2023): two yes/no questions about each picture, fourteen tasks. Its own files are read as they are
/// (`existence.txt`, tab-separated), and LLaVA's (`llava_mme.jsonl`), which has the questions of all tasks (`category`)
/// and no labels: those stand in MME's.
package struct MME: Exam {
    package let name = "mme"
    package let title = "MME"
    package let help: String? = "MME questions, two per picture: records or MME's own files."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "MME's `TASK.txt` (tab-separated, all fourteen); LLaVA's `llava_mme.jsonl` with those folders beside it; records with `task`",
        source: "MME's authors; LLaVA's `eval.zip`", license: "none stated; for academic research")
    package let readsLabels = true
    package let standsEmpty = true

    package init() {}

    package static let perceptionTasks = [
        "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork",
        "OCR",
    ]
    package static let cognitionTasks = [
        "commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning",
    ]
    /// The four of the picture world first.
    package static let tasks: [String] = {
        let first = ["existence", "count", "color", "position"]
        return first + (perceptionTasks + cognitionTasks).filter { !first.contains($0) }
    }()

    /// Those of the tasks that are there; pictures are looked for in folders of the same names.
    package func files(in folder: String) -> [String] {
        let places = ["", "eval_tool/Your_Results/", "MME_Benchmark_release_version/eval_tool/Your_Results/"]
        let own = places.map { place in
            Self.tasks.map { "\(folder)/\(place)\($0).txt" }.filter(FileManager.default.fileExists)
        }
        return own.first { !$0.isEmpty } ?? ["\(folder)/llava_mme.jsonl"]
    }

    package func read(_ file: ExamFile) throws -> (questions: [LabelledQuestion], labelFiles: [String]) {
        var labels = MMELabels(for: file.path, files: file.labels)
        var ids = QuestionIDs()
        func question(_ object: JSONObject, _ line: Int) throws -> LabelledQuestion {
            var object = object
            if object["label"] == nil, let category = try object.string("category") {
                object.set("task", .string(category))
                object.set("label", .string(try labels.label(of: object, task: category)))
            }
            var shared: String?
            if object["id"] == nil {
                let id = try object.questionID()
                if ids.has(id) { shared = id }
            }
            let question = try LabelledQuestion(object, file: file.path, line: line, sharedID: shared) {
                try YesNo(label: $0.requiredString("label")).rawValue
            } task: {
                try Self.known($0.requiredString("task"))
            }
            try ids.add(question.id, line: line)
            return question
        }
        let lines = try file.lines()
        let questions =
            try MMETable.isOne(lines)
            ? MMETable(root: file.root).read(lines, question) : lines.objects(question)
        return (questions, labels.files)
    }

    private static func known(_ task: String) throws -> String {
        guard tasks.contains(task) else {
            throw RecordError.invalid(
                key: "task", found: "\"\(task)\"",
                remedy: "use one of MME's: \(tasks.joined(separator: ", "))")
        }
        return task
    }

    package func score(
        _ question: LabelledQuestion, answer: String, _ finder: ObjectFinder
    ) -> QuestionScore {
        QuestionScore(question, answer: answer, object: finder.onlyObject(in: question.text))
    }

    // MARK: - Figures

    /// Of each task 0 to 200, and the official sums where all of their tasks were asked.
    package var figures: [Figure] {
        let sums = [("perception", Self.perceptionTasks), ("cognition", Self.cognitionTasks)]
        return Self.tasks.map { task in
            Figure("mme_\(task)", "MME-style \(task)", .points(200), better: .more, TaskSums(task).formula)
        }
            + sums.map { name, tasks in
                Figure(
                    "mme_\(name)", "MME \(name)", .points(200 * tasks.count), better: .more,
                    .sum(tasks.map { TaskSums($0).formula }))
            }
    }

    /// Names of the sums of a task.
    private struct TaskSums {
        let right, questions, bothRight, images: String

        init(_ task: String) {
            (right, questions) = ("mme.\(task).right", "mme.\(task).questions")
            (bothRight, images) = ("mme.\(task).both-right", "mme.\(task).images")
        }

        /// Percent of answers that are right, and of pictures with both right (`eval_tool/calculation.py`).
        var formula: Formula {
            .function(of: [right, questions, bothRight, images]) {
                100 * quotient($0[0], $0[1]) + 100 * quotient($0[2], $0[3])
            }
        }
    }

    package func reading(of score: QuestionScore) -> AnswerReading? {
        AnswerReading(
            official: mmeAnswer(in: score.answer)?.rawValue,
            strict: firstWordAnswer(in: score.answer)?.rawValue)
    }

    package func count(
        _ scores: [QuestionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        for (task, pairs) in try Self.pairs(scores) where Self.tasks.contains(task) {
            let own = TaskSums(task)
            for (image, right) in pairs {
                sums.add(
                    [
                        own.right: Double(right), own.questions: 2, own.bothRight: right == 2 ? 1 : 0,
                        own.images: 1,
                    ], to: image)
            }
        }
    }

    /// Task by task the two questions about an image, which stand side by side, and how many answers are right.
    ///
    /// - Throws: `MetricsError.unmatched` where a question has no partner.
    private static func pairs(
        _ scores: [QuestionScore]
    ) throws -> [(task: String, pairs: [(image: String, right: Int)])] {
        var tasks: [String] = []
        var byTask: [String: [QuestionScore]] = [:]
        for score in scores {
            if byTask[score.task] == nil { tasks.append(score.task) }
            byTask[score.task, default: []].append(score)
        }
        return try tasks.map { task in
            let own = byTask[task] ?? []
            return try (
                task,
                stride(from: 0, to: own.count, by: 2).map { first in
                    guard first + 1 < own.count, own[first].image == own[first + 1].image else {
                        throw MetricsError.unmatched(
                            where: "MME \(task), question \(first + 1)",
                            found: "image \(own[first].image) has no second question beside it",
                            remedy: "keep the two questions of an image on adjacent lines")
                    }
                    let right = try own[first...(first + 1)].count {
                        mmeAnswer(in: $0.answer) == (try $0.truth())
                    }
                    return (own[first].image, right)
                }
            )
        }
    }
}

/// MME's reading of an answer: only the first four characters of the lower-cased text count; *yes* if they
/// contain `yes`, else *no* if they contain `no`, else neither. So `Not…`, `Know` and `Snow` are *no*, and
/// `The answer is yes` is unread and wrong (`calculation.py` of MME's eval tool).
package func mmeAnswer(in text: String) -> YesNo? {
    let head = Array(text.lowercased().unicodeScalars.prefix(4))
    func contains(_ word: String) -> Bool {
        let letters = Array(word.unicodeScalars)
        guard head.count >= letters.count else { return false }
        return (0...(head.count - letters.count)).contains { start in
            head[start..<(start + letters.count)].elementsEqual(letters)
        }
    }
    return contains("yes") ? .yes : contains("no") ? .no : nil
}

/// MME's own files, one per task and named by it: lines of picture, question and Yes or No, with tabs between.
struct MMETable {
    /// Where the pictures lie, as MME has them: in a folder of their task, or in `images` inside.
    let root: String

    /// Whether these are no lines of JSON.
    static func isOne(_ lines: FileLines) throws -> Bool {
        try lines.firstByte().map { $0 != UInt8(ascii: "{") } ?? false
    }

    /// The questions as objects, as `objects` gives them.
    func read<Row>(
        _ lines: FileLines, _ body: (_ object: JSONObject, _ line: Int) throws -> Row
    ) throws -> [Row] {
        let task = URL(fileURLWithPath: lines.path).deletingPathExtension().lastPathComponent
        return try Self.rows(lines, columns: ["a picture", "its question", "Yes or No"]) {
            fields, line in
            let (name, text, label) = (fields[0], fields[1], fields[2])
            var object = JSONObject()
            object.set("question_id", .string("\(task)/\(name)"))
            object.set("task", .string(task))
            object.set("image", .string(place(of: name, task)))
            object.set("text", .string(text))
            object.set("label", .string(label))
            return try body(object, line)
        }
    }

    private func place(of picture: String, _ task: String) -> String {
        let places = [picture, "\(task)/\(picture)", "\(task)/images/\(picture)"]
        return places.first { FileManager.default.fileExists(atPath: "\(root)/\($0)") } ?? picture
    }

    /// - Parameter columns: what the fields of a line are, for errors.
    static func rows<Row>(
        _ lines: FileLines, columns: [String],
        _ body: (_ fields: [String], _ line: Int) throws -> Row
    ) throws -> [Row] {
        var rows: [Row] = []
        try lines.forEach { line, number in
            let place = "\(lines.path):\(number)"
            if line.contains(0) {
                throw EvaluationError("\(place): a zero byte; the file is damaged, fetch it again")
            }
            guard let text = String(validating: line, as: UTF8.self) else {
                throw EvaluationError("\(place): not valid UTF-8; convert the file")
            }
            let fields = text.utf8.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(Substring($0)).trimmingCharacters(in: .whitespacesAndNewlines) }
            guard fields.count == columns.count else {
                throw EvaluationError(
                    "\(place): \(fields.count) fields; write \(columns.joined(separator: ", ")), separated by tabs, or "
                        + "a JSON object")
            }
            rows.append(try body(fields, number))
        }
        return rows
    }
}

/// MME's labels for questions that come without, met by picture and question: from a file per task, as `MMETable`, or
/// from the file beside each picture that has its two questions.
struct MMELabels {
    private let questions: String
    private let given: [String]
    /// By task, picture and question.
    private var labels: [String: String] = [:]
    private var read: Set<String> = []
    /// The files of tasks that labels were read from.
    private(set) var files: [String] = []

    /// - Parameter files: where there are none they are looked for beside `questions`, where LLaVA keeps them.
    init(for questions: String, files: [String]) { (self.questions, given) = (questions, files) }

    /// - Throws: `RecordError` for a question without label; `EvaluationError` for a file that can't be read.
    mutating func label(of question: JSONObject, task: String) throws -> String {
        let picture = URL(fileURLWithPath: try question.requiredString("image"))
        try readTable(of: task)
        let own = picture.deletingPathExtension().lastPathComponent
        try readPicture(own, of: task)
        let text = Self.words(try question.requiredString("text"))
        let keys = [picture.lastPathComponent, own].map { Self.key(task, $0, text) }
        guard let label = keys.compactMap({ labels[$0] }).first else {
            throw RecordError.invalid(
                key: "label",
                found: "missing, and "
                    + (files.isEmpty
                        ? "there is no MME file beside it"
                        : "\(files.joined(separator: ", ")) has none for this question"),
                remedy: "give MME's \(task).txt (picture, question, Yes or No) with --labels")
        }
        return label
    }

    private mutating func readTable(of task: String) throws {
        guard read.insert(task).inserted else { return }
        let places = ["", "eval_tool/Your_Results/", "MME_Benchmark_release_version/eval_tool/Your_Results/"]
        let found =
            given.isEmpty
            ? places.map { "\(folder)/\($0)\(task).txt" }.filter(FileManager.default.fileExists)
            : given.filter { URL(fileURLWithPath: $0).deletingPathExtension().lastPathComponent == task }
        guard let file = found.first else { return }
        files.append(file)
        let columns = ["a picture", "its question", "Yes or No"]
        _ = try MMETable.rows(FileLines(file), columns: columns) { fields, _ in
            labels[Self.key(task, fields[0], Self.words(fields[1]))] = fields[2]
        }
    }

    /// `existence/0001.txt`, or `posters/questions_answers_YN/tt001.txt`.
    private mutating func readPicture(_ name: String, of task: String) throws {
        guard given.isEmpty, read.insert("\(task)/\(name)").inserted else { return }
        let places = ["", "MME_Benchmark_release_version/"].flatMap {
            ["\($0)\(task)/questions_answers_YN", "\($0)\(task)"]
        }
        let found = places.map { "\(folder)/\($0)/\(name).txt" }.first(where: FileManager.default.fileExists)
        guard let file = found else { return }
        _ = try MMETable.rows(FileLines(file), columns: ["a question", "Yes or No"]) { fields, _ in
            labels[Self.key(task, name, Self.words(fields[0]))] = fields[1]
        }
    }

    private var folder: String { URL(fileURLWithPath: questions).deletingLastPathComponent().relativePath }

    private static func key(_ task: String, _ picture: String, _ question: String) -> String {
        [task, picture, question].joined(separator: "\n")
    }

    /// A question without what asks for a short answer.
    private static func words(_ text: String) -> String {
        let line = String(Substring(text.utf8.prefix { $0 != UInt8(ascii: "\n") }))
        return line.replacing("Please answer yes or no.", with: "")
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }
}
