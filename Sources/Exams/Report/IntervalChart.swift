import Foundation

/// Methods side by side as an SVG file of its own: a row for each, a panel for each figure with its intervals.
package struct IntervalChart {
    package struct Value {
        package var estimate: Double
        package var lower: Double
        package var upper: Double

        package init(estimate: Double, lower: Double, upper: Double) {
            (self.estimate, self.lower, self.upper) = (estimate, lower, upper)
        }
    }

    package struct Figure {
        package var title: String
        /// One per row.
        package var values: [Value]

        package init(title: String, values: [Value]) { (self.title, self.values) = (title, values) }
    }

    package var rows: [String]
    package var figures: [Figure]

    package init(rows: [String], figures: [Figure]) { (self.rows, self.figures) = (rows, figures) }

    private static let panel = 210.0
    private static let gap = 30.0
    private static let top = 34.0
    private static let rowHeight = 28.0
    private static let bottom = 26.0

    private static let style = """
        text { font: 12px system-ui, "DejaVu Sans", sans-serif; fill: #1d2126; }
        .tick { fill: #5c646d; font-size: 11px; } .grid { stroke: #dedad3; } .base { stroke: #5c646d; stroke-dasharray: 3 3; }
        .span { stroke: #0b6a8f; stroke-width: 2; } .dot { fill: #0b6a8f; } .page { fill: #ffffff; }
        """

    /// Names of the rows take their place on the left; seven pixels a letter is enough for most.
    private var left: Double { 24 + 7 * Double(rows.map(\.count).max() ?? 0) }
    private var lowest: Double { Self.top + Self.rowHeight * Double(rows.count) }

    package var svg: String {
        let width = left + Double(figures.count) * (Self.panel + Self.gap)
        let height = lowest + Self.bottom
        var svg = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(at(width)) \(at(height))\" "
        svg += "width=\"\(at(width))\" height=\"\(at(height))\" role=\"img\">\n<style>\(Self.style)</style>\n"
        svg += "<rect class=\"page\" width=\"100%\" height=\"100%\"/>\n"
        for (index, name) in rows.enumerated() {
            svg += "<text x=\"8\" y=\"\(at(middle(index)))\" dy=\"0.35em\">\(escaped(name))</text>\n"
        }
        for (index, figure) in figures.enumerated() {
            svg += panel(figure, from: left + Double(index) * (Self.panel + Self.gap))
        }
        return svg + "</svg>\n"
    }

    private func panel(_ figure: Figure, from x0: Double) -> String {
        let axis = Axis(figure.values.flatMap { [$0.lower, $0.estimate, $0.upper] })
        func x(_ value: Double) -> String { at(x0 + Self.panel * axis.position(value)) }
        var svg = "<text x=\"\(at(x0))\" y=\"18\">\(escaped(figure.title))</text>\n"
        for tick in axis.ticks {
            svg += line("grid", x(tick), x(tick), Self.top, lowest)
            svg += "<text class=\"tick\" x=\"\(x(tick))\" y=\"\(at(lowest + 16))\" text-anchor=\"middle\">"
            svg += "\(axis.label(tick))</text>\n"
        }
        if let first = figure.values.first {
            svg += line("base", x(first.estimate), x(first.estimate), Self.top, lowest)
        }
        for (index, value) in figure.values.enumerated() {
            let y = middle(index)
            svg += line("span", x(value.lower), x(value.upper), y, y)
            svg += "<circle class=\"dot\" cx=\"\(x(value.estimate))\" cy=\"\(at(y))\" r=\"4\"><title>"
            svg += String(format: "%.1f [%.1f, %.1f]", value.estimate, value.lower, value.upper)
            svg += "</title></circle>\n"
        }
        return svg
    }

    private func line(_ name: String, _ x1: String, _ x2: String, _ y1: Double, _ y2: Double) -> String {
        "<line class=\"\(name)\" x1=\"\(x1)\" x2=\"\(x2)\" y1=\"\(at(y1))\" y2=\"\(at(y2))\"/>\n"
    }

    private func middle(_ row: Int) -> Double { Self.top + Self.rowHeight * (Double(row) + 0.5) }

    private func at(_ pixels: Double) -> String { String(format: "%.1f", pixels) }
}
