import Foundation

extension RunReport {
    /// Curves shown, in this order; TRL's names. What else a metrics file holds follows after them.
    private static let firstCurves = [
        "loss", "rewards/accuracies", "rewards/margins", "rewards/chosen", "rewards/rejected",
        "eval_rewards/accuracies", "learning_rate", "grad_norm",
    ]

    /// The whole report as one HTML file that needs nothing beside itself.
    package func html() -> String { HTMLPage(title: name, body: body, maker: "report").html }

    private var body: String {
        var html = factList(facts)
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
        return html
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
