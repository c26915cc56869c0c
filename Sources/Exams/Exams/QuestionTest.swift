import Metrics
import Tables

/// McNemar's exact test of a run against the first of a comparison, on the questions of a part of an exam.
package struct QuestionTest: Sendable, Equatable, Codable {
    package var run: String
    /// nil: POPE, the first that was tested so.
    package var exam: String?
    /// The part of the exam: POPE's `adversarial`, `popular` or `random`.
    package var split: String
    /// Questions that only the first run answered rightly.
    package var onlyBase: Int
    /// Questions that only this run answered rightly.
    package var onlyRun: Int
    package var pValue: Double
    /// The p-value by Holm's correction over all tests of the comparison.
    package var adjusted: Double

    private enum CodingKeys: String, CodingKey {
        case run, exam, split, adjusted
        case onlyBase = "only_base"
        case onlyRun = "only_run"
        case pValue = "p_value"
    }

    /// The tests of all runs but the first on all parts of all exams, corrected together. A run of several seeds answered
    /// each question several times, for which the test is not made.
    ///
    /// - Throws: `MetricsError.unmatched` where two runs answered different questions.
    static func family(_ runs: [(name: String, sheets: [ScoreSheet])]) throws -> [QuestionTest] {
        guard let base = runs.first, base.sheets.count == 1 else { return [] }
        let others = try runs.dropFirst().filter { $0.sheets.count == 1 }.map {
            (name: $0.name, series: try $0.sheets[0].trials())
        }
        var tests: [QuestionTest] = []
        for own in try base.sheets[0].trials() where !own.trials.isEmpty {
            for (name, series) in others {
                let trials = series.first { $0.exam == own.exam && $0.part == own.part }?.trials ?? []
                let isSame = own.trials.elementsEqual(trials) { $0.image == $1.image && $0.label == $1.label }
                guard isSame else {
                    throw MetricsError.unmatched(
                        where: "\(own.exam) \(own.part)",
                        found: "\(name) and \(base.name) answered different questions",
                        remedy: "evaluate both on the same files")
                }
                let test = try McNemarTest(first: own.trials.map(\.isRight), second: trials.map(\.isRight))
                tests.append(
                    QuestionTest(
                        run: name, exam: own.exam == Self.unnamed ? nil : own.exam, split: own.part,
                        onlyBase: test.onlyFirst, onlyRun: test.onlySecond, pValue: test.pValue, adjusted: 1))
            }
        }
        for (index, p) in holm(tests.map(\.pValue)).enumerated() { tests[index].adjusted = p }
        return tests
    }

    private static let unnamed = "POPE"

    /// The tests as a table; `base` names the first run.
    static func table(_ tests: [QuestionTest], base: String) -> TextTable {
        func shown(_ p: Double) -> String { p < 0.0001 ? "<0.0001" : fixed(p, 4) }
        let head = ["McNemar's exact test", "only \(base) right", "only it right", "p", "p by Holm"]
        return TextTable(
            [head]
                + tests.map { test in
                    [
                        "\(test.run), \(test.exam ?? unnamed) \(test.split)", "\(test.onlyBase)",
                        "\(test.onlyRun)",
                        shown(test.pValue), shown(test.adjusted),
                    ]
                })
    }
}
