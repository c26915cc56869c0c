import Exams
import Foundation
import Records

/// A caption of so many words that names these objects.
func caption(
    _ image: String, names mentions: [String], truth: [String], words: Int, habits: [AppliedHabit] = [],
    told: [AppliedHabit]? = nil
) -> CaptionScore {
    CaptionScore(
        id: image, image: image, text: Array(repeating: "word", count: words).joined(separator: " "),
        objects: truth, mentions: mentions.map { .init(word: $0, object: $0) }, habits: habits, told: told)
}

/// A question of POPE or MME, answered.
func question(
    _ image: String, _ task: String, label: String, answer: String, object: String? = nil
) -> QuestionScore {
    QuestionScore(
        id: UUID().uuidString, image: image, prompt: "?", task: task, label: label, answer: answer,
        object: object)
}

extension ScoreSheet {
    init(
        model: String? = nil, seconds: Double = 0, captions: [CaptionScore] = [],
        pope: [QuestionScore] = [], mme: [QuestionScore] = [], habit: [HabitScore]? = nil
    ) {
        self.init(model: model, seconds: seconds)
        self[Captions()] = captions
        self[POPE()] = pope
        self[MME()] = mme
        if let habit { self[OwnInventions()] = habit }
    }

    var pope: [QuestionScore] { self[POPE()] }
    var mme: [QuestionScore] { self[MME()] }
}

extension ExamFile {
    /// A file that is read where it stands, or these bytes under its name.
    init(_ path: String, bytes: [UInt8]? = nil, labels: [String] = [], root: String = ".") {
        self.init(
            path, labels: labels, root: root, lines: { FileLines(path, bytes: bytes) },
            records: {
                let lines = try (bytes ?? EvaluationError.reading(path)).split(separator: UInt8(ascii: "\n"))
                return try lines.enumerated().map { (try Record(parsing: $1), "\(path):\($0 + 1)") }
            })
    }
}

extension Exam {
    func read(
        path: String, bytes: [UInt8]? = nil, labels: [String] = [], root: String = "."
    ) throws -> (questions: [Question], labelFiles: [String]) {
        try read(ExamFile(path, bytes: bytes, labels: labels, root: root))
    }
}
