import Foundation

/// McNemar's exact test of a run against the first of a comparison, on the questions of one POPE split.
package struct YesNoTest: Sendable, Equatable, Codable {
    package var run: String
    /// `adversarial`, `popular` or `random`.
    package var split: String
    /// Questions that only the first run answered rightly.
    package var onlyBase: Int
    /// Questions that only this run answered rightly.
    package var onlyRun: Int
    package var pValue: Double
    /// The p-value by Holm's correction over all tests of the comparison.
    package var adjusted: Double

    private enum CodingKeys: String, CodingKey {
        case run, split, adjusted
        case onlyBase = "only_base"
        case onlyRun = "only_run"
        case pValue = "p_value"
    }

    /// The tests of all runs but the first on all splits, corrected together. A run of several seeds answered each
    /// question several times, for which the test is not made.
    ///
    /// - Throws: `BenchmarksError.unmatched` where two runs answered different questions.
    static func family(_ runs: [(name: String, evaluations: [Evaluation])]) throws -> [YesNoTest] {
        guard let base = runs.first, base.evaluations.count == 1 else { return [] }
        var tests: [YesNoTest] = []
        for split in POPESplit.allCases {
            let own = base.evaluations[0].pope.filter { $0.split == split }
            for run in runs.dropFirst() where !own.isEmpty && run.evaluations.count == 1 {
                let other = run.evaluations[0].pope.filter { $0.split == split }
                guard own.map(\.question) == other.map(\.question) else {
                    throw BenchmarksError.unmatched(
                        where: "POPE \(split.rawValue)",
                        found: "\(run.name) and \(base.name) answered different questions",
                        remedy: "evaluate both on the same files")
                }
                let test = try McNemarTest(first: own.map(\.isRight), second: other.map(\.isRight))
                tests.append(
                    YesNoTest(
                        run: run.name, split: split.rawValue, onlyBase: test.onlyFirst,
                        onlyRun: test.onlySecond, pValue: test.pValue, adjusted: 1))
            }
        }
        for (index, p) in holm(tests.map(\.pValue)).enumerated() { tests[index].adjusted = p }
        return tests
    }

    /// The tests as a table; `base` names the first run.
    static func table(_ tests: [YesNoTest], base: String) -> TextTable {
        func shown(_ p: Double) -> String { p < 0.0001 ? "<0.0001" : fixed(p, 4) }
        let head = ["McNemar's exact test", "only \(base) right", "only it right", "p", "p by Holm"]
        return TextTable(
            [head]
                + tests.map { test in
                    [
                        "\(test.run), POPE \(test.split)", "\(test.onlyBase)", "\(test.onlyRun)",
                        shown(test.pValue), shown(test.adjusted),
                    ]
                })
    }
}

extension POPEItem {
    /// What was asked, as far as an item tells.
    fileprivate var question: [String] { [image, truth.rawValue] }

    fileprivate var isRight: Bool { popeAnswer(in: answer) == truth }
}
