import Exams
import Foundation
import Metrics
import Records
import Testing

/// A benchmark of two parts with choices, as one would be added: this is all of it.
private struct TinyChoice: Exam {
    let name = "tiny-choice"
    let help: String? = "Questions with choices."
    static let parts = ["count", "place"]

    func read(_ file: ExamFile) throws -> (questions: [LabelledQuestion], labelFiles: [String]) {
        var ids = QuestionIDs()
        let questions = try file.lines().objects { object, line in
            var object = object
            let choices = try zip("ABCD", object.requiredStrings("choices")).map { "\($0). \($1)" }
            let text = try ([object.requiredString("text")] + choices).joined(separator: "\n")
            object.set("text", .string(text))
            let question = try LabelledQuestion(object, file: file.path, line: line) {
                try $0.requiredString("answer")
            } task: {
                try $0.requiredString("part")
            }
            try ids.add(question.id, line: line)
            return question
        }
        return (questions, [])
    }

    private static func isRight(_ score: QuestionScore) -> Bool {
        score.answer.first { $0.isLetter }.map(String.init) == score.label
    }

    var figures: [Figure] {
        let parts = Self.parts.map { part in
            Figure(
                "tiny_\(part)", "Tiny \(part)", .fraction, better: .more,
                .ratio("tiny.\(part).right", of: "tiny.\(part).all"))
        }
        return parts + [
            Figure("tiny_mean", "Tiny mean", .fraction, better: .more, .mean(parts.compactMap(\.formula)))
        ]
    }

    var highlights: Highlights {
        var highlights = Highlights()
        highlights.changes = [("tiny_mean", "Tiny", .points)]
        return highlights
    }

    func count(_ scores: [QuestionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores {
            let start = "tiny.\(score.task)"
            sums.add(
                ["\(start).right": Self.isRight(score) ? 1 : 0, "\(start).all": 1], to: score.image)
        }
    }

    func trials(_ scores: [QuestionScore]) -> [TrialSeries] {
        Self.parts.map { part in
            TrialSeries(
                exam: "Tiny", part: part,
                scores.filter { $0.task == part }.map {
                    .init(image: $0.image, label: $0.label, isRight: Self.isRight($0))
                })
        }
    }
}

/// What follows of an exam when it stands in the list.
@Suite struct NewExamTests {
    private static let exams = ExamList([POPE(), TinyChoice()])

    /// Eight questions about four pictures; A is right.
    private static let lines = (0..<8).map { number in
        #"{"id":"\#(number)","image":"\#(number / 2).png","part":"\#(number % 2 == 0 ? "count" : "place")","#
            + #""text":"How many?","choices":["one","two"],"answer":"A"}"#
    }.joined(separator: "\n")

    private func paper() throws -> ExamPaper {
        var paper = ExamPaper(Self.exams)
        let read = try paper.add(TinyChoice(), ExamFile("tiny.jsonl", bytes: Array(Self.lines.utf8)))
        #expect(read.count == 8)
        return paper
    }

    private func folder() throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/exam-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        return folder
    }

    /// One that says A to the first so many questions, and "B." to the others.
    private func sheet(rightUpTo count: Int) throws -> ScoreSheet {
        let folder = try folder()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        var paper = try paper()
        #expect(paper.description == "0 captions and 8 questions")
        #expect(paper.requests[1].prompt == "How many?\nA. one\nB. two")
        #expect(paper.requests.allSatisfy { $0.answer == .short })
        let given = paper.requests.indices.map { SharedText($0 < count ? "A" : "B.") }
        let sheet = try paper.score(given, writingTo: folder)
        // What was said is read again as anybody's answers, and what was scored as a sheet.
        let (texts, unnamed) = try self.paper().texts(in: [folder])
        #expect(texts == given && unnamed.values.allSatisfy { $0 == 0 })
        try sheet.write(to: "\(folder)/\(ScoreSheet.fileName)")
        #expect(try ScoreSheet(folder: folder, Self.exams) == sheet)
        let object = try JSONSerialization.jsonObject(with: sheet.json()) as? [String: Any]
        #expect(object.map { Set($0.keys) } == ["pope", "seconds", "tiny-choice", "version"])
        return sheet
    }

    @Test func itsFiguresAreThoseOfAnyExam() throws {
        let sheet = try sheet(rightUpTo: 3)
        let summary = try sheet.summary()
        #expect(
            summary.values
                == ["tiny_count": 0.5, "tiny_place": 0.25, "tiny_mean": 0.375, "n": 4, "seconds": 0])
        let json = try SummaryFile(rounds: [("base", summary)]).json(Self.exams)
        #expect(json.contains("\"tiny_count\": 0.5,\n    \"tiny_place\": 0.25,\n    \"tiny_mean\": 0.375,\n"))
        #expect(try sheet.report().contains(/Tiny count % ↑ +50\.0\n/))
    }

    @Test func itIsComparedAsAnyExam() throws {
        let table = try ComparisonTable(
            runs: [("base", [sheet(rightUpTo: 3)]), ("round-1", [sheet(rightUpTo: 8)])],
            bootstrap: PairedBootstrap(resamples: 200))
        let row = try #require(table.rows.first { $0.name == "tiny_mean" })
        #expect(row.values.map(\.estimate) == [0.375, 1] && row.differences[0].estimate == 0.625)
        #expect(row.values[0].lower < 0.375 && row.values[1].lower == 1 && row.differences[0].excludesZero)
        #expect(table.plainText.contains(/Tiny place % ↑ +25\.0 +100\.0 +\+75\.0/))
        #expect(table.tests?.map(\.onlyRun) == [2, 3])
        #expect(table.plainText.contains("round-1, Tiny place"))
        #expect(table.headlines == ["round-1 against base: Tiny +62.5 points"])
    }

    @Test func whatItWasAskedMustAgree() throws {
        let sheets = try [3, 8].map { try sheet(rightUpTo: $0) }
        #expect(sheets[0].asksTheSame(as: sheets[1]) && !sheets[0].saysTheSame(as: sheets[1]))
        var fewer = sheets[1]
        fewer[TinyChoice()].removeLast()
        #expect(!sheets[0].asksTheSame(as: fewer))
        #expect(throws: EvaluationError.self) { try paper().texts(in: ["nowhere"]) }
    }
}
