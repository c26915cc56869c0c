import Foundation
import FoundationXML
import Report
import Testing

@Suite struct IntervalChartTests {
    @Test func everyMethodHasItsIntervalInEveryPanel() throws {
        let chart = IntervalChart(
            rows: ["base", "<b> & \"c\""],
            figures: ["one", "two"].map { title in
                IntervalChart.Figure(
                    title: title,
                    values: [
                        .init(estimate: 40, lower: 30, upper: 50), .init(estimate: 20, lower: 10, upper: 50),
                    ])
            })
        let svg = chart.svg
        let parser = XMLParser(data: Data(svg.utf8))
        #expect(parser.parse(), "\(String(describing: parser.parserError))")
        #expect(svg.contains("&lt;b&gt; &amp; &quot;c&quot;</text>"))
        #expect(svg.contains("<title>20.0 [10.0, 50.0]</title>"))
        let places = svg.matches(of: /class="dot" cx="([0-9.]+)"/).compactMap { Double($0.1) }
        #expect(places.count == 4)
        // 40 is half the panel's range of 10…50 to the right of 20.
        #expect(abs(places[0] - places[1] - 105) < 0.11 && abs(places[2] - places[0] - 240) < 0.11)
    }

    /// A single point has no range, and must not become NaN.
    @Test func pointsWithoutRangeStandSomewhere() {
        let point = IntervalChart.Value(estimate: 0, lower: 0, upper: 0)
        let svg = IntervalChart(rows: ["a"], figures: [.init(title: "t", values: [point])]).svg
        #expect(!svg.contains("nan") && !svg.contains("inf"))
    }
}
