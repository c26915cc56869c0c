import Benchmarks
import Foundation
import JSON
import Records

/// POPE's labels for questions that come without: a file for each split, read when its first question asks.
///
/// A question is met by picture and text. The official script (`llava/eval/eval_pope.py`) meets them by position,
/// which gives the same for the files that belong together and anything for others: POPE has two releases with the
/// same ids, of 2,910 and of 3,000 random questions.
struct LabelBook {
    private struct Entry {
        let label: String
        var isUsed = false
    }

    private let questions: String
    private let given: [String]
    /// The file of each split that was asked for.
    private(set) var files: [POPESplit: String] = [:]
    private var labels: [POPESplit: [String: Entry]] = [:]

    /// - Parameter files: nil names are looked for beside `questions`, where LLaVA keeps them.
    init(for questions: String, files: [String]) { (self.questions, given) = (questions, files) }

    /// - Throws: `RecordError` for a question that the split's file doesn't have; `EvaluationError` where there is
    ///   no such file, or it can't be read.
    mutating func label(of question: JSONObject, split word: String) throws -> String {
        let split = try POPESplit(known: word, key: "category")
        if labels[split] == nil { try open(split) }
        let key = try Self.key(question)
        guard let label = labels[split]?[key]?.label else {
            throw RecordError.invalid(
                key: "text", found: "a question that \(files[split] ?? "") has no label for",
                remedy: "give the label files of these questions with --labels")
        }
        labels[split]?[key]?.isUsed = true
        return label
    }

    /// - Throws: `EvaluationError` where a file has labels for other questions too.
    func checkThatAllAreUsed() throws {
        for split in POPESplit.allCases {
            let entries = (labels[split] ?? [:]).values
            let idle = entries.count { !$0.isUsed }
            guard idle > 0 else { continue }
            throw EvaluationError(
                "\(files[split] ?? ""): \(idle) of \(entries.count) labels are for questions that \(questions) doesn't "
                    + "have; give the label files of the release that the questions come from with --labels "
                    + "(LLaVA's are POPE at e3e3926, 2,910 + 3,000 + 3,000)")
        }
    }

    private mutating func open(_ split: POPESplit) throws {
        let file = try find(split)
        var entries: [String: Entry] = [:]
        _ = try ObjectLines.read(EvaluationError.reading(file), file) { object, _ in
            let label = try object.requiredString("label")
            let other = entries.updateValue(Entry(label: label), forKey: try Self.key(object))
            guard other.map({ $0.label == label }) ?? true else {
                throw RecordError.invalid(
                    key: "label", found: "\"\(label)\", and another for the same question before",
                    remedy: "keep one of them")
            }
        }
        (files[split], labels[split]) = (file, entries)
    }

    private func find(_ split: POPESplit) throws -> String {
        let folder = URL(fileURLWithPath: questions).deletingLastPathComponent().relativePath
        let name = "coco_pope_\(split.rawValue).json"
        let candidates =
            given.isEmpty
            ? ["\(folder)/\(name)", "\(folder)/coco/\(name)"].filter(FileManager.default.fileExists)
            : given.filter { ($0.split(separator: "/").last ?? "").contains(split.rawValue) }
        guard let file = candidates.first, given.isEmpty || candidates.count == 1 else {
            throw EvaluationError(
                "\(questions): the \(split.rawValue) questions have no labels, and \(candidates.count) files of them "
                    + (given.isEmpty ? "lie beside it" : "are among --labels")
                    + "; give POPE's \(name) with --labels")
        }
        return file
    }

    /// Picture and first line: LLaVA asks for a short answer on a second one.
    private static func key(_ question: JSONObject) throws -> String {
        let text = try question.requiredString("text")
        let line = text.utf8.prefix { $0 != UInt8(ascii: "\n") }
        return try question.requiredString("image") + "\n" + String(decoding: line, as: UTF8.self)
    }
}

extension POPESplit {
    /// - Throws: `RecordError` for a word that is no split.
    init(known word: String, key: String) throws {
        guard let split = POPESplit(rawValue: word) else {
            throw RecordError.invalid(
                key: key, found: "\"\(word)\"", remedy: "use random, popular or adversarial")
        }
        self = split
    }
}
