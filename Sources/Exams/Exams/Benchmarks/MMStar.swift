import Metrics
import Records
import Tables

/// MMStar (Chen et al. 2024) as VLMEvalKit has and scores it without a judge (`mcq_vanilla_eval` at 028a6e7): its TSV
/// with `index`, `question`, `A` to `D`, `answer`, `category` and `l2_category`.
package struct MMStar: Exam {
    package let name = "mmstar"
    package let title = "MMStar"
    package let help: String? = "MMStar's TSV, pictures in it or unpacked as INDEX.jpg."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "VLMEvalKit's `MMStar.tsv` with its pictures in it, or these unpacked as `INDEX.jpg`",
        source: "OpenCompass", license: "see its data set page")
    package let takesSeveralFiles = false
    package let layouts = [AnswerLayout(id: "index", text: "prediction")]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/MMStar.tsv"] }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        (try ChoiceTable(file, answered: true, tags: ["category", "l2_category"]).questions(), [])
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

    /// Its six categories and the eighteen below them.
    package func tables(_ scores: [TaggedScore]) -> [TextTable] {
        ["category", "l2_category"].flatMap { tag in
            PartTable("MMStar, \(tag)", scores.map { ($0[tag], Self.isRight($0) ? 1 : 0) }).tables
        }
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let unread = scores.count { Self.letter($0) == nil }
        return scores.isEmpty ? [] : [["MMStar answers unread, wrong", String(unread)]]
    }
}
