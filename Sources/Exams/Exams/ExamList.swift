import Metrics

/// Exams in the order in which they are asked and shown.
package struct ExamList: Sendable, Equatable {
    package static let all = ExamList([
        Captions(),
        CHAIR(),
        POPE(),
        MME(),
        SEEDBench(),
        SEEDBench(.likelihood),
        ScienceQA(),
        MMBench(),
        MMStar(),
        MMVP(),
        VizWiz(),
        TextVQA(),
        VQAv2(),
        GQA(),
        RePOPE(),
        AMBER(),
        AMBERCaptions(),
        ObjectHalBench(),
        HallusionBench(),
        NaturalBench(),
        LLaVABench(),
        MMHal(),
        MMVet(),
        Mementos(),
        OwnInventions(),
    ])

    package let exams: [any Exam]
    /// Of all exams, in the order of `summary.json`, with those of the evaluation itself behind them.
    package let figures: [Figure]
    private let byKey: [String: Figure]

    package init(_ exams: [any Exam]) {
        self.exams = exams
        figures =
            exams.flatMap(\.figures) + [
                Figure(Self.images, "images", .count, nil), Figure(Self.seconds, "seconds", .named, nil),
            ]
        byKey = Dictionary(uniqueKeysWithValues: figures.map { ($0.key, $0) })
    }

    /// Images that were answered on.
    package static let images = "n"
    package static let seconds = "seconds"

    /// Those that stand in summary and comparison.
    package var summarized: [Figure] { figures.filter(\.isSummarized) }

    /// One that isn't known is called by its key.
    package func figure(_ key: String) -> Figure { byKey[key] ?? Figure(key, key, .named, nil) }
    package func has(_ key: String) -> Bool { byKey[key] != nil }

    /// Highlights of all.
    package var highlights: Highlights {
        exams.map(\.highlights).reduce(into: Highlights()) {
            $0.columns += $1.columns
            $0.plotted += $1.plotted
            $0.changes += $1.changes
        }
    }

    package static func == (a: ExamList, b: ExamList) -> Bool { a.exams.map(\.name) == b.exams.map(\.name) }
}
