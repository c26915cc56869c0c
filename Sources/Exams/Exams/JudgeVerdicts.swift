import Metrics
import Tables

/// The most often that an answer is judged.
package let mostJudgeRuns = 9

/// What counts of a judge's replies about an answer.
struct JudgeVerdict: Equatable {
    let grade: [Double]
    /// Whether a reply says so; else it is what the official script counts instead.
    let isRead: Bool
}

extension JudgedExam {
    /// nil where replies are missing: the official script asks until it has one, and has no figures before.
    func verdict(on score: JudgedScore, run: Int) -> JudgeVerdict? {
        let own = score.replies.filter { $0.run == run }.sorted { $0.attempt < $1.attempt }
        if let given = own.last?.given { return JudgeVerdict(grade: given, isRead: readsWithFiles) }
        if let grade = own.lazy.compactMap({ grade($0.text) }).first {
            return JudgeVerdict(grade: grade, isRead: true)
        }
        return own.isEmpty || (own.last?.attempt ?? 0) < attempts
            ? nil : JudgeVerdict(grade: unread, isRead: false)
    }

    /// How often the answers were judged, in whole or in part.
    package func runs(in scores: [JudgedScore]) -> Int { scores.flatMap(\.replies).map(\.run).max() ?? 0 }

    /// Verdicts on all answers, run by run, where none is missing.
    func wholeRuns(_ scores: [JudgedScore]) -> [(run: Int, verdicts: [JudgeVerdict])] {
        guard !scores.isEmpty else { return [] }
        return (1..<(runs(in: scores) + 1)).compactMap { run in
            let verdicts = scores.compactMap { verdict(on: $0, run: run) }
            return verdicts.count == scores.count ? (run, verdicts) : nil
        }
    }

    /// Answers that have no verdict in one of the runs that were begun.
    package func missing(_ scores: [JudgedScore]) -> [(id: String, run: Int)] {
        (1..<(runs(in: scores) + 1)).flatMap { run in
            scores.filter { verdict(on: $0, run: run) == nil }.map { ($0.id, run) }
        }
    }

    // MARK: - Figures

    private var width: Int { values(of: unread).count }

    private func sum(_ run: Int, _ part: String, _ what: String) -> String {
        "\(name).\(run).\(part).\(what)"
    }

    package var figures: [Figure] {
        let start = name.replacing("-", with: "_")
        func figure(_ measure: JudgedMeasure, _ part: String) -> Figure {
            let words = [start, measure.key, part == whole ? "" : part].filter { !$0.isEmpty }
            let titles = [title, measure.name, part == whole ? "" : part].filter { !$0.isEmpty }
            let formulas = (1...mostJudgeRuns).map { run in
                Formula.function(
                    of: [sum(run, part, "answers")] + (0..<width).map { sum(run, part, "\($0)") }
                ) { sums in measure.value(sums.dropFirst().map { $0 / sums[0] }) }
            }
            return Figure(
                words.joined(separator: "_"), titles.joined(separator: " "), measure.unit,
                better: measure.better, .mean(formulas), isSummarized: measure.isSummarized)
        }
        let words = Figure(
            "\(start)_words", "\(title) words", .named, .share("\(name).words", of: "\(name).answers"))
        return measures.flatMap { measure in ([whole] + parts).map { figure(measure, $0) } } + [words]
    }

    package func count(_ scores: [JudgedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores {
            let words = score.answer.split(whereSeparator: \.isWhitespace).count
            sums.add(["\(name).words": Double(words), "\(name).answers": 1], to: score.image)
        }
        for (run, verdicts) in wholeRuns(scores) {
            for (score, verdict) in zip(scores, verdicts) {
                for part in [whole] + score.parts {
                    sums.add([sum(run, part, "answers"): 1], to: score.image)
                    for (index, value) in values(of: verdict.grade).enumerated() {
                        sums.add([sum(run, part, "\(index)"): value], to: score.image)
                    }
                }
            }
        }
    }

    // MARK: - Tables

    package func tables(_ scores: [JudgedScore]) throws -> [TextTable] {
        guard !scores.isEmpty else { return [] }
        guard runs(in: scores) > 0 else {
            return [
                TextTable(
                    [
                        [title, "\(scores.count) answers, not judged yet"],
                        ["next", "eval judge-requests FOLDER --judge NAME -o requests.jsonl"],
                    ], right: [])
            ]
        }
        return [official(scores), health(scores)]
    }

    /// The official figures, run by run, with those of replies that could be read.
    private func official(_ scores: [JudgedScore]) -> TextTable {
        let whole = wholeRuns(scores)
        let read = (1...runs(in: scores)).flatMap { run in
            scores.compactMap { score in verdict(on: score, run: run).map { (score, $0) } }
        }.filter(\.1.isRead)
        let head = [title, "official", "deviation", "by run", "strict"]
        let rows = measures.flatMap { measure in
            sections(scores).compactMap { section -> [String]? in
                let values = whole.compactMap { mean(measure, Array(zip(scores, $0.verdicts)), section.has) }
                let strict = mean(measure, read, section.has)
                guard strict != nil || !values.isEmpty else { return nil }
                let over = meanAndDeviation(values)
                return [
                    [measure.name, section.name].filter { !$0.isEmpty }.joined(separator: " "),
                    values.isEmpty ? "–" : measure.shown(over.mean),
                    values.isEmpty ? "–" : measure.shown(over.deviation),
                    values.map(measure.shown).joined(separator: ", "), strict.map(measure.shown) ?? "–",
                ]
            }
        }
        return TextTable([head] + rows)
    }

    /// The whole, its parts, and groups, those of most answers first.
    private func sections(_ scores: [JudgedScore]) -> [(name: String, has: (JudgedScore) -> Bool)] {
        let groups = Dictionary(grouping: scores.compactMap(group), by: { $0 }).mapValues(\.count)
        let names = groups.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
        return [(whole, { _ in true })] + parts.map { part in (part, { $0.parts.contains(part) }) }
            + names.map { name in ("only \(name)", { group(of: $0) == name }) }
    }

    /// - Returns: nil where there are no such answers.
    private func mean(
        _ measure: JudgedMeasure, _ verdicts: [(JudgedScore, JudgeVerdict)], _ has: (JudgedScore) -> Bool
    ) -> Double? {
        let own = verdicts.filter { has($0.0) }.map { values(of: $0.1.grade) }
        guard !own.isEmpty else { return nil }
        return measure.value(
            (0..<width).map { column in own.reduce(0) { $0 + $1[column] } / Double(own.count) })
    }

    private func health(_ scores: [JudgedScore]) -> TextTable {
        let replies = scores.flatMap(\.replies)
        let verdicts = (1...runs(in: scores)).flatMap { run in
            scores.compactMap { verdict(on: $0, run: run) }
        }
        func names(_ key: (JudgeReply) -> String) -> String {
            Set(replies.map(key)).sorted().joined(separator: ", ")
        }
        let own = JudgePrompt(ownOf: self).digest
        return TextTable(
            [
                ["replies", "\(replies.count)"], ["not read", "\(verdicts.count { !$0.isRead })"],
                ["without reply", "\(missing(scores).count)"],
                ["judge", names { $0.judge ?? "not named" } + "; official: \(officialJudge)"],
                [
                    "prompt",
                    names { reply in
                        reply.prompt.map { $0 == own ? "\($0) (ours, not the official one)" : $0 }
                            ?? "of official reviews"
                    },
                ],
            ], right: [])
    }
}

/// Mean and population deviation, as numpy has them.
func meanAndDeviation(_ values: [Double]) -> (mean: Double, deviation: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(values.count)).squareRoot())
}
