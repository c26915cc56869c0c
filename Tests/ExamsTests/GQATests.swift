import Exams
import Foundation
import Metrics
import Testing

@Suite struct GQATests {
    private func sheet(_ file: String, _ answers: String) throws -> ScoreSheet {
        try OfficialScripts.sheet(GQA(), ["gqa/\(file)"], answers: "gqa/\(answers)")
    }

    /// What `eval.py` prints, in its order.
    @Test func meetsTheOfficialScript() throws {
        let printed = try OfficialScripts.expected("gqa/expected.json", as: [[String]].self)
        for (file, answers) in [
            ("testdev_balanced_questions.json", "testdev_balanced_predictions.json"),
            ("llava_gqa_testdev_balanced.jsonl", "answers.jsonl"),
        ] {
            let sheet = try sheet(file, answers)
            let figures = try sheet.allFigures()
            for row in printed where row[0] != "Validity" && row[0] != "Plausibility" && Int(row[0]) == nil {
                let key = row[0].lowercased()
                if key == "distribution" {
                    let distribution = try #require(GQA.distribution(sheet[GQA()]))
                    #expect(String(format: "%.2f", distribution) == row[1])
                    continue
                }
                let value = try #require(figures[key == "accuracy" ? "gqa" : "gqa_\(key)"], "\(key)")
                #expect(String(format: "%.2f", 100 * value) == row[1], "\(key)")
            }
            let counted = printed.filter { Int($0[0]) != nil }
            let tables = GQA().tables(sheet[GQA()])
            #expect(
                (tables[0].rows.dropFirst() + tables[1].rows.dropFirst()).map { [$0[0], $0[1]] } == counted)
        }
    }

    @Test func asWrittenIsStricter() throws {
        let figures = try sheet("llava_gqa_testdev_balanced.jsonl", "answers.jsonl").allFigures()
        #expect(figures["gqa_exact"] == 2.0 / 7)
    }

    @Test func brokenFilesAreNamed() {
        let labels = ["\(OfficialScripts.folder)/gqa/testdev_balanced_questions.json"]
        for (text, labels, words) in [
            ("{\"1\":\n7}", [], "q.json:2: "), ("{\"1\":{\"isBalanced\":true}}", [], "types"),
            ("{\"question_id\":\"1\",\"image\":\"a\",\"text\":\"x\"}", labels, "has no label for"),
            (
                "{\"question_id\":\"100\",\"image\":\"a\",\"text\":\"x\"}", labels,
                "6 of 7 questions are missing"
            ),
            ("{\"question_id\":\"1\",\"image\":\"a\",\"text\":\"x\"}", [], "give that file with --labels"),
        ] {
            let complaint = GQA().complaint("q.json", text, labels: labels)
            #expect(complaint?.contains(words) == true, "\(complaint ?? "nothing")")
        }
    }
}
