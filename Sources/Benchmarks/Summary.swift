import Foundation
import JSON

/// The keys of `summary.json`, in the order in which they are written.
package enum SummaryKey {
    package static let chairS = "chair_s"
    package static let chairI = "chair_i"
    package static let objectRecall = "object_recall"
    package static let meanWords = "mean_words"
    /// Of companions of habits that apply: `CompanionSums`.
    package static let habitBalancedAccuracy = "habit_balanced_accuracy"
    package static let habitKept = "habit_kept"
    package static let habitInvented = "habit_invented"
    /// Of POPE's questions about such companions, each asked once.
    package static let popeCompanionAccuracy = pope("companion", "accuracy")
    /// Images that were answered on.
    package static let n = "n"
    package static let seconds = "seconds"

    package static func pope(_ part: String, _ figure: String) -> String { "pope_\(part)_\(figure)" }
    package static func mme(_ task: String) -> String { "mme_\(task)" }

    /// The four of the picture world first.
    package static let mmeTasks: [String] = {
        let known = MMEScore.perceptionTasks + MMEScore.cognitionTasks
        let first = ["existence", "count", "color", "position"]
        return first + known.filter { !first.contains($0) }
    }()
    /// Sums of tasks, where all of them were asked.
    static let mmeSums = [
        (name: "perception", tasks: MMEScore.perceptionTasks),
        (name: "cognition", tasks: MMEScore.cognitionTasks),
    ]

    static let popeFigures: [(name: String, figure: @Sendable (YesNoMetrics) -> Double)] = [
        ("accuracy", { $0.accuracy }), ("f1", { $0.f1 }), ("precision", { $0.precision }),
        ("recall", { $0.recall }), ("yes_ratio", { $0.yesRatio }),
    ]

    package static let all: [String] =
        [chairS, chairI, objectRecall, meanWords, habitBalancedAccuracy, habitKept, habitInvented]
        + (POPESplit.allCases.map(\.rawValue) + ["mean"]).flatMap { part in
            popeFigures.map { pope(part, $0.name) }
        }
        + [popeCompanionAccuracy] + mmeTasks.map(mme) + mmeSums.map { mme($0.name) } + [n, seconds]

    /// Whether the figure is a fraction, which tables show in percent.
    package static func isFraction(_ key: String) -> Bool {
        key.hasPrefix("pope_") || key.hasPrefix("habit_") || [chairS, chairI, objectRecall].contains(key)
    }

    /// What a table calls the figure.
    package static func title(_ key: String) -> String {
        let names = [
            chairS: "CHAIR_S % ↓", chairI: "CHAIR_I % ↓", objectRecall: "object recall % ↑",
            meanWords: "mean words", n: "images", seconds: "seconds",
            habitBalancedAccuracy: "companion balanced accuracy % ↑",
            habitKept: "companions told, there % ↑", habitInvented: "companions told, absent % ↓",
        ]
        if let name = names[key] { return name }
        if let sum = mmeSums.first(where: { mme($0.name) == key }) {
            return "MME \(sum.name) (0–\(200 * sum.tasks.count)) ↑"
        }
        if key.hasPrefix("mme_") { return "MME-style \(key.dropFirst(4)) (0–200) ↑" }
        let words = key.split(separator: "_", maxSplits: 2)
        guard words.count == 3, words[0] == "pope" else { return key }
        let figures = [
            "accuracy": "accuracy % ↑", "f1": "F1 % ↑", "precision": "precision %", "recall": "recall %",
            "yes_ratio": "yes %",
        ]
        return "POPE \(words[1]) \(figures[String(words[2])] ?? String(words[2]))"
    }
}

/// The figures of one evaluation under the keys of `SummaryKey`. POPE, CHAIR, recall and habits are fractions,
/// an MME task runs from 0 to 200, `seconds` are seconds.
package struct Summary: Sendable, Equatable {
    package var values: [String: Double]

    package init(values: [String: Double]) { self.values = values }
}

/// `summary.json`: one summary for `base` and for each `round-k`, in this order.
package struct SummaryFile: Sendable, Equatable {
    package var rounds: [(name: String, summary: Summary)]

    package init(rounds: [(name: String, summary: Summary)]) { self.rounds = rounds }

    package static func == (a: SummaryFile, b: SummaryFile) -> Bool {
        a.rounds.elementsEqual(b.rounds) { $0.name == $1.name && $0.summary == $1.summary }
    }

    /// - Throws: `BenchmarksError.badValue` for a figure that is not finite or a key that isn't the
    ///   summary's.
    package func json() throws -> String {
        let objects = try rounds.map { name, summary in
            if let stranger = summary.values.keys.sorted().first(where: { !SummaryKey.all.contains($0) }) {
                throw BenchmarksError.badValue(
                    where: "summary of \(name)", found: "the key \"\(stranger)\"",
                    remedy: "use the keys of SummaryKey")
            }
            let lines = try SummaryKey.all.compactMap { key in
                try summary.values[key].map { "    \"\(key)\": \(try number($0, where: "\(name), \(key)"))" }
            }
            return "  \(JSON.string(name).text): {\n\(lines.joined(separator: ",\n"))\n  }"
        }
        return "{\n\(objects.joined(separator: ",\n"))\n}\n"
    }

    /// Reads a file that `json()` wrote. Rounds come as base, round-1, round-2, …, round-10, then others.
    ///
    /// - Throws: `BenchmarksError.badValue` if it is no object of objects of numbers.
    package init(json data: Data, file: String) throws {
        let objects: [String: [String: Double]]
        do {
            objects = try JSONDecoder().decode([String: [String: Double]].self, from: data)
        } catch is DecodingError {
            throw BenchmarksError.badValue(
                where: file, found: "no JSON object with one object of numbers per round",
                remedy: "let eval write it again")
        }
        rounds = objects.map { ($0.key, Summary(values: $0.value)) }
            .sorted { Self.order($0.name) < Self.order($1.name) }
    }

    private static func order(_ name: String) -> (Int, String) {
        if name == "base" { return (0, name) }
        guard name.hasPrefix("round-"), let round = Int(name.dropFirst(6)), round < Int.max else {
            return (Int.max, name)
        }
        return (round, name)
    }
}

/// Fewest digits that read back as the same number; a whole number without a fraction.
private func number(_ value: Double, where place: String) throws -> String {
    guard value.isFinite else {
        throw BenchmarksError.badValue(
            where: "summary of \(place)", found: "\(value)", remedy: "JSON has no such number; find its cause"
        )
    }
    return Int(exactly: value).map(String.init) ?? "\(value)"
}
