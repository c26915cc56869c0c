import Foundation
import JSON
import Metrics
import Records
import Tables

/// AMBER (Wang et al. 2023), its yes/no questions: whether objects are there, how they are, how they touch. Queries are
/// read as they are downloaded (`query_all.json` and its parts), with `annotations.json` beside them; those that ask for a
/// caption are left out, as scoring captions needs a tagger and word vectors.
///
/// The official script (`inference.py` at 5e1fd52) takes nothing but `Yes` and `No`. Sentences are read by their first word
/// in the figures that are named so, which are ours.
package struct AMBER: Exam {
    package let name = "amber"
    package let title = "AMBER"
    package let help: String? = "AMBER's yes/no queries, with annotations.json beside them."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`query_discriminative.json` or `query_all.json`, and `annotations.json` beside it or a folder above",
        source: "AMBER's repository", license: "Apache-2.0")
    package let readsLabels = true
    package let isPart = true
    package let layouts = [AnswerLayout(id: "id", text: "response")]

    package init() {}

    private static let labels = "annotations.json"

    package func files(in folder: String) -> [String] {
        let places = ["query/query_discriminative.json", "query_discriminative.json"].map {
            "\(folder)/\($0)"
        }
        return [places.first(where: FileManager.default.fileExists) ?? places[0]]
    }

    package func read(_ file: ExamFile) throws -> (questions: [LabelledQuestion], labelFiles: [String]) {
        let names = [Self.labels, "../\(Self.labels)"]
        let labelFile = try file.requiredLabelFile(named: names)
        let labels = try Self.labels(in: FileLines(labelFile))
        var ids = QuestionIDs()
        var questions: [LabelledQuestion] = []
        try file.lines().forEachObject { object, line in
            var object = object
            let id = try object["question_id"] == nil ? object.word("id") : object.word("question_id")
            try ids.add(id, line: line)
            guard let label = labels[id] else { throw RecordError.unlabelled(id, in: labelFile) }
            guard label.type != "generative" else { return }
            object.set("id", .string(id))
            if let query = try object.string("query") { object.set("text", .string(query)) }
            questions.append(
                try LabelledQuestion(object, file: file.path, line: line) { _ in
                    label.truth.rawValue
                } task: { _ in
                    label.type
                })
        }
        return (questions, [labelFile])
    }

    private static func labels(in lines: FileLines) throws -> [String: (type: String, truth: YesNo)] {
        var labels: [String: (type: String, truth: YesNo)] = [:]
        try lines.forEachObject { object, _ in
            let type = try object.requiredString("type")
            let truth = try type == "generative" ? .no : YesNo(label: object.requiredString("truth"))
            labels[try object.word("id")] = (type, truth)
        }
        return labels
    }

    // MARK: - Figures

    /// What is counted of a kind of questions; the positive class is *no*.
    private struct Counts {
        static let names = ["right", "all", "no-true", "no-right", "no-said"]
        let sums: [String]

        init(_ reading: Reading, _ part: String) {
            sums = Self.names.map { "amber.\(reading.rawValue).\(part).\($0)" }
        }
    }

    private enum Reading: String, CaseIterable {
        case official, firstWord = "first_word"

        func answer(_ text: String) -> YesNo? {
            switch self {
            case .official:
                text.utf8.elementsEqual("Yes".utf8) ? .yes : text.utf8.elementsEqual("No".utf8) ? .no : nil
            case .firstWord: firstWordAnswer(in: text)
            }
        }
    }

    /// Parts, with what is added to precision and recall where F1 divides by them, and how many counters a part adds up,
    /// each of which begins at 0.001.
    private static let parts: [(key: String, name: String, added: Double, counters: Double)] = [
        ("all", "", 0.0001, 1), ("existence", " existence", 0.001, 1), ("attribute", " attribute", 0.0001, 3),
        ("state", " state", 0.0001, 1), ("number", " number", 0.0001, 1), ("action", " action", 0.0001, 1),
        ("relation", " relation", 0.0001, 1),
    ]

    /// Whatever is of no other type counts as a relation.
    private static func parts(of type: String) -> [String] {
        switch type {
        case "discriminative-attribute-state": ["all", "attribute", "state"]
        case "discriminative-attribute-number": ["all", "attribute", "number"]
        case "discriminative-attribute-action": ["all", "attribute", "action"]
        case "discriminative-hallucination": ["all", "existence"]
        default: ["all", "relation"]
        }
    }

    /// In percent with one decimal, as the script prints them: F1 is that of the rounded.
    private static func metrics(_ sums: [Double], added: Double, counters: Double) -> [Double] {
        func percent(_ part: Int, _ whole: Int) -> Double {
            rounded(sums[part] / (sums[whole] + 0.001 * counters) * 100, 1)
        }
        let (accuracy, precision, recall) = (percent(0, 1), percent(3, 4), percent(3, 2))
        let (p, r) = (precision / 100, recall / 100)
        return [accuracy, precision, recall, rounded(2 * p * r / (p + r + added) * 100, 1)]
    }

    package var figures: [Figure] {
        let names = [
            ("accuracy", "accuracy"), ("precision", "precision"), ("recall", "recall"), ("f1", "F1"),
        ]
        return Reading.allCases.flatMap { reading in
            Self.parts.flatMap { part in
                names.indices.map { index in
                    let start = reading == .official ? "amber" : "amber_first_word"
                    let title = reading == .official ? "AMBER" : "AMBER, first word,"
                    return Figure(
                        "\(start)_\(part.key)_\(names[index].0)", "\(title)\(part.name) \(names[index].1)",
                        .fraction,
                        better: [0, 3].contains(index) ? .more : .neither,
                        .function(of: Counts(reading, part.key).sums) { sums in
                            guard sums[1] > 0 else { return .nan }
                            return Self.metrics(sums, added: part.added, counters: part.counters)[index] / 100
                        })
                }
            }
        }
    }

    package func count(
        _ scores: [QuestionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        for score in scores {
            let truth = try score.truth()
            for reading in Reading.allCases {
                let answer = reading.answer(score.answer)
                let (isNo, saysNo) = (truth == .no, answer == .no)
                for part in Self.parts(of: score.task) {
                    let names = Counts(reading, part).sums
                    sums.add(
                        [
                            names[0]: answer == truth ? 1 : 0, names[1]: 1, names[2]: isNo ? 1 : 0,
                            names[3]: isNo && saysNo ? 1 : 0, names[4]: saysNo ? 1 : 0,
                        ], to: score.image)
                }
            }
        }
    }

    package func reading(of score: QuestionScore) -> AnswerReading? {
        AnswerReading(
            official: Reading.official.answer(score.answer)?.rawValue,
            strict: Reading.firstWord.answer(score.answer)?.rawValue)
    }

    package func trials(_ scores: [QuestionScore]) throws -> [TrialSeries] {
        try ["existence", "attribute", "relation"].map { part in
            TrialSeries(
                exam: "AMBER", part: part,
                try scores.filter { Self.parts(of: $0.task).contains(part) }.map {
                    .init(
                        image: $0.image, label: $0.label,
                        isRight: Reading.firstWord.answer($0.answer) == (try $0.truth()))
                })
        }
    }

    package func remarks(_ scores: [QuestionScore]) -> [[String]] {
        guard !scores.isEmpty else { return [] }
        return Reading.allCases.map { reading in
            [
                "AMBER answers unread\(reading == .official ? "" : ", first word")",
                String(scores.count { reading.answer($0.answer) == nil }),
            ]
        }
    }
}
