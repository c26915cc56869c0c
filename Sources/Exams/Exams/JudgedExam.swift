import Metrics
import Records

/// A benchmark whose answers another model judges. Three steps have files between them: answers, requests to a judge,
/// its replies. What a judge is asked and how a reply is read stands with the benchmark.
package protocol JudgedExam: Exam where Question == JudgedQuestion, Score == JudgedScore {
    /// The judge that its published figures come from.
    var officialJudge: String { get }
    /// How often each answer is judged.
    var runs: Int { get }
    /// Requests at most until a reply can be read.
    var attempts: Int { get }
    /// What a judge is asked where no other prompt is given: in words of our own, with the official scale.
    var ownPrompt: String { get }
    /// What all answers together are called in keys and tables.
    var whole: String { get }
    /// The parts that figures are given for, in their order, without the whole.
    var parts: [String] { get }
    var measures: [JudgedMeasure] { get }
    /// A finer part, which only its own table shows; nil where there is none.
    func group(of score: JudgedScore) -> String?
    /// What counts for a reply that can't be read.
    var unread: [Double] { get }

    /// - Parameter attempt: from 1.
    /// - Throws: `EvaluationError` for a prompt that lacks a place.
    func request(_ score: JudgedScore, _ prompt: JudgePrompt, attempt: Int) throws -> JudgeRequest
    /// The numbers in a reply, as the official script finds them; nil where it finds none.
    func grade(_ reply: String) -> [Double]?
    /// Whether the numbers follow from the reply and files of the benchmark together (`reader`).
    var readsWithFiles: Bool { get }
    /// What finds the numbers in a reply with the files of `folder`; nil where the reply's text is enough.
    ///
    /// - Throws: `EvaluationError` for a file that is missing or of another kind.
    func reader(_ folder: String) throws -> JudgeReader?
    /// What measures are means of.
    func values(of grade: [Double]) -> [Double]
    /// The reviews that the official script keeps, run by run; nil for a file of another kind.
    ///
    /// - Throws: `EvaluationError` with file and line.
    func reviews(_ file: FileLines) throws -> [[JudgeReview]]?
}

/// The numbers in a reply about an answer; nil where there are none.
package typealias JudgeReader = (_ reply: String, _ score: JudgedScore) -> [Double]?

extension JudgedExam {
    package var readsWithFiles: Bool { false }
    package func reader(_ folder: String) throws -> JudgeReader? { nil }
    package var answers: AnswerLength { .long }
    package var takesSeveralFiles: Bool { false }
    package var runs: Int { 1 }
    package var attempts: Int { 1 }
    package func group(of score: JudgedScore) -> String? { nil }
    package func values(of grade: [Double]) -> [Double] { grade }

    package func score(_ question: JudgedQuestion, answer: String, _ finder: ObjectFinder) -> JudgedScore {
        JudgedScore(question, answer: answer)
    }
}

/// A figure of a judged benchmark: of all answers, and of each part.
package struct JudgedMeasure: Sendable {
    /// Behind that of the exam, in keys of figures; may be empty.
    let key: String
    let name: String
    let unit: Figure.Unit
    let better: Figure.Better
    /// Whether it stands in summary and comparison.
    let isSummarized: Bool
    /// Of the means of the exam's values.
    let value: @Sendable (_ means: [Double]) -> Double
    /// As the official script prints it.
    let shown: @Sendable (_ value: Double) -> String

    init(
        _ key: String, _ name: String, _ unit: Figure.Unit, _ better: Figure.Better,
        isSummarized: Bool = true, value: @escaping @Sendable (_ means: [Double]) -> Double,
        shown: @escaping @Sendable (_ value: Double) -> String
    ) {
        (self.key, self.name, self.unit, self.better) = (key, name, unit, better)
        (self.isSummarized, self.value, self.shown) = (isSummarized, value, shown)
    }
}

/// A question that is answered at length, with what a judge is told besides.
package struct JudgedQuestion: ExamQuestion {
    let id: String
    /// The id that it has in LLaVA's files, where that is another.
    var sharedID: String?
    let file: String
    /// From 1.
    let line: Int
    let image: String
    let text: String
    /// The parts of the exam that it belongs to.
    let parts: [String]
    /// What the picture shows, in words.
    var context: String?
    /// The answer of a person or a model that saw more.
    let reference: String

    package var place: String { "\(file):\(line)" }
    package var asked: Asked { Asked(id: id, sharedID: sharedID, image: image, prompt: text) }
}

/// An answer with what judges said of it, word for word.
package struct JudgedScore: ExamScore {
    package var id: String
    package var image: String
    package var prompt: String
    package var parts: [String]
    package var context: String?
    package var reference: String
    package var answer: String
    /// In the order in which they were read.
    package var replies: [JudgeReply] = []

    init(_ question: JudgedQuestion, answer: String) {
        (id, image, prompt) = (question.id, question.image, question.text)
        (parts, context, reference) = (question.parts, question.context, question.reference)
        self.answer = answer
    }

    /// One of which only reviews are known.
    init(id: String, parts: [String]) {
        (self.id, image, prompt, self.parts) = (id, id, "", parts)
        (reference, answer) = ("", "")
    }

    package var said: String { answer }
    package var unanswered: JudgedScore {
        var score = self
        (score.answer, score.replies) = ("", [])
        return score
    }

    /// Says which answer a reply is about.
    var digest: String { JudgePrompt.digest([prompt, answer].map { "\($0.utf8.count) \($0)" }.joined(), 8) }
}

/// What a judge said of an answer.
package struct JudgeReply: Sendable, Equatable, Codable {
    /// How many times the answer has been judged with it, and how many requests that took; both from 1.
    package var run: Int
    package var attempt: Int
    /// As the reply names it; nil where it doesn't.
    package var judge: String?
    /// The beginning of the prompt's digest; nil for official reviews.
    package var prompt: String?
    package var text: String
    /// The numbers that an official review gives beside a text that is read otherwise; of an exam that reads with files,
    /// those that were found so.
    package var given: [Double]?
}

/// A review that the script of a benchmark kept.
package struct JudgeReview: Sendable {
    /// nil where reviews have only an order.
    var id: String?
    let line: Int
    let parts: [String]
    let judge: String?
    let text: String
    /// nil where the review has the text alone.
    let grade: [Double]?
}
