import Foundation
import JSON
import Records

/// A question about a picture with its right answer, as most benchmarks have them.
package struct LabelledQuestion: ExamQuestion, Equatable {
    @SharedText package private(set) var id: String
    private let fileID: SharedText?
    @SharedText package private(set) var file: String
    /// From 1.
    package let line: Int
    @SharedText package private(set) var image: String
    /// With the choices, where it has some.
    @SharedText package private(set) var text: String
    @SharedText package private(set) var label: String
    /// The part of the exam that it belongs to: POPE's split, MME's task.
    @SharedText package private(set) var task: String

    /// The id that LLaVA's files have for both questions about a picture of MME; nil where questions have their own.
    package var sharedID: String? { fileID?.text }
    package var place: String { "\(file):\(line)" }
    package var asked: Asked { Asked(id: id, sharedID: sharedID, image: image, prompt: text) }
    package var solution: String? { label }
}

extension LabelledQuestion {
    /// What lines have in common: `question_id` or `id`, `image`, `text`.
    ///
    /// - Parameter ordinal: which it is under a shared id.
    /// - Throws: `RecordError` for what is missing or no text.
    package init(
        _ object: JSONObject, file: String, line: Int, sharedID: String? = nil, ordinal: Int = 2,
        label: (JSONObject) throws -> String, task: (JSONObject) throws -> String
    ) throws {
        (self.line, fileID) = (line, sharedID.map { SharedText($0) })
        _file = SharedText(file)
        _id = SharedText(try sharedID.map { "\($0)#\(ordinal)" } ?? object.questionID())
        _image = SharedText(try object.requiredString("image"))
        _text = SharedText(try object.requiredString("text"))
        _label = SharedText(try label(object))
        _task = SharedText(try task(object))
    }
}

/// A labelled question with the model's answer.
package struct QuestionScore: ExamScore {
    @SharedText package var id: String
    @SharedText package var image: String
    @SharedText package var prompt: String
    /// The part of the exam: POPE's split, MME's task.
    @SharedText package var task: String
    @SharedText package var label: String
    @SharedText package var answer: String
    private let named: SharedText?

    /// The one object that the question names; nil where it names none or several, and in sheets of before.
    package var object: String? { named?.text }

    private enum CodingKeys: String, CodingKey {
        case id, image, prompt, task, label, answer
        case named = "object"
    }

    package init(
        id: String, image: String, prompt: String, task: String, label: String, answer: String,
        object: String? = nil
    ) {
        (_id, _image, _prompt) = (SharedText(id), SharedText(image), SharedText(prompt))
        (_task, _label, _answer) = (SharedText(task), SharedText(label), SharedText(answer))
        named = object.map { SharedText($0) }
    }

    package init(_ question: LabelledQuestion, answer: String, object: String? = nil) {
        self.init(
            id: question.id, image: question.image, prompt: question.text, task: question.task,
            label: question.label, answer: answer, object: object)
    }

    package var said: String { answer }
    package var unanswered: QuestionScore {
        var score = self
        score.answer = ""
        return score
    }
}

extension Exam where Question == LabelledQuestion, Score == QuestionScore {
    package func score(
        _ question: LabelledQuestion, answer: String, _ finder: ObjectFinder
    ) -> QuestionScore { QuestionScore(question, answer: answer) }
}

/// The lines on which ids were met.
package struct QuestionIDs {
    private var lines: [SharedText: Int] = [:]

    package init() {}

    package func has(_ id: String) -> Bool { lines[SharedText(id)] != nil }

    /// - Throws: `RecordError` where the file has the id already.
    package mutating func add(_ id: String, line: Int) throws {
        if let first = lines.updateValue(line, forKey: SharedText(id)) {
            throw RecordError.invalid(
                key: "id", found: "\"\(id)\", which line \(first) has too", remedy: "ids must differ")
        }
    }
}

/// Why something can't be evaluated; reads `where: what was found; what to do`.
package struct EvaluationError: Error, Equatable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    package static func reading(_ path: String) throws -> [UInt8] {
        var isFolder: ObjCBool = false
        if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), isFolder.boolValue {
            throw EvaluationError("\(path): it is a folder; name a file")
        }
        do { return Array(try Data(contentsOf: URL(fileURLWithPath: path))) } catch {
            throw EvaluationError("\(path): it can't be read (\(error.localizedDescription)); check the path")
        }
    }
}
