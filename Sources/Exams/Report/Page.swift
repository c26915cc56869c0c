import Foundation

extension RunReport {
    /// Curves shown, in this order; TRL's names. What else a metrics file holds follows after them.
    private static let firstCurves = [
        "loss", "rewards/accuracies", "rewards/margins", "rewards/chosen", "rewards/rejected",
        "eval_rewards/accuracies", "learning_rate", "grad_norm",
    ]

    /// The whole report as one HTML file that needs nothing beside itself: styles inline, pictures as data
    /// URIs, no script. Its content policy forbids both scripts and the network, so that even a text that
    /// escaped escaping could do nothing.
    package func html() -> String {
        var html = """
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta http-equiv="Content-Security-Policy" \
            content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
            <title>\(escaped(name)) · Sightline</title>
            <style>
            \(Stylesheet.css)</style>
            </head>
            <body>
            <h1>\(escaped(name))</h1>

            """
        if !facts.isEmpty {
            let items = facts.map { "<div><dt>\(escaped($0.name))</dt><dd>\(escaped($0.value))</dd></div>" }
            html += "<dl class=\"facts\">\(items.joined())</dl>\n"
        }
        if let table { html += "<h2>Before and after</h2>\n" + table.html }
        if let habits { html += "<h2>Habits</h2>\n" + habits.html }
        if let controls { html += "<h2>Beside its controls</h2>\n" + controls.html }
        if !captions.isEmpty {
            html += "<h2>Captions</h2>\n"
            html += "<p class=\"legend\"><mark>Underlined</mark>: not in the picture.</p>\n"
            for caption in captions { html += caption.html }
        }
        html += charts
        for round in rounds { html += round.html }
        return html + "<footer>Made by Sightline's report.</footer>\n</body>\n</html>\n"
    }

    private var charts: String {
        let trained = rounds.filter { $0.metrics?.curves.isEmpty == false }
        guard !trained.isEmpty else { return "" }
        var names: [String] = []
        for curve in trained.flatMap({ $0.metrics?.curves ?? [] }) where !names.contains(curve.name) {
            names.append(curve.name)
        }
        let ordered =
            Self.firstCurves.filter(names.contains) + names.filter { !Self.firstCurves.contains($0) }
        var html = "<h2>Training</h2>\n<p class=\"keys\">"
        for (index, round) in trained.enumerated() {
            let color = "series-\(index % Stylesheet.seriesCount)"
            html += "<span><i class=\"\(color)\"></i>\(escaped(round.name))</span>"
        }
        html += "</p>\n<div class=\"charts\">\n"
        for name in ordered {
            let lines = trained.map {
                LineChart.Line(name: $0.name, points: $0.metrics?[name]?.points ?? [])
            }
            html += LineChart(title: name, lines: lines).svg
        }
        return html + "</div>\n"
    }
}

extension ReportTable {
    fileprivate var html: String {
        guard let head = rows.first else { return "" }
        var html = "<div class=\"scroll\"><table>\n<thead><tr>"
        html += head.map { "<th scope=\"col\">\(escaped($0))</th>" }.joined() + "</tr></thead>\n<tbody>\n"
        for row in rows.dropFirst() {
            let cells = row.enumerated().map { index, cell in
                index == 0 ? "<th scope=\"row\">\(escaped(cell))</th>" : "<td>\(escaped(cell))</td>"
            }
            html += "<tr>\(cells.joined())</tr>\n"
        }
        html += "</tbody></table></div>\n"
        return legend.isEmpty ? html : html + "<p class=\"legend\">\(escaped(legend))</p>\n"
    }
}

extension RoundReport {
    fileprivate var html: String {
        var html = "<h2>\(escaped(name))</h2>\n"
        if !notes.isEmpty { html += "<pre class=\"notes\">\(escaped(notes))</pre>\n" }
        if pictures.contains(where: { !$0.sentences.isEmpty }) {
            html += "<p class=\"legend\">Sentences by reward within their tree: worst"
            html += "<span class=\"scale\"></span>best. Faded: not continued. "
            html += "<mark>Underlined</mark>: not in the picture.</p>\n"
        }
        for (index, picture) in pictures.enumerated() { html += picture.html(isOpen: index == 0) }
        return html
    }
}

extension PictureReport {
    /// - Parameter isOpen: whether the tree is unfolded at first.
    fileprivate func html(isOpen: Bool) -> String {
        var html = "<article class=\"picture\">\n<div>"
        html += image?.html(id) ?? ""
        if let truth { html += "<p class=\"truth\" dir=\"auto\">\(escaped(truth))</p>" }
        html += "</div>\n<div><h3>\(escaped(id))</h3>\n"
        html += "<p class=\"prompt\" dir=\"auto\">\(escaped(prompt))</p>\n"
        for pair in pairs { html += pair.html }
        if !sentences.isEmpty {
            html += "<details\(isOpen ? " open" : "")><summary>Tree: \(sentences.count) sentences, "
            html +=
                "\(answers.count) finished answers</summary>\n\(CandidateTree(picture: self).html)</details>\n"
        }
        return html + "</div>\n</article>\n"
    }
}

extension PairReport {
    fileprivate var html: String {
        let margin = margin.map { ", margin \(figure($0))" } ?? ""
        return "<div class=\"pair\">\n"
            + side("chosen", "CHOSEN" + margin, chosen, chosenJudgement)
            + side("rejected", "REJECTED", rejected, rejectedJudgement) + "</div>\n"
    }

    private func side(
        _ role: String, _ title: String, _ text: String, _ judgement: TextJudgement?
    ) -> String {
        var html = "<section class=\"side \(role)\"><h4>\(title)</h4>"
        html += "<p dir=\"auto\">\(marked(text, phrases: judgement?.invented ?? []))</p>"
        if let note = judgement?.note, !note.isEmpty { html += "<p class=\"legend\">\(escaped(note))</p>" }
        return html + "</section>\n"
    }
}

extension EmbeddedImage {
    func html(_ id: String) -> String {
        let data = Data(bytes).base64EncodedString()
        return "<img alt=\"picture of \(escaped(id))\" src=\"data:\(mediaType);base64,\(data)\">"
    }
}
