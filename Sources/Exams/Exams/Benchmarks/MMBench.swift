import Metrics
import Records
import Tables

/// MMBench (Liu et al. 2023): questions with choices, each asked once for every rotation of them and right only where all
/// are (`CircularEval`). The table as it is downloaded is read, V1.1 and the Chinese one too: `index`, `question`, `A` to
/// `D`, and `hint`, `answer`, `category`, `l2-category`, `split` where they are there. Scored as VLMEvalKit does without a
/// judge (`mcq_circular_eval`, `vlmeval/dataset/utils/multiple_choice.py` at 028a6e7): what isn't read is wrong.
package struct MMBench: Exam {
    package let name = "mmbench"
    package let title = "MMBench"
    package let help: String? = "MMBench's TSV; its pictures unpacked as INDEX.jpg."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "MMBench's TSV (also V1.1, CN); pictures unpacked as `INDEX.jpg`",
        source: "OpenCompass", license: "Apache-2.0")
    package let layouts = [AnswerLayout(id: "index", text: "prediction")]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/MMBench_DEV_EN.tsv"] }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        (try ChoiceTable(file, answered: false).questions(), [])
    }

    // MARK: - Figures

    private static let sums = AccuracySums("mmbench")
    /// Of MMBench, by its `l2-category`.
    private static let abilities = [
        ("cp", "coarse_perception"), ("fp_s", "finegrained_perception (instance-level)"),
        ("fp_c", "finegrained_perception (cross-instance)"), ("lr", "logic_reasoning"),
        ("rr", "relation_reasoning"), ("ar", "attribute_reasoning"),
    ]

    package var figures: [Figure] {
        func figure(_ key: String, _ name: String, _ part: String, isSummarized: Bool = true) -> Figure {
            Figure(
                key, "MMBench \(name)", .fraction, better: .more, Self.sums.formula(part),
                isSummarized: isSummarized)
        }
        return [figure("mmbench", "accuracy", "all")]
            + Self.abilities.map {
                figure("mmbench_\($0)", $0.uppercased().replacing("_", with: "-"), "l2 " + $1)
            }
            + [
                figure("mmbench_strict", "accuracy, strict", "strict", isSummarized: false),
                figure("mmbench_passes", "single passes", "passes", isSummarized: false),
            ]
    }

    package var highlights: Highlights {
        var highlights = Highlights()
        highlights.columns = [("mmbench", "MMBench % ↑")]
        return highlights
    }

    /// A question with its rotations, in the order in which the file has the unrotated ones.
    private struct Group {
        let main: TaggedScore
        let passes: [TaggedScore]

        func isRight(_ reading: (Choices, String) -> String?) -> Bool {
            passes.allSatisfy { MMBench.isRight($0, reading) }
        }
    }

    private static let official: @Sendable (Choices, String) -> String? = { $0.inferred($1) }
    private static let strict: @Sendable (Choices, String) -> String? = { $0.strict($1) }

    private static func isRight(_ score: TaggedScore, _ reading: (Choices, String) -> String?) -> Bool {
        reading(score.choices, score.answer) == score.references.first
    }

    /// Those with an answer and an unrotated question; the official script leaves others out.
    private static func groups(_ scores: [TaggedScore]) -> [Group] {
        let labelled = scores.filter { !$0.references.isEmpty }
        let passes = Dictionary(grouping: labelled) { $0["group"] }
        return labelled.filter { $0.id == $0["group"] }.map {
            Group(main: $0, passes: passes[$0["group"]] ?? [])
        }
    }

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for group in Self.groups(scores) {
            let right: Double = group.isRight(Self.official) ? 1 : 0
            let cluster = "group \(group.main.id)"
            Self.sums.add(
                [
                    ("all", right), ("l2 " + group.main["l2-category"], right),
                    ("strict", group.isRight(Self.strict) ? 1 : 0),
                ], to: cluster, &sums)
            for pass in group.passes {
                Self.sums.add(
                    [("passes", Self.isRight(pass, Self.official) ? 1 : 0)], to: cluster, &sums)
            }
        }
    }

    package let readings = [FigureReadings(official: "mmbench", strict: "mmbench_strict")]

    package func reading(of score: TaggedScore) -> AnswerReading? {
        AnswerReading(
            official: Self.official(score.choices, score.answer),
            strict: Self.strict(score.choices, score.answer))
    }

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        [
            TrialSeries(
                exam: "MMBench", part: "groups",
                Self.groups(scores).map {
                    .init(
                        image: "group \($0.main.id)", label: $0.main.references[0],
                        isRight: $0.isRight(Self.official))
                })
        ]
    }

    package func tables(_ scores: [TaggedScore]) -> [TextTable] {
        let groups = Self.groups(scores)
        guard !groups.isEmpty else { return [] }
        return ["split", "l2-category", "category"].flatMap { tag in
            PartTable(
                "MMBench, \(tag)", groups.map { ($0.main[tag], $0.isRight(Self.official) ? 1 : 0) }
            ).tables
        }
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let unread = scores.count { Self.official($0.choices, $0.answer) == nil }
        return scores.isEmpty ? [] : [["MMBench answers unread, wrong", String(unread)]]
    }
}

/// MMStar (Chen et al. 2024) as VLMEvalKit has and scores it without a judge (`mcq_vanilla_eval` at 028a6e7): its TSV
/// with `index`, `question`, `A` to `D`, `answer`, `category` and `l2_category`.
package struct MMStar: Exam {
    package let name = "mmstar"
    package let title = "MMStar"
    package let help: String? = "MMStar's TSV; its pictures unpacked as INDEX.jpg."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "VLMEvalKit's `MMStar.tsv`; pictures unpacked as `INDEX.jpg`",
        source: "OpenCompass", license: "see its data set page")
    package let layouts = [AnswerLayout(id: "index", text: "prediction")]

    package init() {}

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        (try ChoiceTable(file, answered: true).questions(), [])
    }

    private static let sums = AccuracySums("mmstar")
    private static let categories = [
        "coarse perception", "fine-grained perception", "instance reasoning", "logical reasoning", "math",
        "science & technology",
    ]

    package var figures: [Figure] {
        let parts = Self.categories.enumerated().map { index, name in
            Figure(
                "mmstar_\(index + 1)", "MMStar \(name)", .fraction, better: .more, Self.sums.formula(name))
        }
        return [Figure("mmstar", "MMStar accuracy", .fraction, better: .more, Self.sums.formula("all"))]
            + parts + [
                Figure(
                    "mmstar_strict", "MMStar accuracy, strict", .fraction, better: .more,
                    Self.sums.formula("strict"), isSummarized: false)
            ]
    }

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores {
            let right: Double = Self.isRight(score) ? 1 : 0
            let strict: Double = score.choices.strict(score.answer) == score.references[0] ? 1 : 0
            Self.sums.add(
                [("all", right), (score["category"], right), ("strict", strict)], to: score.image, &sums)
        }
    }

    /// Without a judge only answers of fewer than ten characters are read.
    private static func letter(_ score: TaggedScore) -> String? {
        let answer = CodePoints(score.answer).stripped
        return answer.count < 10 ? score.choices.inferred(answer.text) : nil
    }

    private static func isRight(_ score: TaggedScore) -> Bool { letter(score) == score.references[0] }

    package let readings = [FigureReadings(official: "mmstar", strict: "mmstar_strict")]

    package func reading(of score: TaggedScore) -> AnswerReading? {
        AnswerReading(official: Self.letter(score), strict: score.choices.strict(score.answer))
    }

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        [
            TrialSeries(
                exam: "MMStar", part: "questions",
                scores.map {
                    .init(image: $0.image, label: $0.references[0], isRight: Self.isRight($0))
                })
        ]
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let unread = scores.count { Self.letter($0) == nil }
        return scores.isEmpty ? [] : [["MMStar answers unread, wrong", String(unread)]]
    }
}

/// Questions with choices in VLMEvalKit's tables.
private struct ChoiceTable {
    let file: ExamFile
    /// Whether each must have its answer.
    let answered: Bool

    init(_ file: ExamFile, answered: Bool) { (self.file, self.answered) = (file, answered) }

    private static let letters = ["A", "B", "C", "D"]
    private static let tags = ["category", "l2-category", "split"]

    func questions() throws -> [TaggedQuestion] {
        var questions: [TaggedQuestion] = []
        var ids = QuestionIDs()
        let table = QuotedTable(lines: try file.lines(), separator: UInt8(ascii: "\t"))
        try table.forEach(required: ["index", "question", "A", "B"] + (answered ? ["answer"] : [])) { row in
            do {
                let question = try question(row)
                try ids.add(question.asked.id, line: row.line)
                questions.append(question)
            } catch let error as RecordError {
                throw EvaluationError("\(file.path):\(row.line): \(error)")
            }
        }
        return questions
    }

    private func question(_ row: QuotedTable.Row) throws -> TaggedQuestion {
        guard let index = row["index"].flatMap({ Int($0) }), index >= 0 else {
            throw RecordError.invalid(
                key: "index", found: "\"\(row["index"] ?? "")\"", remedy: "write a whole number")
        }
        guard let words = row["question"] else { throw RecordError.missing(key: "question") }
        let choices = Self.letters.compactMap { letter in row[letter].map { (letter: letter, text: $0) } }
        let answer = row["answer"]
        if let answer, !choices.contains(where: { $0.letter == answer }) {
            throw RecordError.invalid(
                key: "answer", found: "\"\(answer)\"", remedy: "name the letter of a choice of the row")
        }
        if answered && answer == nil { throw RecordError.missing(key: "answer") }
        // What is asked ends at the first choice that is missing, as in LLaVA's `model_vqa_mmbench.py`.
        let asked = zip(Self.letters, choices).prefix { $0 == $1.letter && !Self.isNone($1.text) }.map(\.1)
        let text = (row["hint"].flatMap { Self.isNone($0) ? nil : $0 + "\n" } ?? "") + words
        var tags = ["group": String(index % 1_000_000)]
        for tag in Self.tags { tags[tag] = row[tag] }
        for choice in choices { tags[choice.letter] = choice.text }
        // Rotations show the picture of the question that they rotate.
        return TaggedQuestion(
            Asked(
                id: String(index), image: "\(index % 1_000_000).jpg", prompt: Choices(asked).asked(text)),
            place: "\(file.path):\(row.line)", references: answer.map { [$0] } ?? [], tags: tags)
    }

    private static func isNone(_ text: String) -> Bool { ["nan", "none"].contains(text.lowercased()) }
}

extension TaggedScore {
    /// Those of a table, by their letters.
    fileprivate var choices: Choices {
        Choices(["A", "B", "C", "D"].compactMap { letter in tags[letter].map { (letter, $0) } })
    }
}
