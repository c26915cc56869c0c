import Benchmarks
import Foundation
import JSON
import Records

/// MME's own files, one per task and named by it: lines of picture, question and Yes or No, with tabs between.
struct MMETable {
    /// Where the pictures lie, as MME has them: in a folder of their task, or in `images` inside.
    let root: String

    /// Whether these are no lines of JSON.
    static func isOne(_ bytes: [UInt8]) -> Bool {
        bytes.first { $0 > 0x20 }.map { $0 != UInt8(ascii: "{") } ?? false
    }

    /// The questions as objects, as `ObjectLines.read` gives them.
    func read<Row>(
        _ bytes: [UInt8], _ file: String, _ body: (_ object: JSONObject, _ line: Int) throws -> Row
    ) throws -> [Row] {
        let task = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        return try Self.lines(bytes, file, columns: ["a picture", "its question", "Yes or No"]) {
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
    static func lines<Row>(
        _ bytes: [UInt8], _ file: String, columns: [String],
        _ body: (_ fields: [String], _ line: Int) throws -> Row
    ) throws -> [Row] {
        var rows: [Row] = []
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            let place = "\(file):\(index + 1)"
            guard let text = String(validating: line, as: UTF8.self) else {
                throw EvaluationError("\(place): not valid UTF-8; convert the file")
            }
            let fields = text.utf8.split(separator: UInt8(ascii: "\t"), omittingEmptySubsequences: false)
                .map { String(Substring($0)).trimmingCharacters(in: .whitespacesAndNewlines) }
            guard fields.count == columns.count else {
                throw EvaluationError(
                    "\(place): \(fields.count) fields; write \(columns.joined(separator: ", ")), with tabs between, or "
                        + "a JSON object")
            }
            do { rows.append(try body(fields, index + 1)) } catch let error as RecordError {
                throw EvaluationError("\(place): \(error)")
            }
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
                        ? "no file of MME's lies beside it"
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
        _ = try MMETable.lines(EvaluationError.reading(file), file, columns: columns) { fields, _ in
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
        _ = try MMETable.lines(
            EvaluationError.reading(file), file, columns: ["a question", "Yes or No"]
        ) { fields, _ in labels[Self.key(task, name, Self.words(fields[0]))] = fields[1] }
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
