import Foundation
import Report
import Testing

@Suite struct CaptionReportTests {
    private let hostile = "<script>alert(1)</script> a dog & \"cat\""

    @Test func versionsStandInOrderAndEscaped() throws {
        let caption = CaptionReport(
            id: hostile, image: nil, truth: hostile,
            versions: [
                .init(
                    name: "base", text: hostile,
                    judgement: TextJudgement(invented: ["dog"], note: "1 invented")),
                .init(name: "round-1<", text: "A lamp.", judgement: nil),
            ])
        let html = RunReport(name: "demo", captions: [caption]).html()
        #expect(!html.contains("<script") && !html.contains("round-1<"))
        #expect(html.contains("a <mark>dog</mark> &amp; &quot;cat&quot;"))
        let places = ["<dt>base</dt>", "1 invented", "<dt>round-1&lt;</dt>", "A lamp."].map {
            html.range(of: $0)?.lowerBound
        }
        #expect(places.allSatisfy { $0 != nil })
        #expect(places.compactMap { $0 } == places.compactMap { $0 }.sorted())
    }

    @Test func noCaptionsNoHeading() {
        #expect(!RunReport(name: "demo").html().contains("Captions"))
    }
}
