import Foundation
import JSON
import Metrics

/// The figures of one evaluation by their keys, in the units of `Figure`; `n` images were answered on, which took
/// `seconds`.
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

    /// - Parameter exams: whose figures they are, in the order of the file.
    /// - Throws: `MetricsError.badValue` for a figure that is not finite or that no exam has.
    package func json(_ exams: ExamList = .all) throws -> String {
        let keys = exams.summarized.map(\.key)
        let objects = try rounds.map { name, summary in
            if let stranger = summary.values.keys.sorted().first(where: { !exams.has($0) }) {
                throw MetricsError.badValue(
                    where: "summary of \(name)", found: "the key \"\(stranger)\"",
                    remedy: "use the keys of the exams' figures")
            }
            let lines = try keys.compactMap { key in
                try summary.values[key].map { "    \"\(key)\": \(try number($0, where: "\(name), \(key)"))" }
            }
            return "  \(JSON.string(name).text): {\n\(lines.joined(separator: ",\n"))\n  }"
        }
        return "{\n\(objects.joined(separator: ",\n"))\n}\n"
    }

    /// Reads a file that `json()` wrote. Rounds come as base, round-1, round-2, …, round-10, then others.
    ///
    /// - Throws: `MetricsError.badValue` if it is no object of objects of numbers.
    package init(json data: Data, file: String) throws {
        let objects: [String: [String: Double]]
        do {
            objects = try JSONDecoder().decode([String: [String: Double]].self, from: data)
        } catch is DecodingError {
            throw MetricsError.badValue(
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
        throw MetricsError.badValue(
            where: "summary of \(place)", found: "\(value)", remedy: "JSON has no such number; find its cause"
        )
    }
    return Int(exactly: value).map(String.init) ?? "\(value)"
}
