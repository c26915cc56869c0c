import Metrics
import Records
import Tables

/// A benchmark: which files it reads, how it asks, how it judges, and its figures. All that is particular to one stands
/// in its own file; the options of `eval`, score sheet, summary, comparison and report follow from `ExamList`.
package protocol Exam: Sendable {
    associatedtype Question: ExamQuestion
    associatedtype Score: ExamScore

    /// Its option of `eval`, its word in `EXAM` and its key in `scores.json`: words with hyphens between.
    var name: String { get }
    /// As papers have it.
    var title: String { get }
    /// What its option takes; nil where it reads no files and only asks on (`followUps`).
    var help: String? { get }
    /// What `eval list` and docs/benchmarks.md say of its files; nil where it reads none.
    var facts: ExamFacts? { get }
    var takesSeveralFiles: Bool { get }
    /// Whether labels may lie in files beside those of the questions.
    var readsLabels: Bool { get }
    /// Whether its key stands in a sheet in which nothing was asked, as version 1 has it.
    var standsEmpty: Bool { get }
    var answers: AnswerLength { get }
    /// In which answers may be given besides LLaVA's: those of its own script.
    var layouts: [AnswerLayout] { get }
    /// Whether files of answers may have more than it asks about, as those of a whole of which it is a part.
    var isPart: Bool { get }
    /// In the order of `summary.json`; those whose sums weren't counted are left out there.
    var figures: [Figure] { get }
    var highlights: Highlights { get }
    /// Figures that another reading of the answers gives beside the official one.
    var readings: [FigureReadings] { get }

    /// The files of its questions in a folder as it is downloaded, in the order of its parts.
    func files(in folder: String) -> [String]
    /// - Returns: the questions, and files that labels were read from.
    /// - Throws: `EvaluationError` or `RecordError` naming file and line of what is no question.
    func read(_ file: ExamFile) throws -> (questions: [Question], labelFiles: [String])
    /// Questions that the answers to others give rise to.
    func followUps(to sheet: ScoreSheet) -> [Question]
    /// An answer held against the truth, as the sheet keeps it.
    func score(_ question: Question, answer: String, _ finder: ObjectFinder) -> Score
    /// Adds what the figures follow from, picture by picture.
    ///
    /// - Parameter sheet: with what was answered in other exams.
    /// - Throws: `EvaluationError` or `MetricsError` for scores that can't be counted.
    func count(_ scores: [Score], beside sheet: ScoreSheet, in sums: inout ClusteredSums) throws
    /// Right or wrong, question by question, for a paired test; a series for each part of the exam.
    func trials(_ scores: [Score]) throws -> [TrialSeries]
    /// What the answer is taken for; nil where answers aren't read as one of a few.
    func reading(of score: Score) -> AnswerReading?
    /// Rows of two cells behind the figures that `eval` prints.
    func remarks(_ scores: [Score]) -> [[String]]
    /// What `eval` prints under the figures.
    func tables(_ scores: [Score]) throws -> [TextTable]
    /// What the benchmark's server takes, and under which name; nil where answers are scored here alone.
    func submission(of scores: [Score]) -> (name: String, bytes: [UInt8])?
    /// What is worth a sentence of its own in a comparison.
    ///
    /// - Parameters:
    ///   - rows: by key.
    ///   - run: its index there; `base` names the first.
    func conclusion(_ rows: [String: BootstrapResult], run: Int, base: String) -> String?
}

extension Exam {
    package var title: String { name }
    package var facts: ExamFacts? { nil }
    package var takesSeveralFiles: Bool { true }
    package var readsLabels: Bool { false }
    package var standsEmpty: Bool { false }
    package var answers: AnswerLength { .short }
    package var layouts: [AnswerLayout] { [] }
    package var isPart: Bool { false }
    package var highlights: Highlights { Highlights() }
    package var readings: [FigureReadings] { [] }
    package func files(in folder: String) -> [String] { [] }
    package func followUps(to sheet: ScoreSheet) -> [Question] { [] }
    package func trials(_ scores: [Score]) throws -> [TrialSeries] { [] }
    package func reading(of score: Score) -> AnswerReading? { nil }
    package func remarks(_ scores: [Score]) -> [[String]] { [] }
    package func tables(_ scores: [Score]) throws -> [TextTable] { [] }
    package func submission(of scores: [Score]) -> (name: String, bytes: [UInt8])? { nil }
    package func conclusion(_ rows: [String: BootstrapResult], run: Int, base: String) -> String? { nil }
}

/// Which files a benchmark needs and where they are had, in Markdown.
package struct ExamFacts: Sendable {
    package let files: String
    package let source: String
    /// Of the data.
    package let license: String

    package init(files: String, source: String, license: String) {
        (self.files, self.source, self.license) = (files, source, license)
    }
}

/// How much is let be said.
package enum AnswerLength: Sendable {
    case caption, short, long
    /// Nothing: the letter of the likeliest of a question's choices is the answer.
    case ranked
}

/// Something asked about a picture.
package protocol ExamQuestion: Sendable {
    var asked: Asked { get }
    /// `file:line`, for messages.
    var place: String { get }
    /// What is right, as the benchmark has it; nil where no answer alone is.
    var solution: String? { get }
    /// What is ranked by its likelihood; nil where the answer is drawn.
    var ranked: Choices? { get }
}

extension ExamQuestion {
    package var solution: String? { nil }
    package var ranked: Choices? { nil }
}

/// An answer with all that its figures need: an object of `scores.json`.
package protocol ExamScore: Sendable, Equatable, Codable {
    var image: String { get }
    /// What was said.
    var said: String { get }
    /// What was asked, without what was said.
    var unanswered: Self { get }
}

/// A figure by the official reading of answers, and by a stricter one.
package struct FigureReadings: Sendable {
    /// Keys of figures.
    package let official: String
    package let strict: String

    package init(official: String, strict: String) { (self.official, self.strict) = (official, strict) }
}

/// What an answer is taken for: `yes`, `B`.
package struct AnswerReading: Sendable, Equatable {
    /// By the benchmark's own script; nil where it reads nothing.
    package let official: String?
    /// By a rule that takes nothing but a plain answer; nil where it is none.
    package let strict: String?

    package init(official: String?, strict: String?) { (self.official, self.strict) = (official, strict) }
}

/// Questions that were answered rightly or wrongly.
package struct TrialSeries: Sendable {
    package struct Trial: Sendable {
        package let image: String
        package let label: String
        package let isRight: Bool

        package init(image: String, label: String, isRight: Bool) {
            (self.image, self.label, self.isRight) = (image, label, isRight)
        }
    }

    /// The exam's name as papers have it.
    package let exam: String
    package let part: String
    package var trials: [Trial]

    package init(exam: String, part: String, _ trials: [Trial] = []) {
        (self.exam, self.part, self.trials) = (exam, part, trials)
    }
}

/// A file of an exam's questions, with what may be needed to read it.
package struct ExamFile {
    package let path: String
    /// Files of labels that were named, for questions without.
    package let labels: [String]
    /// Where pictures lie.
    package let root: String
    package let finder: ObjectFinder
    package let lines: () throws -> FileLines
    /// The same, where its lines are records of the family.
    package let records: () throws -> [(record: Record, place: String)]

    package init(
        _ path: String, labels: [String] = [], root: String = ".", _ finder: ObjectFinder = ObjectFinder(),
        lines: @escaping () throws -> FileLines,
        records: @escaping () throws -> [(record: Record, place: String)]
    ) {
        (self.path, self.labels, self.root, self.finder) = (path, labels, root, finder)
        (self.lines, self.records) = (lines, records)
    }
}
