import Foundation
import Report
import Testing

@Suite struct ComparisonPageTests {
    private let hostile =
        "</script><script>alert(1)</script><img src=x onerror=alert(2)> http://example.com \u{7}"

    private func plot(_ title: String, run: String = "", told: String = "+4.0 [+3.0, +5.0]*") -> ForestPlot {
        ForestPlot(
            unit: "percentage points", hasZero: true,
            rows: [
                .init(
                    title: title, run: run, values: "79.8 → 83.8", estimate: 4, lower: 3, upper: 5,
                    told: told,
                    tone: .better),
                .init(
                    title: title, run: "other", estimate: -1, lower: -3, upper: 1, told: "−1.0", tone: .open),
            ])
    }

    /// Every place that a model, a file or a person can write to.
    private func report(_ text: String) -> ComparisonReport {
        let table = ReportTable(rows: [[text, text], [text, text]], legend: text)
        return ComparisonReport(
            title: text, facts: [(text, text)], findings: [text], legend: text,
            benchmarks: [.init(title: text, plots: [plot(text, run: text, told: text)], tables: [table])],
            readings: table, tests: table, lengths: [(text, plot(text, run: text))], health: table,
            doubts: [.init(run: text, exam: text, image: text, answer: text, taken: text)],
            overlap: .init(summary: text, groups: [.init(title: text, pictures: [text])]))
    }

    @Test func whatModelsWriteStaysText() {
        let html = report(hostile).html()
        for tag in ["<script", "</script", "<img", "\u{7}"] { #expect(!html.contains(tag), "\(tag)") }
        #expect(html.components(separatedBy: "&lt;script&gt;alert(1)").count > 20)
        #expect(html.contains("&lt;img src=x onerror=alert(2)&gt;"))
        #expect(html.contains("default-src 'none'"))
    }

    @Test func thePageStandsAlone() {
        let html = report("POPE").html()
        for reference in ["http:", "https:", "//", "<script", "<link", "@import", "url(", "src="] {
            #expect(!html.contains(reference), "\(reference)")
        }
        #expect(ComparisonReport.isPage(html.utf8))
        #expect(!ComparisonReport.isPage(RunReport(name: ComparisonReport.maker).html().utf8))
    }

    @Test func sectionsWithoutContentAreLeftOut() {
        let html = ComparisonReport(title: "nothing").html()
        #expect(html.contains("<h1>nothing</h1>") && !html.contains("<h2>") && !html.contains("<table"))
        let whole = report("POPE").html()
        let heads = whole.matches(of: /<h2>([^<]*)<\/h2>/).map { String($0.1) }
        #expect(
            heads == [
                "Figures", "Official and strict reading", "Question by question", "Length beside CHAIR",
                "By category", "How answers were read", "Pictures of training and test",
            ])
    }

    @Test func aRowOfSeveralRunsNamesItsFigureOnce() {
        let table = ReportTable(
            rows: [
                ["POPE", "run", "F1"], ["popular", "a", "1"], ["popular", "b", "2"], ["random", "a", "3"],
            ],
            labels: 2)
        let html = ComparisonReport(title: "t", readings: table).html()
        #expect(html.components(separatedBy: ">popular</th>").count == 2)
        #expect(html.contains("<th scope=\"row\" class=\"label\">b</th><td>2</td>"))
        #expect(html.components(separatedBy: "<tr class=\"first\">").count == 3)
    }
}

@Suite struct ForestPlotTests {
    private func html(_ plot: ForestPlot) -> String {
        ComparisonReport(title: "t", benchmarks: [.init(title: "b", plots: [plot], tables: [])]).html()
    }

    private func row(_ estimate: Double, _ lower: Double, _ upper: Double) -> ForestPlot.Row {
        .init(title: "\(estimate)", estimate: estimate, lower: lower, upper: upper, told: "", tone: .open)
    }

    /// From −10 to 10 with a margin of 6% on both sides: 0 stands in the middle, and marks lie within the column.
    @Test func marksStandWhereTheAxisSays() throws {
        let text = html(
            ForestPlot(unit: "points", hasZero: true, rows: [row(0, -10, 10), row(5, 2.5, 7.5)]))
        let marks = text.matches(of: /class="mark" style="left:([0-9.]+)%"/).compactMap { Double($0.1) }
        #expect(marks.count == 2 && abs(marks[0] - 50) < 0.02)
        // 5 of a range of 22.4 to the right.
        #expect(abs(marks[1] - (50 + 100 * 5 / 22.4)) < 0.02)
        let spans = text.matches(of: /class="span" style="left:([0-9.]+)%;width:([0-9.]+)%"/)
            .compactMap { match in Double(match.1).flatMap { left in Double(match.2).map { (left, $0) } } }
        #expect(spans.count == 2 && spans.allSatisfy { $0.0 >= 0 && $0.0 + $0.1 <= 100 })
        #expect(abs(spans[1].1 - 100 * 5 / 22.4) < 0.02)
        #expect(text.components(separatedBy: "class=\"zero\"").count == 3)
        #expect(text.contains(">−10</span>") && text.contains(">0</span>"))
    }

    @Test(arguments: [(0.0, 0.0, 0.0), (3, 3, 3), (1e-12, 0, 2e-12)])
    func pointsWithoutRangeStandSomewhere(estimate: Double, lower: Double, upper: Double) {
        for hasZero in [true, false] {
            let text = html(
                ForestPlot(unit: "", hasZero: hasZero, rows: [row(estimate, lower, upper)])
            ).lowercased()
            #expect(!text.contains("left:nan") && !text.contains("left:inf") && !text.contains("left:-"))
        }
    }
}
