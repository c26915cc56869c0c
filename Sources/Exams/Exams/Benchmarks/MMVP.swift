import Metrics
import Records

/// MMVP (Tong et al. 2024): pairs of pictures that CLIP takes for alike, a question about both, and right only where both
/// are. `Questions.csv` is read as it is. The official script asks a judge; here letters are read: the one of `(a)` and
/// `(b)` that stands in the answer, or a lone letter, in whatever case.
package struct MMVP: Exam {
    package let name = "mmvp"
    package let title = "MMVP"
    package let help: String? = "MMVP's Questions.csv; pictures as \"MMVP Images/INDEX.jpg\"."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`Questions.csv`, `MMVP Images/`",
        source: "MMVP's data set page", license: "MIT")
    package let layouts = [AnswerLayout(id: "question_id", text: "response")]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/Questions.csv"] }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        var questions: [TaggedQuestion] = []
        var ids = QuestionIDs()
        let table = QuotedTable(lines: try file.lines(), separator: UInt8(ascii: ","))
        try table.forEach(required: ["Index", "Question", "Options", "Correct Answer"]) { row in
            do {
                let question = try Self.question(row, "\(file.path):\(row.line)")
                try ids.add(question.asked.id, line: row.line)
                questions.append(question)
            } catch let error as RecordError {
                throw EvaluationError("\(file.path):\(row.line): \(error)")
            }
        }
        return (questions, [])
    }

    private static func question(_ row: QuotedTable.Row, _ place: String) throws -> TaggedQuestion {
        guard let index = row["Index"].flatMap({ Int($0) }), index > 0 else {
            throw RecordError.invalid(
                key: "Index", found: "\"\(row["Index"] ?? "")\"", remedy: "write a number from 1")
        }
        guard let words = row["Question"], let options = row["Options"] else {
            throw RecordError.missing(key: row["Question"] == nil ? "Question" : "Options")
        }
        guard let label = row["Correct Answer"], ["(a)", "(b)"].contains(label) else {
            throw RecordError.invalid(
                key: "Correct Answer", found: "\"\(row["Correct Answer"] ?? "")\"",
                remedy: "write (a) or (b)")
        }
        let asked = Asked(
            id: String(index), image: "MMVP Images/\(index).jpg",
            prompt: "\(words) \(options)\n\(Choices.suffix)")
        return TaggedQuestion(
            asked, place: place, references: [label], tags: ["pair": String((index - 1) / 2)])
    }

    // MARK: - Figures

    private static let sums = AccuracySums("mmvp")

    package var figures: [Figure] {
        func figure(_ key: String, _ name: String, _ part: String, isSummarized: Bool = true) -> Figure {
            Figure(
                key, "MMVP \(name)", .fraction, better: .more, Self.sums.formula(part),
                isSummarized: isSummarized)
        }
        return [
            figure("mmvp", "pairs", "pairs"), figure("mmvp_questions", "questions", "questions"),
            figure("mmvp_corrected", "pairs, truths corrected", "corrected", isSummarized: false),
        ]
    }

    /// Whose truths are swapped as published.
    private static let swapped = ["99", "100", "279", "280"]

    private static func letter(_ answer: String) -> String? {
        let text = CodePoints(answer).lowercased
        let found = ["(a)", "(b)"].filter { text.place(of: CodePoints($0)) != nil }
        if !found.isEmpty { return found.count == 1 ? found[0] : nil }
        let plain = Choices([("a", ""), ("b", "")]).strict(text.text)
        return plain.map { "(\($0))" }
    }

    private static func isRight(_ score: TaggedScore) -> Bool {
        letter(score.answer) == score.references[0]
    }

    private static func isRightCorrected(_ score: TaggedScore) -> Bool {
        guard swapped.contains(score.id) else { return isRight(score) }
        return letter(score.answer) == (score.references[0] == "(a)" ? "(b)" : "(a)")
    }

    /// - Throws: `MetricsError` for a pair of which one is missing.
    private static func pairs(_ scores: [TaggedScore]) throws -> [[TaggedScore]] {
        let byPair = Dictionary(grouping: scores) { $0["pair"] }
        return try byPair.sorted { (Int($0.key) ?? 0) < (Int($1.key) ?? 0) }.map { name, pair in
            guard pair.count == 2 else {
                throw MetricsError.unmatched(
                    where: "MMVP question \(pair[0].id)", found: "the other of its pair isn't there",
                    remedy: "ask both of a pair")
            }
            return pair
        }
    }

    package func count(
        _ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        for pair in try Self.pairs(scores) {
            let cells =
                pair.map { ("questions", Self.isRight($0) ? 1.0 : 0) } + [
                    ("pairs", pair.allSatisfy(Self.isRight) ? 1 : 0),
                    ("corrected", pair.allSatisfy(Self.isRightCorrected) ? 1 : 0),
                ]
            Self.sums.add(cells, to: "pair \(pair[0]["pair"])", &sums)
        }
    }

    package func reading(of score: TaggedScore) -> AnswerReading? {
        let plain = Choices([("a", ""), ("b", "")]).strict(CodePoints(score.answer).lowercased.text)
        return AnswerReading(official: Self.letter(score.answer), strict: plain.map { "(\($0))" })
    }

    package func trials(_ scores: [TaggedScore]) throws -> [TrialSeries] {
        [
            TrialSeries(
                exam: "MMVP", part: "pairs",
                try Self.pairs(scores).map { pair in
                    .init(
                        image: "pair \(pair[0]["pair"])", label: pair.map { $0.references[0] }.joined(),
                        isRight: pair.allSatisfy(Self.isRight))
                })
        ]
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        guard !scores.isEmpty else { return [] }
        let unread = scores.count { Self.letter($0.answer) == nil }
        let swapped = scores.count { Self.swapped.contains($0.id) }
        return [["MMVP answers without a letter, wrong", String(unread)]]
            + (swapped == 0 ? [] : [["MMVP truths swapped as published (99/100, 279/280)", String(swapped)]])
    }
}
