import Foundation
import JSON
import Metrics
import Records
import Tables

/// HallusionBench (Guan et al. 2024): questions about a figure, about others made from it, and without any. It is official
/// with a judge; here answers are read by rule, as VLMEvalKit reads them (`YOrN_Extraction`), and what is right is counted
/// as the official script counts (`utils.py` at d0114ff).
package struct HallusionBench: Exam {
    package let name = "hallusionbench"
    package let title = "HallusionBench"
    package let help: String? = "HallusionBench.json, read by rule: no judge."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`HallusionBench.json`",
        source: "HallusionBench's repository", license: "BSD-3")
    package let layouts = [AnswerLayout(ids: Self.id, text: "model_prediction")]

    package init() {}

    private static let id = ["category", "subcategory", "set_id", "figure_id", "question_id"]

    package func files(in folder: String) -> [String] { ["\(folder)/HallusionBench.json"] }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        var ids = QuestionIDs()
        let questions = try file.lines().objects { object, line in
            let id = try object.words(Self.id)
            try ids.add(id, line: line)
            let truth = try object.word("gt_answer")
            guard truth == "0" || truth == "1" else {
                throw RecordError.invalid(key: "gt_answer", found: "\"\(truth)\"", remedy: "write 0 or 1")
            }
            var tags = Dictionary(
                uniqueKeysWithValues: try zip(Self.tags, Self.id).map { ($0, try object.word($1)) })
            tags["visual"] = try object.word("visual_input")
            // Some are asked without a figure.
            let asked = Asked(
                id: id, image: try object.string("filename") ?? "",
                prompt: try object.requiredString("question"))
            return TaggedQuestion(
                asked, place: "\(file.path):\(line)", references: [truth == "1" ? "yes" : "no"], tags: tags)
        }
        return (questions, [])
    }

    private static let tags = ["category", "subcategory", "set", "figure", "question"]

    // MARK: - Figures

    private enum Reading: String, CaseIterable {
        case rule, strict

        func answer(_ text: String) -> YesNo? {
            self == .rule ? ruleAnswer(in: text) : firstWordAnswer(in: text)
        }
    }

    /// Questions; questions with all that they are asked about; figures; questions about no figure or an original one, and
    /// about what was made of it.
    private static let figures = [
        ("aAcc", "aAcc"), ("qAcc", "qAcc"), ("fAcc", "fAcc"), ("easy", "easy qAcc"), ("hard", "hard qAcc"),
    ]

    package var figures: [Figure] {
        Reading.allCases.flatMap { reading in
            Self.figures.map { key, name in
                let part = "\(reading.rawValue).\(key)"
                return Figure(
                    reading == .rule ? "hallusionbench_\(key)" : "hallusionbench_strict_\(key)",
                    "HallusionBench \(reading == .rule ? "" : "strict ")\(name)", .fraction, better: .more,
                    AccuracySums("hallusionbench").formula(part), isSummarized: reading == .rule)
            }
        }
    }

    /// Sets are the clusters: questions and figures go across each other in one.
    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for reading in Reading.allCases {
            let own = scores.map { ($0, isRight: isRight($0, reading)) }
            func add(_ key: String, by tags: [String], where isMeant: (TaggedScore) -> Bool = { _ in true }) {
                for (set, isRight) in Self.groups(own.filter { isMeant($0.0) }, by: tags) {
                    let part = "\(reading.rawValue).\(key)"
                    AccuracySums("hallusionbench").add([(part, isRight ? 1 : 0)], to: set, &sums)
                }
            }
            add("aAcc", by: Self.tags)
            add("qAcc", by: ["category", "subcategory", "set", "question"])
            add("fAcc", by: ["category", "subcategory", "set", "figure"]) {
                !($0["category"] == "VS" && $0["figure"] == "0")
            }
            add("easy", by: ["category", "subcategory", "set", "question"]) { $0["visual"] != "2" }
            add("hard", by: ["category", "subcategory", "set", "question"]) { $0["visual"] == "2" }
        }
    }

    /// Groups by what these tags say, in the order of their first: the set, and whether all of a group is right.
    private static func groups(
        _ scores: [(TaggedScore, isRight: Bool)], by tags: [String]
    ) -> [(set: String, isRight: Bool)] {
        var places: [[String]: Int] = [:]
        var groups: [(set: String, isRight: Bool)] = []
        for (score, isRight) in scores {
            let key = tags.map { score[$0] }
            if let place = places[key] {
                groups[place].isRight = groups[place].isRight && isRight
            } else {
                places[key] = groups.count
                groups.append(
                    (["category", "subcategory", "set"].map { score[$0] }.joined(separator: "/"), isRight))
            }
        }
        return groups
    }

    /// Where nothing is shown, an answer that says neither is right too (`assign_correctness`), if not strictly.
    private func isRight(_ score: TaggedScore, _ reading: Reading) -> Bool {
        guard let answer = reading.answer(score.answer) else {
            return reading == .rule && score["category"] == "VS" && score["figure"] == "0"
        }
        return score.references == [answer.rawValue]
    }

    package var readings: [FigureReadings] {
        Self.figures.map { key, _ in
            FigureReadings(official: "hallusionbench_\(key)", strict: "hallusionbench_strict_\(key)")
        }
    }

    package func reading(of score: TaggedScore) -> AnswerReading? {
        AnswerReading(
            official: Reading.rule.answer(score.answer)?.rawValue,
            strict: Reading.strict.answer(score.answer)?.rawValue)
    }

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        ["VD", "VS"].map { category in
            TrialSeries(
                exam: "HallusionBench", part: category,
                scores.filter { $0["category"] == category }.map {
                    .init(image: $0.id, label: $0.references.joined(), isRight: isRight($0, .rule))
                })
        }
    }

    package func tables(_ scores: [TaggedScore]) -> [TextTable] {
        PartTable(
            "HallusionBench by rule",
            scores.map { ("\($0["category"]) \($0["subcategory"])", isRight($0, .rule) ? 1 : 0) }
        ).tables
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let unread = scores.count { ruleAnswer(in: $0.answer) == nil }
        return scores.isEmpty ? [] : [["HallusionBench answers unread", String(unread)]]
    }
}

/// VLMEvalKit's reading of an answer (`vlmeval/dataset/utils/yorn.py` at 0c7163c): one of the words yes and no stands in it,
/// and the other doesn't. Its marks are taken away as VQA takes them.
package func ruleAnswer(in text: String) -> YesNo? {
    let words = ShortAnswer.withoutMarks(CodePoints(text).lowercased, isDigit: \.isDecimalDigit).words
    let (isYes, isNo) = (words.contains(CodePoints("yes")), words.contains(CodePoints("no")))
    return isYes == isNo ? nil : isYes ? .yes : .no
}
