import Benchmarks
import Foundation
import JSON
import Records

/// A yes/no question about a picture with its right answer: a line of a POPE or MME file.
package struct Question: Sendable, Equatable {
    package enum Benchmark: String, Sendable, Codable, CaseIterable { case pope, mme }

    package let benchmark: Benchmark
    package let id: String
    /// The id that LLaVA's files have for both questions about a picture of MME; nil where questions have their own.
    package let sharedID: String?
    /// `file:line`, for messages.
    package let place: String
    package let image: String
    package let text: String
    package let label: YesNo
    /// POPE's split or MME's task.
    package let task: String

    package var asked: Asked { Asked(id: id, sharedID: sharedID, image: image, prompt: text) }
}

/// A file of questions. POPE's own files (`coco_pope_random.json`, JSON Lines despite the name) are read as
/// they are: `question_id`, `image`, `text`, `label`. So are MME's (`existence.txt`, tab-separated), and LLaVA's
/// (`llava_pope_test.jsonl`, `llava_mme.jsonl`), which have the questions of all splits or tasks (`category`) and no
/// labels: those stand in the benchmarks' own files.
package struct QuestionFile: Sendable, Equatable {
    package let path: String
    package let questions: [Question]
    /// Where labels came from that the file itself lacks.
    package let labelFiles: [String]

    /// - Parameters:
    ///   - labels: the benchmark's files, for questions without; where none are given those beside the questions.
    ///   - root: where pictures lie, in which MME's are found by task.
    /// - Throws: `EvaluationError` naming file and line for what is no question, whose label is missing or neither
    ///   yes nor no, whose split or task isn't known, or whose id the file has already; and for labels of questions
    ///   that aren't there.
    package init(
        _ benchmark: Question.Benchmark, path: String, labels: [String] = [], root: String = "."
    ) throws {
        try self.init(
            benchmark, path: path, bytes: EvaluationError.reading(path), labels: labels, root: root)
    }

    package init(
        _ benchmark: Question.Benchmark, path: String, bytes: [UInt8], labels: [String] = [],
        root: String = "."
    ) throws {
        var seen: [String: Int] = [:]
        var book = LabelBook(for: path, files: labels)
        var mmeBook = MMELabels(for: path, files: labels)
        self.path = path
        func question(_ object: JSONObject, _ line: Int) throws -> Question {
            var object = object
            if object["label"] == nil, let category = try object.string("category") {
                object.set(benchmark == .pope ? "split" : "task", .string(category))
                let label =
                    switch benchmark {
                    case .pope: try book.label(of: object, split: category)
                    case .mme: try mmeBook.label(of: object, task: category)
                    }
                object.set("label", .string(label))
            }
            var shared: String?
            if benchmark == .mme, object["id"] == nil, seen[try object.questionID()] != nil {
                shared = try object.questionID()
            }
            let question = try Question(
                benchmark, object, sharedID: shared, place: "\(path):\(line)", file: path)
            if let first = seen.updateValue(line, forKey: question.id) {
                throw RecordError.invalid(
                    key: "id", found: "\"\(question.id)\", which line \(first) has too",
                    remedy: "ids must differ")
            }
            return question
        }
        questions =
            benchmark == .mme && MMETable.isOne(bytes)
            ? try MMETable(root: root).read(bytes, path, question)
            : try ObjectLines.read(bytes, path, question)
        try book.checkThatAllAreUsed()
        labelFiles = (Array(book.files.values) + mmeBook.files).sorted()
    }
}

extension Question {
    fileprivate init(
        _ benchmark: Benchmark, _ object: JSONObject, sharedID: String?, place: String, file: String
    ) throws {
        self.benchmark = benchmark
        self.place = place
        self.sharedID = sharedID
        id = try sharedID.map { "\($0)#2" } ?? object.questionID()
        image = try object.requiredString("image")
        text = try object.requiredString("text")
        let word = try object.requiredString("label")
        guard let label = YesNo(rawValue: word.lowercased()) else {
            throw RecordError.invalid(key: "label", found: "\"\(word)\"", remedy: "write yes or no")
        }
        self.label = label
        switch benchmark {
        case .mme:
            task = try object.requiredString("task")
            guard SummaryKey.mmeTasks.contains(task) else {
                throw RecordError.invalid(
                    key: "task", found: "\"\(task)\"",
                    remedy: "use one of MME's: \(SummaryKey.mmeTasks.joined(separator: ", "))")
            }
        case .pope: task = try Self.split(try object.string("split"), file).rawValue
        }
    }

    /// POPE's own files say the split only in their names.
    private static func split(_ word: String?, _ file: String) throws -> POPESplit {
        if let word { return try POPESplit(known: word, key: "split") }
        let name = file.split(separator: "/").last ?? ""
        if let split = POPESplit.allCases.first(where: { name.contains($0.rawValue) }) { return split }
        throw RecordError.missing(key: "split")
    }
}

extension JSONObject {
    /// `id`, else `question_id`, which POPE and LLaVA write as a number or a string.
    func questionID() throws -> String {
        if let id = try string("id") { return id }
        switch self["question_id"] {
        case .string(let text)?: return text
        case .number(let number)?: return number.raw
        default: throw RecordError.missing(key: "id")
        }
    }
}

/// Files with one JSON object per line that are no records of the family: ids may be missing or numbers.
enum ObjectLines {
    /// - Parameter body: what it throws gets file and line before it.
    static func read<Row>(
        _ bytes: [UInt8], _ file: String, _ body: (_ object: JSONObject, _ line: Int) throws -> Row
    ) throws -> [Row] {
        var rows: [Row] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            do {
                rows.append(try body(JSONObject(parsing: line), index + 1))
            } catch let error as RecordError {
                throw EvaluationError("\(file):\(index + 1): \(error)")
            }
        }
        return rows
    }
}

/// Why something can't be evaluated; reads `where: what was found; what to do`.
package struct EvaluationError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    package static func reading(_ path: String) throws -> [UInt8] {
        do { return Array(try Data(contentsOf: URL(fileURLWithPath: path))) } catch {
            throw EvaluationError("\(path): it can't be read (\(error.localizedDescription)); check the path")
        }
    }
}
