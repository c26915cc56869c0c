import Exams
import Foundation
import JSON
import Testing

/// Mementos on tables, graphs and replies of our own; the figures are those of the authors' notebook.
@Suite struct MementosTests {
    private static let folder = "\(OfficialScripts.folder)/mementos"

    private static func sheet() throws -> ScoreSheet {
        var sheet = ScoreSheet()
        let tables = Mementos().files(in: folder)
        #expect(tables.count == 3)
        sheet[Mementos()] = try tables.flatMap { try Mementos().read(path: $0).questions }.map {
            Mementos().score($0, answer: "Somebody.", ObjectFinder())
        }
        return sheet
    }

    private static func replies(to sheet: ScoreSheet, _ texts: [String: String]) throws -> FileLines {
        let exam = Mementos()
        let requests = try exam.requests(
            sheet[exam], judge: "stub", JudgePrompt(ownOf: exam), runs: 1, missing: false)
        let lines = zip(sheet[exam], try JudgedExamTests.ids(requests)).compactMap { score, id in
            texts[score.id].map { JudgedExamTests.reply(id, $0) }
        }
        return FileLines("replies.jsonl", bytes: Array(lines.joined(separator: "\n").utf8))
    }

    @Test func listsAreHeldAgainstEachOther() throws {
        let exam = Mementos()
        var sheet = try Self.sheet()
        #expect(sheet[exam].map(\.id) == ["rw_1.png", "rw_2.png", "rb_3.png", "cmc_4.png"])
        #expect(
            sheet[exam][0].reference == "A dog, a cat\nand a hat." && sheet[exam][1].reference == "A dog é.")
        let texts = try OfficialScripts.expected("mementos/replies.json", as: [String: String].self)
        let expected = try OfficialScripts.expected("mementos/expected.json", as: [String: [Double]].self)
        let file = try Self.replies(to: sheet, texts)
        let untaught = #expect(throws: EvaluationError.self) { try sheet.take(repliesIn: file) }
        #expect(untaught?.description.contains("replies.jsonl:1: ") == true)
        #expect(try sheet.take(repliesIn: file, with: "\(Self.folder)/sym_graphs").new == 4)
        for score in sheet[exam] { #expect(score.replies[0].given == expected[score.id], "\(score.id)") }
        // Without the graphs again: what was read stands in the sheet.
        let figures = try sheet.allFigures()
        let means = (0..<6).map { index in expected.values.reduce(0) { $0 + $1[index] } / 4 }
        let keys = ["objects", "actions"].flatMap { what in
            ["recall", "precision", "f1"].map { "mementos_\(what)_\($0)" }
        }
        for (key, mean) in zip(keys, means) { #expect(abs((figures[key] ?? -1) - mean) < 1e-12, "\(key)") }
        #expect(figures["mementos_objects_f1_robo"] == expected["rb_3.png"]?[2])
        #expect(try JudgedExamTests.text(exam, sheet).contains(/not read +0\n/))
    }

    /// The notebook stops at such replies; here they count 0.
    @Test func otherRepliesAreNotRead() throws {
        var sheet = try Self.sheet()
        let lists = "Object list 1: [a]\nAction list 1: [b]\nObject list 2: [a]\nAction list 2: [b]"
        let texts = [
            "rw_1.png": lists, "rw_2.png": "Here they are: these: \n\(lists)",
            "rb_3.png": String(lists.dropLast(19)), "cmc_4.png": "Object list 1 [a]",
        ]
        let file = try Self.replies(to: sheet, texts)
        _ = try sheet.take(repliesIn: file, with: "\(Self.folder)/sym_graphs")
        #expect(try sheet.allFigures()["mementos_objects_f1"] == 0.25)
        #expect(try JudgedExamTests.text(Mementos(), sheet).contains(/not read +3\n/))
    }

    @Test func brokenFilesAreNamed() throws {
        let exam = Mementos()
        #expect(
            exam.complaint("d.csv", "image_name,description\nrw_1.png,\n")?.hasPrefix("d.csv:2: ") == true)
        #expect(
            exam.complaint("d.csv", "image_name,description\nx_1.png,A dog.\n")?.hasPrefix("d.csv:2: ")
                == true)
        let twice = "image,description\nrb_1.png,A.\nrb_1.png,B.\n"
        #expect(exam.complaint("d.csv", twice)?.hasPrefix("d.csv:3: ") == true)
        let folder = try JudgedExamTests.folder(["dl_object_graph_v1.pkl": "cos\nsystem\n(S'true'\ntR."])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let error = #expect(throws: EvaluationError.self) { try exam.reader(folder) }
        #expect(error?.description.contains("dl_object_graph_v1.pkl: no pickled graph") == true)
    }
}
