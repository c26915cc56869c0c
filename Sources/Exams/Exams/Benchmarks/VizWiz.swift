import JSON
import Metrics
import Records
import Tables

/// VizWiz (Gurari et al. 2018): what blind people asked about their photos. `val.json` has what people answered, and is
/// scored as TextVQA is: that is VizWiz-val. LLaVA's file (`llava_test.jsonl`) has none: its answers become what the
/// server takes (`scripts/convert_vizwiz_for_submission.py`).
package struct VizWiz: Exam {
    package let name = "vizwiz"
    package let title = "VizWiz"
    package let help: String? = "VizWiz questions: val.json, or LLaVA's llava_test.jsonl for a submission."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`val.json` (VizWiz-val); LLaVA's `llava_test.jsonl`: writes `vizwiz-submission.json`",
        source: "VizWiz's site; LLaVA's `eval.zip`", license: "CC BY 4.0")
    package let layouts = [AnswerLayout(id: "image", text: "answer")]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/val.json"] }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        var ids = QuestionIDs()
        let questions = try file.lines().objects { object, line in
            let image = try object.requiredString("image")
            let isLLaVA = object["question_id"] != nil
            let id = try isLLaVA ? object.questionID() : image
            try ids.add(id, line: line)
            let asked = Asked(
                id: id, image: image, prompt: try object.requiredString(isLLaVA ? "text" : "question"))
            return TaggedQuestion(
                asked, place: "\(file.path):\(line)",
                references: object["answers"] == nil ? [] : try object.people(),
                tags: try object.string("answer_type").map { ["type": $0] } ?? [:])
        }
        return (questions, [])
    }

    private static let sums = AccuracySums("vizwiz")

    package var figures: [Figure] {
        [
            Figure("vizwiz_val", "VizWiz-val accuracy", .fraction, better: .more, Self.sums.formula()),
            Figure(
                "vizwiz_val_exact", "VizWiz-val accuracy, as written", .fraction, better: .more,
                Self.sums.formula("exact"), isSummarized: false),
        ]
    }

    package let readings = [FigureReadings(official: "vizwiz_val", strict: "vizwiz_val_exact")]

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores where !score.references.isEmpty {
            Self.sums.add(
                [
                    ("", ShortAnswer.textVQAAccuracy(score.answer, score.references)),
                    ("exact", ShortAnswer.exactAccuracy(score.answer, score.references)),
                ], to: score.image, &sums)
        }
    }

    package func tables(_ scores: [TaggedScore]) -> [TextTable] {
        let labelled = scores.filter { !$0.references.isEmpty }
        return PartTable("VizWiz-val, answers", labelled.map { ($0["type"], accuracy($0)) }).tables
    }

    private func accuracy(_ score: TaggedScore) -> Double {
        ShortAnswer.textVQAAccuracy(score.answer, score.references)
    }

    package func submission(of scores: [TaggedScore]) -> (name: String, bytes: [UInt8])? {
        let open = scores.filter(\.references.isEmpty)
        guard !open.isEmpty else { return nil }
        let rows: [KeyValuePairs<String, JSON>] = open.map {
            ["image": .string($0.image), "answer": .string(ShortAnswer.evalAI($0.answer))]
        }
        return ("vizwiz-submission.json", pythonJSON(rows))
    }
}

/// Sums of accuracies that go from 0 to 1 and of how many there are, in several readings or parts.
struct AccuracySums: Sendable {
    private let name: String

    init(_ name: String) { self.name = name }

    private func key(_ part: String, _ what: String) -> String {
        part.isEmpty ? "\(name).\(what)" : "\(name).\(part).\(what)"
    }

    func formula(_ part: String = "") -> Formula { .share(key(part, "right"), of: key(part, "all")) }

    func add(
        _ accuracies: [(part: String, accuracy: Double)], to cluster: String, _ sums: inout ClusteredSums
    ) {
        for (part, accuracy) in accuracies {
            sums.add([key(part, "right"): accuracy, key(part, "all"): 1], to: cluster)
        }
    }
}

/// Accuracy by part of an exam, in percent.
struct PartTable {
    private let title: String
    private let parts: [(part: String, accuracies: [Double])]

    /// - Parameter numbered: whether parts are numbers, and stand in their order.
    init(_ title: String, _ accuracies: [(part: String, accuracy: Double)], numbered: Bool = false) {
        self.title = title
        let all = Dictionary(grouping: accuracies, by: \.part).filter { !$0.key.isEmpty }
        let names = all.keys.sorted {
            numbered ? (Int($0) ?? 0, $0) < (Int($1) ?? 0, $1) : $0 < $1
        }
        parts = names.map { ($0, all[$0]?.map(\.accuracy) ?? []) }
    }

    /// None where there is no part.
    var tables: [TextTable] {
        guard !parts.isEmpty else { return [] }
        let rows = parts.map { part, accuracies in
            [
                part, fixed(100 * accuracies.reduce(0, +) / Double(accuracies.count), 2),
                String(accuracies.count),
            ]
        }
        return [TextTable([[title, "accuracy", "questions"]] + rows)]
    }
}
