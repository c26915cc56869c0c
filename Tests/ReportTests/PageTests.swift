import Foundation
import Records
import Report
import Testing

/// The smallest PNG header that counts as one.
private let png: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A, 1, 2, 3]

private func record() throws -> Record {
    try Record(
        parsing: """
            {"id": "scene-7", "image": "7.png", "prompt": "Describe.", "scene": {"objects": ["dog"]},
             "nodes": [
              {"parent": -1, "text": "A dog sits.", "ids": [1], "logprob": -1, "end": "period",
               "scores": {"relevance": 0.31, "likelihood": -1, "calibrated": 1.5}},
              {"parent": -1, "text": "A car.", "ids": [2], "logprob": -2, "end": "period",
               "scores": {"calibrated": -0.5}},
              {"parent": 0, "text": " A fire  truck waits.", "ids": [3], "logprob": -2, "end": "stop",
               "scores": {"calibrated": 0.5}},
              {"parent": 0, "text": " Grass.", "ids": [4], "logprob": -2, "end": "stop"}],
             "candidates": [
              {"id": "c0", "path": [0, 2], "text": "A dog sits. A fire  truck waits.", "scores": {"calibrated": 1}},
              {"id": "c1", "path": [0, 3], "text": "A dog sits. Grass."}]}
            """)
}

@Suite struct PageTests {
    private func picture() throws -> PictureReport {
        let pair = PreferencePair(
            id: "scene-7", image: "7.png", prompt: "Describe.", chosen: "A dog sits. Grass.",
            rejected: "A dog sits. A fire  truck waits.", margin: 0.25, source: "calibrated")
        return try PictureReport(
            record: try record(), pairs: [pair], image: EmbeddedImage(bytes: png, mediaType: "image/png"),
            truth: "a dog"
        ) { record, text in
            record["scene"] == nil || !text.contains("truck")
                ? nil : TextJudgement(invented: ["Fire truck"], note: "1 invented")
        }
    }

    @Test func aRecordBecomesAPicture() throws {
        let picture = try picture()
        #expect(picture.sentences.map(\.reward) == [1.5, -0.5, 0.5, nil])
        #expect(picture.sentences[0].figures.map(\.name) == ["relevance", "likelihood"])
        #expect(picture.answers.map(\.score) == [1, nil])
        #expect(picture.pairs[0].rejectedJudgement?.note == "1 invented")
        #expect(picture.pairs[0].chosenJudgement == nil)
    }

    @Test func habitsStandInATableOfTheirOwn() {
        let rows = [["habit", "base"], ["bench → dog", "50.0 / 40.0 / 55.0"]]
        let html = RunReport(name: "demo", habits: ReportTable(rows: rows, legend: "told")).html()
        #expect(html.contains("<h2>Habits</h2>") && html.contains("<td>50.0 / 40.0 / 55.0</td>"))
        #expect(!RunReport(name: "demo").html().contains("Habits"))
    }

    @Test func theTreeStandsInDepthFirstOrder() throws {
        let html = RunReport(
            name: "demo", rounds: [RoundReport(name: "round-1", pictures: [try picture()])]
        ).html()
        let rows = html.components(separatedBy: "<li class=").dropFirst().map { String($0) }
        #expect(rows.count == 4)
        #expect(rows[0].hasPrefix("\"alive\" style=\"--depth:0\"") && rows[0].contains("A dog sits."))
        #expect(
            rows[0].contains("--reward:1.000")
                && rows[0].contains("relevance\u{A0}0.31 · likelihood\u{A0}−1.00"))
        #expect(rows[1].hasPrefix("\"alive\" style=\"--depth:1\"") && rows[1].contains("--reward:0.500"))
        #expect(rows[1].contains("<mark>fire  truck</mark> waits"))
        #expect(rows[1].contains("<span class=\"badge rejected\">c0 1.00 rejected</span>"))
        #expect(
            rows[2].contains("Grass.") && rows[2].contains("<span class=\"badge chosen\">c1 chosen</span>"))
        #expect(!rows[2].contains("--reward"))
        #expect(rows[3].hasPrefix("\"pruned\" style=\"--depth:0\"") && rows[3].contains("--reward:0.000"))
        #expect(html.contains("CHOSEN, margin 0.25"))
        #expect(html.contains("src=\"data:image/png;base64,\(Data(png).base64EncodedString())\""))
    }

    @Test func thePageStandsAlone() throws {
        let html = RunReport(name: "x", rounds: [RoundReport(name: "r", pictures: [try picture()])]).html()
        for reference in ["http:", "https:", "<script", "<link", "@import", "url("] {
            #expect(!html.contains(reference), "\(reference)")
        }
        #expect(html.hasPrefix("<!doctype html>\n<html lang=\"en\">"))
        #expect(html.contains("prefers-color-scheme: dark"))
    }

    @Test func emptyRunsAreAPageToo() {
        let controls = ReportTable(rows: [["", "blind"], ["CHAIR_S", "17.0"]])
        #expect(RunReport(name: "r", controls: controls).html().contains("<h2>Beside its controls</h2>"))
        let html = RunReport(name: "empty", table: ReportTable(rows: [])).html()
        #expect(!html.contains("Beside its controls"))
        #expect(html.contains("<h1>empty</h1>") && !html.contains("<table>"))
    }
}

@Suite struct TrainingMetricsTests {
    private func metrics(_ text: String) throws -> TrainingMetrics {
        try TrainingMetrics(jsonLines: Array(text.utf8), file: "metrics.jsonl")
    }

    @Test func readsTRLsNames() throws {
        let metrics = try metrics(
            """
            {"step": 1, "loss": 0.6931, "rewards/accuracies": 0.5, "phase": "train"}

            {"step": 2, "loss": 0.61, "eval_loss": 0.6}
            """)
        #expect(metrics.curves.map(\.name) == ["loss", "rewards/accuracies", "eval_loss"])
        #expect(metrics["loss"]?.points == [.init(step: 1, value: 0.6931), .init(step: 2, value: 0.61)])
    }

    @Test func badLinesAreNamed() {
        for (text, line) in [("{\"step\": 1}\n{\"step\"", 2), ("{\"loss\": 1}", 1), ("[1]", 1)] {
            let error = #expect(throws: ReportError.self) { try metrics(text) }
            #expect(error?.description.hasPrefix("metrics.jsonl:\(line): ") == true)
        }
    }

    @Test func curvesAreDrawnPerRound() throws {
        let long = (1...1_000).map { "{\"step\": \($0), \"loss\": \(Double($0) / 1_000)}" }
        let rounds = [
            RoundReport(name: "round-1", metrics: try metrics(long.joined(separator: "\n"))),
            RoundReport(name: "round-2", metrics: try metrics("{\"step\": 5, \"loss\": 0.25, \"x\": 3}")),
        ]
        let html = RunReport(name: "r", rounds: rounds).html()
        #expect(html.components(separatedBy: "<figure class=\"chart\">").count == 3)
        let line = try #require(html.components(separatedBy: "points=\"").dropFirst().first)
        #expect(line.prefix { $0 != "\"" }.split(separator: " ").count == 240)
        #expect(html.contains("<circle class=\"dot series-1\""))
        #expect(!html.contains("nan") && !html.contains("inf"))
    }
}
