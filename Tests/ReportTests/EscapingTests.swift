import Records
import Report
import Testing

/// Texts that would break out of a page that trusts them.
private let hostile = [
    "</script><script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "' onmouseover='x",
    "a & b &lt; c", "<!-- ", "]]>", "</style>", "</details></article>", "bell\u{7} null\u{0} esc\u{1B}[31m",
    "\u{202E}reversed", "\u{85}\u{FFFE}", "`${alert(1)}`",
]

@Suite struct EscapingTests {
    @Test(arguments: [
        ("<b>\"x\" & 'y'</b>", "&lt;b&gt;&quot;x&quot; &amp; &#39;y&#39;&lt;/b&gt;"),
        ("&lt;", "&amp;lt;"), ("a\u{0}b\u{1B}c\u{7F}", "a␀b␛c␡"), ("a\nb\tc", "a\nb\tc"), ("\r\n", "␍\n"),
        ("\u{85}\u{202E}\u{2066}\u{FFFF}", "\u{FFFD}\u{FFFD}\u{FFFD}\u{FFFD}"),
        ("e\u{301} 犬 🐕", "e\u{301} 犬 🐕"),
        ("<\u{301}script>", "&lt;\u{301}script&gt;"),
    ])
    func escapes(_ text: String, _ expected: String) {
        #expect(escaped(text).utf8.elementsEqual(expected.utf8))
    }

    /// Every place of the page that shows text, filled with every hostile text.
    @Test(arguments: hostile)
    func nothingHostileReachesThePage(_ text: String) throws {
        let html = try page(with: text)
        // The page's own tags are the same whatever the texts are.
        let (found, expected) = (tags(in: html), tags(in: try page(with: "harmless")))
        #expect(found == expected)
        #expect(!html.contains("<script") && !html.contains("onerror=alert(1)>"))
        #expect(!html.unicodeScalars.contains { $0.value < 0x20 && $0 != "\n" && $0 != "\t" })
        #expect(!html.unicodeScalars.contains { (0x80...0x9F).contains($0.value) || $0.value == 0x202E })
    }

    /// A page with one text wherever a page takes text.
    private func page(with text: String) throws -> String {
        let judgement = TextJudgement(invented: [text, "alert"], note: text)
        let picture = PictureReport(
            id: text, prompt: text, truth: text,
            sentences: [
                SentenceReport(
                    parent: -1, text: text, reward: 0.5, figures: [(text, 1)], judgement: judgement)
            ],
            answers: [AnswerReport(id: text, text: text, path: [0], score: 1)],
            pairs: [
                PairReport(
                    id: text, chosen: text, rejected: text, margin: 1, chosenJudgement: judgement,
                    rejectedJudgement: judgement)
            ])
        var metrics = Record()
        metrics.set("step", .int(1))
        metrics.set(text, .int(1))
        let round = RoundReport(
            name: text, metrics: try TrainingMetrics(jsonLines: metrics.bytes, file: "m"), notes: text,
            pictures: [picture])
        return RunReport(
            name: text, facts: [(text, text)],
            table: ReportTable(rows: [[text], [text, text]], legend: text),
            rounds: [round]
        ).html()
    }

    /// Names of the tags in the order of the page, marks left out.
    private func tags(in html: String) -> [String] {
        html.unicodeScalars.split(separator: "<").dropFirst().map { piece in
            String(String.UnicodeScalarView(piece.prefix { $0 != " " && $0 != ">" && $0 != "\n" }))
        }.filter { $0 != "mark" && $0 != "/mark" }
    }
}
