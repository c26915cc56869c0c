import Foundation
import Tables

/// What can be cured without looking, as text for people and as a file.
extension BlindEdit {
    package static let fileName = "edit.json"

    /// - Parameter recallLoss: what the rules were allowed, as a share.
    package func json(recallLoss: Double, support: Int) throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        let file = File(
            recallLoss: recallLoss, support: support, closings: closings, learnedBase: base.learned,
            appliedBase: base.applied, rules: rules, curve: curve)
        return try encoder.encode(file) + Data("\n".utf8)
    }

    private struct File: Encodable {
        var version = 1
        let recallLoss: Double
        let support: Int
        let closings: [String]
        let learnedBase: Score
        let appliedBase: Score
        let rules: [Step]
        let curve: [Step]
    }

    /// The curve, the rules that the edit is made of, and what they are worth.
    package func text(recallLoss: Double) -> String {
        let loss = Self.number(100 * recallLoss)
        return "Without a limit:\n" + table(curve)
            + "\nAt most \(loss) points of recall lost where it was learned:\n"
            + table(rules) + "\n" + lines.map { $0 + "\n" }.joined()
    }

    private func table(_ steps: [Step]) -> String {
        func scores(_ learned: Score, _ applied: Score) -> [String] {
            [learned.chairS, learned.objectRecall, applied.chairS, applied.objectRecall]
                .map { Self.number(100 * $0) }
        }
        let head = ["", "sentences", "action", "learned: CHAIR_S", "recall", "applied: CHAIR_S", "recall"]
        let rows = steps.map { step in
            let rule = step.rule
            let condition = rule.condition.words
            return [
                rule.pattern + (condition.isEmpty ? "" : " (\(condition))"), "\(step.sentences)",
                rule.action.rawValue,
            ] + scores(step.learned, step.applied)
        }
        return TextTable([head, ["as they were", "", ""] + scores(base.learned, base.applied)] + rows)
            .plainText
    }

    /// Of the captions that it was applied to, which no rule was chosen by.
    private var lines: [String] {
        let thirds = [("a third", 1.0 / 3), ("two thirds", 2.0 / 3), ("all", 1)].map { name, share in
            loss(winning: share).map { "\(name) of CHAIR_S for \(Self.number($0)) points of recall" }
                ?? "\(name) of CHAIR_S by no rule"
        }
        let (edit, end) = (rules.last?.applied ?? base.applied, curve.last?.applied ?? base.applied)
        return [
            "Gained without looking, on the captions it is applied to: \(thirds.joined(separator: ", "))",
            "The edit: CHAIR_S \(Self.number(100 * base.applied.chairS)) → \(Self.number(100 * edit.chairS)) "
                + "(\(Self.number(100 * won(by: edit)))% of it won), object recall "
                + "\(Self.number(100 * base.applied.objectRecall)) → \(Self.number(100 * edit.objectRecall)), mean words "
                + "\(Self.number(base.applied.meanWords)) → \(Self.number(edit.meanWords))",
            "Nothing suspicious said: CHAIR_S \(Self.number(100 * end.chairS)), object recall "
                + Self.number(100 * end.objectRecall),
        ]
    }

    /// Share of the base's CHAIR_S.
    package func won(by score: Score) -> Double {
        base.applied.chairS == 0 ? 0 : 1 - score.chairS / base.applied.chairS
    }

    /// Points of recall that are lost where the curve first wins so much; nil where it never does.
    package func loss(winning share: Double) -> Double? {
        curve.first { won(by: $0.applied) >= share - 1e-9 }.map {
            100 * (base.applied.objectRecall - $0.applied.objectRecall)
        }
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
