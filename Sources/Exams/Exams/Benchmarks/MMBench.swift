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
    package let help: String? = "MMBench's TSV, pictures in it or unpacked as INDEX.jpg."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "MMBench's TSV (also V1.1, CN) with its pictures in it, or these unpacked as `INDEX.jpg`; without answers: writes `mmbench-submission.xlsx`",
        source: "OpenCompass", license: "Apache-2.0")
    /// Files of other versions and splits have the same indices.
    package let takesSeveralFiles = false
    package let layouts = [AnswerLayout(id: "index", text: "prediction")]

    package init() {}

    package func files(in folder: String) -> [String] {
        ChoiceTable.files(
            in: folder,
            named: [
                "mmbench_dev_20230712.tsv", "MMBench_DEV_EN.tsv", "MMBench_DEV_EN_V11.tsv",
                "mmbench_dev_cn_20231003.tsv", "MMBench_DEV_CN.tsv", "MMBench_DEV_CN_V11.tsv",
                "MMBench_TEST_EN.tsv", "MMBench_TEST_EN_V11.tsv", "MMBench_TEST_CN.tsv",
                "MMBench_TEST_CN_V11.tsv",
            ])
    }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        (try ChoiceTable(file, answered: false, tags: ["category", "l2-category", "split"]).questions(), [])
    }

    /// Of a split whose answers aren't published, what MMBench's server takes: LLaVA's workbook
    /// (`scripts/convert_mmbench_for_submission.py` at 524a75b), the table without hints, parts and pictures.
    package func submission(of scores: [TaggedScore]) -> (name: String, bytes: [UInt8])? {
        guard scores.allSatisfy(\.references.isEmpty) else { return nil }
        let splits = scores.contains { $0.tags["split"] != nil } ? ["split"] : []
        let names = ["index", "question"] + ChoiceTable.letters + ["prediction"] + splits
        let rows: [[Workbook.Cell]] = scores.map { score in
            let texts =
                [score["question"]] + ChoiceTable.letters.map { score[$0] } + [score.answer]
                + splits.map { score[$0] }
            return [.number(score.id)] + texts.map { .text($0) }
        }
        return ("mmbench-submission.xlsx", Workbook([names.map { .text($0) }] + rows).bytes)
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
        let labelled = scores.filter { !$0.references.isEmpty }
        let unread = labelled.count { Self.official($0.choices, $0.answer) == nil }
        return labelled.isEmpty ? [] : [["MMBench answers unread, wrong", String(unread)]]
    }
}
