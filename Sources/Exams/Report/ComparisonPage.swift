extension ComparisonReport {
    package static let maker = "eval compare"

    /// Whether these bytes are a page of this kind, which may be replaced.
    package static func isPage(_ bytes: some Collection<UInt8>) -> Bool {
        String(decoding: bytes.prefix(1 << 10), as: UTF8.self).contains("content=\"Sightline \(maker)\"")
    }

    /// The whole report as one HTML file that needs nothing beside itself.
    package func html() -> String { HTMLPage(title: title, body: body, maker: Self.maker).html }

    private var body: String {
        var html = factList(facts)
        if !findings.isEmpty {
            html +=
                "<ul class=\"findings\">\n" + findings.map { "<li>\(escaped($0))</li>\n" }.joined()
                + "</ul>\n"
        }
        html += differences
        if let readings { html += "<h2>Official and strict reading</h2>\n" + readings.html }
        if let tests { html += "<h2>Question by question</h2>\n" + tests.html }
        html += lengthsBesideInventions + categories
        if let health { html += "<h2>How answers were read</h2>\n" + health.html + doubtList }
        return html + (overlap?.html ?? "")
    }

    private var differences: String {
        let shown = benchmarks.filter { !$0.plots.isEmpty }
        guard !shown.isEmpty else { return "" }
        var html = "<h2>Figures</h2>\n<p class=\"legend\">\(escaped(legend))</p>\n"
        for benchmark in shown {
            html += "<section class=\"benchmark\"><h3>\(escaped(benchmark.title))</h3>\n"
            html += benchmark.plots.map(\.html).joined() + "</section>\n"
        }
        return html
    }

    private var lengthsBesideInventions: String {
        guard !lengths.isEmpty else { return "" }
        var html =
            "<h2>Length beside CHAIR</h2>\n<p class=\"legend\">Shorter captions invent less whatever the "
        html += "model sees: read inventions together with recall and length.</p>\n<div class=\"charts\">\n"
        for (title, plot) in lengths {
            html += "<section class=\"chart\"><h3>\(escaped(title))</h3>\n\(plot.html)</section>\n"
        }
        return html + "</div>\n"
    }

    private var categories: String {
        let shown = benchmarks.filter { !$0.tables.isEmpty }
        guard !shown.isEmpty else { return "" }
        var html = "<h2>By category</h2>\n"
        for (index, benchmark) in shown.enumerated() {
            let rows = benchmark.tables.reduce(0) { $0 + $1.rows.count - 1 }
            html +=
                "<details\(index == 0 && rows <= 40 ? " open" : "")><summary>\(escaped(benchmark.title)), "
            html += "\(rows) rows</summary>\n" + benchmark.tables.map(\.html).joined() + "</details>\n"
        }
        return html
    }

    private var doubtList: String {
        guard !doubts.isEmpty else { return "" }
        var html = "<details><summary>\(doubts.count) of the answers that weren't read plainly</summary>\n"
        html += "<dl class=\"versions doubts\">\n"
        for doubt in doubts {
            html += "<dt>\(escaped(doubt.run)), \(escaped(doubt.exam))</dt><dd dir=\"auto\">"
            html +=
                "\(escaped(doubt.answer))<p class=\"legend\">\(escaped(doubt.image)): \(escaped(doubt.taken))</p></dd>\n"
        }
        return html + "</dl></details>\n"
    }
}

extension ComparisonReport.Overlap {
    fileprivate var html: String {
        var html = "<h2>Pictures of training and test</h2>\n<p>\(escaped(summary))</p>\n"
        for group in groups where !group.pictures.isEmpty {
            html += "<details><summary>\(escaped(group.title)): \(group.pictures.count)</summary>\n"
            html += "<ul class=\"names\">" + group.pictures.map { "<li>\(escaped($0))</li>" }.joined()
            html += "</ul></details>\n"
        }
        return html
    }
}
