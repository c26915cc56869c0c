import Benchmarks
import Foundation

/// What an evaluation found, as text for people.
package struct Findings: Sendable {
    package let text: String

    /// - Throws: what scoring throws.
    package init(_ sheet: ScoreSheet) throws {
        let evaluation = try sheet.evaluation()
        let summary = try evaluation.summary(seconds: sheet.seconds)
        var rows = SummaryKey.all.compactMap { key in
            summary.values[key].map { value in
                let isCount = key == SummaryKey.n
                let shown = SummaryKey.isFraction(key) ? 100 * value : value
                return [SummaryKey.title(key), String(format: isCount ? "%.0f" : "%.1f", shown)]
            }
        }
        if let share = sheet.colourShare {
            rows.insert(["right colours %", String(format: "%.1f", 100 * share)], at: 3)
        }
        if let (denied, asked) = sheet.habitDenials {
            let share = String(format: "%.1f", 100 * Double(denied) / Double(asked))
            rows.append(["own inventions denied % (of \(asked))", share])
        }
        var text = TextTable([["", "score"]] + rows).plainText
        if let habits = CompanionSums.table(evaluation) { text += "\n" + habits.plainText }
        if !evaluation.pope.isEmpty { text += "\n" + (try POPEScore.report(evaluation.pope)) }
        self.text = text
    }
}

/// Rounds held against the base in a sentence each: the figures that a recipe is judged by.
package struct Headline: Sendable {
    package let lines: [String]

    package init(_ table: ComparisonTable) {
        let rows = Dictionary(table.rows.map { ($0.name, $0) }, uniquingKeysWith: { first, _ in first })
        let base = table.names.first ?? ""
        lines = table.names.indices.dropFirst().flatMap { index in
            var parts: [String] = []
            if let row = rows[SummaryKey.chairS] {
                parts.append("CHAIR_S " + Self.change(row, index))
            }
            if let row = rows[SummaryKey.objectRecall] {
                parts.append("object recall \(Self.points(row.differences[index - 1].estimate)) points")
            }
            if let row = rows[SummaryKey.meanWords] { parts.append("mean words " + Self.change(row, index)) }
            if let row = rows[SummaryKey.pope("adversarial", "accuracy")] {
                let difference = row.differences[index - 1]
                let bounds = "[\(Self.points(difference.lower)), \(Self.points(difference.upper))]"
                parts.append(
                    "POPE adversarial accuracy \(Self.points(difference.estimate)) points, "
                        + String(format: "%.0f%%", 100 * table.level) + " bounds \(bounds)")
            }
            let name = table.names[index]
            return ["\(name) against \(base): " + parts.joined(separator: "; ")]
                + (Self.companions(rows, index, base).map { ["\(name), companions: \($0)"] } ?? [])
        }
    }

    /// What was learned by looking; nil where the data has no habits.
    private static func companions(
        _ rows: [String: BootstrapResult], _ index: Int, _ base: String
    ) -> String? {
        func percent(_ key: String, _ run: Int) -> String? {
            rows[key].map { String(format: "%.0f", 100 * $0.values[run].estimate) }
        }
        func both(_ key: String) -> (own: String, base: String)? {
            percent(key, index).flatMap { own in percent(key, 0).map { (own, $0) } }
        }
        guard let kept = both(SummaryKey.habitKept), let invented = both(SummaryKey.habitInvented),
            let balanced = both(SummaryKey.habitBalancedAccuracy)
        else { return nil }
        return "told where there \(kept.own)% (\(base) \(kept.base)), where absent \(invented.own)% "
            + "(\(base) \(invented.base)): balanced accuracy \(balanced.own) against \(balanced.base); "
            + "a rule that doesn't look has 50."
    }

    private static func points(_ difference: Double) -> String { sign(100 * difference, "%.1f") }

    /// Relative to the base.
    private static func change(_ row: BootstrapResult, _ index: Int) -> String {
        let base = row.values[0].estimate
        guard base != 0 else { return "\(row.values[index].estimate) from 0" }
        return sign(100 * row.differences[index - 1].estimate / base, "%.0f") + "%"
    }

    private static func sign(_ value: Double, _ format: String) -> String {
        (value < 0 ? "−" : "+") + String(format: format, abs(value))
    }
}
