import Foundation

/// Estimates with their intervals, a row each, on one axis. It is a table whose middle column is drawn of boxes placed in
/// percent of its width, so that on a telephone the drawing becomes narrow and the words keep their size.
package struct ForestPlot: Sendable {
    /// What an interval says, in more than a color: a full mark where zero lies outside, an open one where it doesn't.
    package enum Tone: String, Sendable { case better, worse, other, open }

    package struct Row: Sendable {
        /// The figure.
        package var title: String
        /// Whose it is, where a figure has rows of several runs.
        package var run: String
        /// What it was before and is now, as text; empty where only the estimate is told.
        package var values: String
        package var estimate: Double
        package var lower: Double
        package var upper: Double
        /// The estimate with its interval, as text.
        package var told: String
        package var tone: Tone

        package init(
            title: String, run: String = "", values: String = "", estimate: Double, lower: Double,
            upper: Double, told: String, tone: Tone
        ) {
            (self.title, self.run, self.values) = (title, run, values)
            (self.estimate, self.lower, self.upper) = (estimate, lower, upper)
            (self.told, self.tone) = (told, tone)
        }
    }

    /// What the axis measures.
    package var unit: String
    /// Whether zero has a line and lies on the axis.
    package var hasZero: Bool
    package var rows: [Row]

    package init(unit: String, hasZero: Bool, rows: [Row]) {
        (self.unit, self.hasZero, self.rows) = (unit, hasZero, rows)
    }

    private var axis: Axis {
        let ends = rows.flatMap { [$0.lower, $0.estimate, $0.upper] }.filter(\.isFinite)
        let all = hasZero ? ends + [0] : ends
        // Room for the marks and the labels under the first and last tick.
        let margin = 0.06 * ((all.max() ?? 1) - (all.min() ?? 0))
        return Axis(all + all.flatMap { [$0 - margin, $0 + margin] })
    }

    var html: String {
        guard !rows.isEmpty else { return "" }
        let axis = axis
        var html = "<table class=\"forest\">\n<tbody>\n"
        var before: String?
        for row in rows {
            html += self.html(of: row, isFirst: row.title != before, axis)
            before = row.title
        }
        html += "</tbody>\n<tfoot><tr><th scope=\"row\">\(escaped(unit))</th><td class=\"plot axis\">"
        for tick in axis.ticks {
            html += "<span style=\"left:\(percent(axis.position(tick)))\">\(axis.label(tick))</span>"
        }
        return html + "</td><td class=\"values\"></td><td class=\"told\"></td></tr></tfoot>\n</table>\n"
    }

    private func html(of row: Row, isFirst: Bool, _ axis: Axis) -> String {
        let run = row.run.isEmpty ? "" : "<small>\(escaped(row.run))</small>"
        let title = isFirst ? escaped(row.title) : "<span class=\"again\">\(escaped(row.title))</span>"
        let (start, end) = (axis.position(row.lower), axis.position(row.upper))
        var html = "<tr class=\"\(row.tone.rawValue)\(isFirst ? " first" : "")\">"
        html += "<th scope=\"row\">\(title)\(run)</th><td class=\"plot\" aria-hidden=\"true\">"
        for tick in axis.ticks {
            let isZero = hasZero && abs(axis.position(tick) - axis.position(0)) < 1e-9
            let name = isZero ? "zero" : "tick-line"
            html += "<i class=\"\(name)\" style=\"left:\(percent(axis.position(tick)))\"></i>"
        }
        html += "<i class=\"span\" style=\"left:\(percent(start));width:\(percent(end - start))\"></i>"
        html += "<i class=\"mark\" style=\"left:\(percent(axis.position(row.estimate)))\"></i></td>"
        return html + "<td class=\"values\">\(escaped(row.values))</td>"
            + "<td class=\"told\">\(escaped(row.told))</td></tr>\n"
    }

    private func percent(_ share: Double) -> String { String(format: "%.2f%%", 100 * share) }
}
