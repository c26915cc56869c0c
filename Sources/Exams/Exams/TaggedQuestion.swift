import Foundation
import JSON
import Records

/// A question that is held against several references, or whose figures go by more than one part.
package struct TaggedQuestion: ExamQuestion {
    package let place: String
    package let asked: Asked
    /// What people answered; empty where that isn't published.
    package let references: [String]
    /// What the benchmark says of it, by its own words.
    package let tags: [String: String]
    package let ranked: Choices?
    /// What most people answered.
    package var solution: String? { references.mostFrequent }

    package init(
        _ asked: Asked, place: String, references: [String], tags: [String: String] = [:],
        ranked: Choices? = nil
    ) {
        (self.asked, self.place, self.references, self.tags) = (asked, place, references, tags)
        self.ranked = ranked
    }
}

/// A tagged question with the model's answer.
package struct TaggedScore: ExamScore {
    package var id: String
    package var image: String
    package var prompt: String
    package var references: [String]
    package var tags: [String: String]
    package var answer: String

    package init(
        id: String, image: String, prompt: String = "?", references: [String], tags: [String: String] = [:],
        answer: String
    ) {
        (self.id, self.image, self.prompt) = (id, image, prompt)
        (self.references, self.tags, self.answer) = (references, tags, answer)
    }

    package var said: String { answer }
    package var unanswered: TaggedScore {
        var score = self
        score.answer = ""
        return score
    }

    subscript(tag: String) -> String { tags[tag] ?? "" }
}

extension Exam where Question == TaggedQuestion, Score == TaggedScore {
    package func score(_ question: TaggedQuestion, answer: String, _ finder: ObjectFinder) -> TaggedScore {
        TaggedScore(
            id: question.asked.id, image: question.asked.image, prompt: question.asked.prompt,
            references: question.references, tags: question.tags, answer: answer)
    }
}

extension JSONObject {
    /// - Parameter count: how many the official script takes; nil: any number.
    /// - Throws: `RecordError` where they are none of people's answers: an array of objects with `answer`.
    func people(_ key: String = "answers", count: Int? = nil) throws -> [String] {
        let answers = try required(key, objects(key) { try $0.requiredString("answer") })
        return try Self.checked(answers, key, count)
    }

    static func checked(_ answers: [String], _ key: String, _ count: Int?) throws -> [String] {
        guard answers.count == count ?? max(1, answers.count) else {
            throw RecordError.invalid(
                key: key, found: "\(answers.count) answers",
                remedy: "give the answers of \(count.map(String.init) ?? "all") people")
        }
        return answers
    }
}

extension ExamFile {
    /// The file of labels for these questions: among `--labels`, else beside them.
    ///
    /// - Parameter names: as it is downloaded.
    /// - Returns: nil where none was given and none lies there.
    /// - Throws: `EvaluationError` where those given are others, or several.
    func labelFile(named names: [String]) throws -> String? {
        let folder = URL(fileURLWithPath: path).deletingLastPathComponent().relativePath
        guard !labels.isEmpty else {
            return names.map { "\(folder)/\($0)" }.first(where: FileManager.default.fileExists)
        }
        let own = labels.filter { names.contains(URL(fileURLWithPath: $0).lastPathComponent) }
        guard let file = labels.count == 1 ? labels.first : own.first, labels.count == 1 || own.count == 1
        else {
            throw EvaluationError(
                "\(path): \(own.count) of --labels are named \(names.joined(separator: " or ")); give one such file"
            )
        }
        return file
    }

    /// - Throws: `EvaluationError` where there is none.
    func requiredLabelFile(named names: [String]) throws -> String {
        guard let file = try labelFile(named: names) else {
            throw EvaluationError(
                "\(path): its questions have no labels, and no \(names.joined(separator: " or ")) lies beside it; "
                    + "give that file with --labels")
        }
        return file
    }
}

extension RecordError {
    /// A question for which a file has no label.
    static func unlabelled(_ id: String, in file: String) -> RecordError {
        .invalid(
            key: "question_id", found: "\"\(id)\", which \(file) has no label for",
            remedy: "give the labels of these questions with --labels")
    }
}
