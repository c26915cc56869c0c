import Foundation
import Records

/// Answers in LLaVA's format: JSON Lines with `question_id`, `prompt` and `text`. A file of answers is named as
/// the file of its questions.
package struct AnswerFile: Sendable {
    package struct Answer: Sendable, Equatable {
        package var id: String
        package var image: String
        package var prompt: String
        package var text: String

        package init(id: String, image: String, prompt: String, text: String) {
            (self.id, self.image, self.prompt, self.text) = (id, image, prompt, text)
        }
    }

    private let path: String
    private let texts: [String: String]

    /// - Throws: `EvaluationError` for a line without id or text, or an id that occurs twice.
    package init(path: String, bytes: [UInt8]) throws {
        self.path = path
        var texts: [String: String] = [:]
        _ = try ObjectLines.read(bytes, file: path) { object, _ in
            let id = try object.questionID()
            guard texts.updateValue(try object.requiredString("text"), forKey: id) == nil else {
                throw RecordError.invalid(
                    key: "question_id", found: "\"\(id)\" for the second time",
                    remedy: "keep one answer to a question")
            }
        }
        self.texts = texts
    }

    package init(path: String) throws { try self.init(path: path, bytes: EvaluationError.reading(path)) }

    /// The file that answers `questions`, among files and folders of files.
    ///
    /// - Throws: `EvaluationError` where there is none, or more than one.
    package static func find(for questions: String, in places: [String]) throws -> AnswerFile {
        let name = baseName(questions)
        let found = places.flatMap { place -> [String] in
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
            guard exists, isFolder.boolValue else { return baseName(place) == name ? [place] : [] }
            let file = "\(place)/\(fileName(questions))"
            return FileManager.default.fileExists(atPath: file) ? [file] : []
        }
        guard let file = found.first, found.count == 1 else {
            throw EvaluationError(
                "--answers: \(found.count) files named \(name) for the questions of \(questions); "
                    + "name the file of answers as that of the questions")
        }
        return try AnswerFile(path: file)
    }

    /// - Throws: `EvaluationError` where the question is not answered.
    package func text(of id: String) throws -> String {
        guard let text = texts[id] else {
            throw EvaluationError("\(path): no answer to \(id); answer every question, or use --limit")
        }
        return text
    }

    /// The name under which the answers to `questions` are written.
    package static func fileName(_ questions: String) -> String { baseName(questions) + ".jsonl" }

    /// `a` of `x/a.jsonl`.
    private static func baseName(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return name }
        return String(name[..<dot])
    }

    package static func lines(captions pictures: [KnownPicture], _ texts: [String]) -> String {
        lines(
            zip(pictures, texts).map { Answer(id: $0.id, image: $0.image, prompt: $0.prompt, text: $1) })
    }

    package static func lines(_ answers: [Answer]) -> String {
        answers.map { answer in
            var object = JSONObject()
            object.set("question_id", .string(answer.id))
            object.set("image", .string(answer.image))
            object.set("prompt", .string(answer.prompt))
            object.set("text", .string(answer.text))
            return object.text + "\n"
        }.joined()
    }
}
