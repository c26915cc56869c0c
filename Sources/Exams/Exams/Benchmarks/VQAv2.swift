import Foundation
import JSON
import Metrics
import Records
import Tables

/// VQA v2 (Goyal et al. 2017). Its own files are read as they are: questions, and annotations beside them. LLaVA's files
/// of the test splits have no answers: theirs become what the server takes
/// (`scripts/convert_vqav2_for_submission.py`).
package struct VQAv2: Exam {
    package let name = "vqav2"
    package let title = "VQAv2"
    package let help: String? = "VQA v2 questions with annotations beside them, or LLaVA's test-dev file."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`v2_OpenEnded_mscoco_val2014_questions.json` and `v2_mscoco_val2014_annotations.json`; a file with `test` in its name: writes `vqav2-submission.json`",
        source: "VQA's site; LLaVA's `eval.zip`", license: "CC BY 4.0")
    package let readsLabels = true
    package let layouts = [AnswerLayout(id: "question_id", text: "answer")]

    package init() {}

    private static let split = "val2014"
    private static let annotations = "v2_mscoco_\(split)_annotations.json"

    package func files(in folder: String) -> [String] {
        ["\(folder)/v2_OpenEnded_mscoco_\(Self.split)_questions.json"]
    }

    private struct Label {
        let references: [String]
        let tags: [String: String]
    }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        let name = URL(fileURLWithPath: file.path).lastPathComponent
        // Answers to the test splits aren't published.
        let labelFile =
            try name.contains("test")
            ? file.labels.isEmpty ? nil : file.labelFile(named: [Self.annotations])
            : file.requiredLabelFile(named: [Self.annotations])
        let labels = try labelFile.map { try Self.labels(in: FileLines($0)) }
        var ids = QuestionIDs()
        func question(_ object: JSONObject, _ line: Int, _ image: String, _ text: String) throws
            -> TaggedQuestion
        {
            let id = try object.word("question_id")
            try ids.add(id, line: line)
            let asked = Asked(id: id, image: image, prompt: text)
            guard let labels, let labelFile else {
                return TaggedQuestion(asked, place: "\(file.path):\(line)", references: [])
            }
            guard let label = labels[id] else { throw RecordError.unlabelled(id, in: labelFile) }
            return TaggedQuestion(
                asked, place: "\(file.path):\(line)", references: label.references, tags: label.tags)
        }
        let lines = try file.lines()
        var questions: [TaggedQuestion] = []
        if try lines.hasObjects(with: "question_id") {
            questions = try lines.objects { object, line in
                try question(object, line, object.requiredString("image"), object.requiredString("text"))
            }
        } else {
            let split = ["train2014", "val2014", "test2015"].first { name.contains($0) } ?? Self.split
            try lines.forEachObject(of: "questions") { object, line in
                let number = try object.word("image_id")
                let zeros = String(repeating: "0", count: max(0, 12 - number.count))
                questions.append(
                    try question(
                        object, line, "COCO_\(split)_\(zeros)\(number).jpg", object.requiredString("question")
                    ))
            }
        }
        try checkThatAllAreAsked(
            labels.map { $0.count } ?? questions.count, questions.count, labelFile ?? "", file.path)
        return (questions, labelFile.map { [$0] } ?? [])
    }

    /// The official script goes through the annotations.
    private func checkThatAllAreAsked(_ labels: Int, _ questions: Int, _ labelFile: String, _ file: String)
        throws
    {
        guard labels > questions else { return }
        throw EvaluationError(
            "\(labelFile): \(labels - questions) of \(labels) annotations are to questions that \(file) doesn't have; "
                + "give the annotations of these questions with --labels")
    }

    private static func labels(in lines: FileLines) throws -> [String: Label] {
        var labels: [String: Label] = [:]
        try lines.forEachObject(of: "annotations") { object, _ in
            let id = try object.word("question_id")
            let label = Label(
                references: try object.people(),
                tags: [
                    "answer": try object.requiredString("answer_type"),
                    "question": try object.requiredString("question_type"),
                ])
            guard labels.updateValue(label, forKey: id) == nil else {
                throw RecordError.invalid(
                    key: "question_id", found: "\"\(id)\" for the second time", remedy: "ids must differ")
            }
        }
        return labels
    }

    // MARK: - Figures

    private static let sums = AccuracySums("vqav2")
    private static let answerTypes = ["yes/no", "number", "other"]

    package var figures: [Figure] {
        let types = Self.answerTypes.map { type in
            Figure(
                "vqav2_\(type.replacing("/", with: "_"))", "VQAv2 \(type)", .fraction, better: .more,
                Self.sums.formula(type))
        }
        return [Figure("vqav2", "VQAv2 accuracy", .fraction, better: .more, Self.sums.formula())] + types + [
            Figure(
                "vqav2_exact", "VQAv2 accuracy, as written", .fraction, better: .more,
                Self.sums.formula("exact"), isSummarized: false)
        ]
    }

    package let readings = [FigureReadings(official: "vqav2", strict: "vqav2_exact")]

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores where !score.references.isEmpty {
            let accuracy = accuracy(score)
            Self.sums.add(
                [
                    ("", accuracy), (score["answer"], accuracy),
                    ("exact", ShortAnswer.exactAccuracy(score.answer, score.references)),
                ], to: score.image, &sums)
        }
    }

    private func accuracy(_ score: TaggedScore) -> Double {
        ShortAnswer.vqaAccuracy(score.answer, score.references)
    }

    package func tables(_ scores: [TaggedScore]) -> [TextTable] {
        let labelled = scores.filter { !$0.references.isEmpty }.map { ($0, accuracy($0)) }
        return ["answer", "question"].flatMap { tag in
            PartTable("VQAv2, \(tag) type", labelled.map { ($0[tag], $1) }).tables
        }
    }

    package func submission(of scores: [TaggedScore]) -> (name: String, bytes: [UInt8])? {
        let open = scores.filter(\.references.isEmpty)
        guard !open.isEmpty else { return nil }
        let rows: [KeyValuePairs<String, JSON>] = open.map { score in
            let id: JSON = Int(score.id).map { .int($0) } ?? .string(score.id)
            return ["question_id": id, "answer": .string(ShortAnswer.evalAI(score.answer))]
        }
        return ("vqav2-submission.json", pythonJSON(rows))
    }
}
