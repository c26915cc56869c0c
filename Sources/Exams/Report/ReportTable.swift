/// Rows of text; the first is the head, the first columns name the row.
package struct ReportTable: Sendable {
    package var rows: [[String]]
    /// What the columns mean.
    package var legend: String
    /// How many columns name the row. Of several the first stands once where rows below have the same.
    package var labels: Int

    package init(rows: [[String]], legend: String = "", labels: Int = 1) {
        (self.rows, self.legend, self.labels) = (rows, legend, labels)
    }

    var html: String {
        guard let head = rows.first else { return "" }
        var html = "<div class=\"scroll\"><table>\n<thead><tr>"
        for (column, cell) in head.enumerated() {
            html += "<th scope=\"col\"\(column < labels ? " class=\"label\"" : "")>\(escaped(cell))</th>"
        }
        html += "</tr></thead>\n<tbody>\n"
        var before: String?
        for row in rows.dropFirst() {
            let isSame = labels > 1 && row.first == before
            before = row.first
            html += isSame ? "<tr>" : "<tr class=\"first\">"
            for (column, cell) in row.enumerated() {
                let text = isSame && column == 0 ? "" : escaped(cell)
                html +=
                    column < labels
                    ? "<th scope=\"row\" class=\"label\">\(text)</th>" : "<td>\(text)</td>"
            }
            html += "</tr>\n"
        }
        html += "</tbody></table></div>\n"
        return legend.isEmpty ? html : html + "<p class=\"legend\">\(escaped(legend))</p>\n"
    }
}
