/// One picture as several models describe it.
package struct CaptionReport: Sendable {
    package struct Version: Sendable {
        /// `base`, `round-1`, …
        package var name: String
        package var text: String
        package var judgement: TextJudgement?

        package init(name: String, text: String, judgement: TextJudgement?) {
            (self.name, self.text, self.judgement) = (name, text, judgement)
        }
    }

    package var id: String
    package var image: EmbeddedImage?
    package var truth: String?
    package var versions: [Version]

    package init(id: String, image: EmbeddedImage?, truth: String?, versions: [Version]) {
        (self.id, self.image, self.truth, self.versions) = (id, image, truth, versions)
    }

    var html: String {
        var html = "<article class=\"picture\">\n<div>"
        html += image?.html(id) ?? ""
        if let truth { html += "<p class=\"truth\" dir=\"auto\">\(escaped(truth))</p>" }
        html += "</div>\n<div><h3>\(escaped(id))</h3>\n<dl class=\"versions\">\n"
        for version in versions {
            let words = marked(version.text, phrases: version.judgement?.invented ?? [])
            html += "<dt>\(escaped(version.name))</dt><dd dir=\"auto\">\(words)"
            if let note = version.judgement?.note, !note.isEmpty {
                html += "<p class=\"legend\">\(escaped(note))</p>"
            }
            html += "</dd>\n"
        }
        return html + "</dl></div>\n</article>\n"
    }
}
