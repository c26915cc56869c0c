import Foundation
import Metrics
import Records
import Tables

/// RePOPE (Neuhaus and Hein 2025): POPE's questions without those that nobody can answer, labeled again. Answers to POPE's
/// are taken as they are; those to questions that RePOPE left out aren't counted.
package struct RePOPE: Exam {
    package let name = "repope"
    package let title = "RePOPE"
    package let help: String? = "RePOPE questions, one file per split; answers to POPE's fit."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`coco_repope_SPLIT.json`; answers to POPE's fit",
        source: "RePOPE's repository", license: "none stated")
    package let isPart = true

    package init() {}

    package func files(in folder: String) -> [String] {
        POPESplit.allCases.map { "\(folder)/coco_repope_\($0.rawValue).json" }
    }

    package func read(_ file: ExamFile) throws -> (questions: [LabelledQuestion], labelFiles: [String]) {
        try POPE().read(file)
    }

    private typealias Metric = @Sendable (_ sums: [Double]) -> Double

    /// As the official script counts (`src/eval_utils.py` at bcf22e5): answers that can't be read leave all figures.
    private static let metrics: [(key: String, name: String, better: Figure.Better, metric: Metric)] = [
        ("accuracy", "accuracy", .more, { quotient($0[0] + $0[2], $0.reduce(0, +)) }),
        ("f1", "F1", .more, { quotient(2 * $0[0], 2 * $0[0] + $0[1] + $0[3]) }),
        ("precision", "precision", .neither, { quotient($0[0], $0[0] + $0[1]) }),
        ("recall", "recall", .neither, { quotient($0[0], $0[0] + $0[3]) }),
        ("yes_ratio", "yes", .neither, { quotient($0[0] + $0[1], $0.reduce(0, +)) }),
    ]

    private static func sums(_ split: POPESplit) -> [String] {
        ["yes-right", "yes-wrong", "no-right", "no-wrong"].map { "repope.\(split.rawValue).\($0)" }
    }

    private static func strict(_ split: POPESplit) -> (right: String, all: String) {
        ("repope.\(split.rawValue).strict-right", "repope.\(split.rawValue).strict-all")
    }

    package var figures: [Figure] {
        func formula(_ split: POPESplit, _ metric: @escaping Metric) -> Formula {
            .function(of: Self.sums(split), metric)
        }
        let splits = POPESplit.allCases.flatMap { split in
            Self.metrics.map {
                Figure(
                    "repope_\(split.rawValue)_\($0.key)", "RePOPE \(split.rawValue) \($0.name)", .fraction,
                    better: $0.better, formula(split, $0.metric))
            }
        }
        let means = Self.metrics.map { own in
            Figure(
                "repope_mean_\(own.key)", "RePOPE mean \(own.name)", .fraction, better: own.better,
                .mean(POPESplit.allCases.map { formula($0, own.metric) }))
        }
        let strict = POPESplit.allCases.map { split in
            Figure(
                "repope_\(split.rawValue)_strict_accuracy", "RePOPE \(split.rawValue) strict accuracy",
                .fraction,
                better: .more, .share(Self.strict(split).right, of: Self.strict(split).all),
                isSummarized: false)
        }
        return splits + means + strict
    }

    package func count(
        _ scores: [QuestionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        for score in scores {
            let (split, truth) = (try score.split(), try score.truth())
            let names = Self.sums(split)
            let answer = repopeAnswer(in: score.answer)
            sums.add(
                [
                    names[0]: answer == .yes && truth == .yes ? 1 : 0,
                    names[1]: answer == .yes && truth == .no ? 1 : 0,
                    names[2]: answer == .no && truth == .no ? 1 : 0,
                    names[3]: answer == .no && truth == .yes ? 1 : 0,
                    Self.strict(split).right: firstWordAnswer(in: score.answer) == truth ? 1 : 0,
                    Self.strict(split).all: 1,
                ], to: score.image)
        }
    }

    package var readings: [FigureReadings] {
        POPESplit.allCases.map {
            FigureReadings(
                official: "repope_\($0.rawValue)_accuracy", strict: "repope_\($0.rawValue)_strict_accuracy")
        }
    }

    package func reading(of score: QuestionScore) -> AnswerReading? {
        AnswerReading(
            official: repopeAnswer(in: score.answer)?.rawValue,
            strict: firstWordAnswer(in: score.answer)?.rawValue)
    }

    package func trials(_ scores: [QuestionScore]) throws -> [TrialSeries] {
        try POPESplit.trials(of: "RePOPE", scores, reading: repopeAnswer)
    }

    package func remarks(_ scores: [QuestionScore]) -> [[String]] {
        let unread = scores.count { repopeAnswer(in: $0.answer) == nil }
        return scores.isEmpty ? [] : [["RePOPE answers unread, not counted", String(unread)]]
    }
}

/// RePOPE's reading of an answer: *yes* where these letters stand anywhere in it, in whatever case, else *no* where those
/// do, else nothing (`compute_answer` of `src/eval_utils.py`). So `eyes` is *yes* and `know` is *no*.
package func repopeAnswer(in text: String) -> YesNo? {
    let small = CodePoints(text).lowercased.text
    return small.contains("yes") ? .yes : small.contains("no") ? .no : nil
}
