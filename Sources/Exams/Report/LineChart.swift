import Foundation

/// A small line chart as inline SVG: one line per round over the optimiser's steps.
struct LineChart {
    struct Line {
        var name: String
        var points: [TrainingMetrics.Point]
    }

    var title: String
    var lines: [Line]

    private static let width = 360.0
    private static let height = 200.0
    private static let left = 52.0
    private static let right = 10.0
    private static let top = 10.0
    private static let bottom = 24.0
    /// More points than pixels only make the page heavy.
    private static let mostPoints = 240

    var svg: String {
        let points = lines.flatMap(\.points)
        let x = Axis(points.map(\.step))
        let y = Axis(points.map(\.value))
        var svg = "<figure class=\"chart\"><figcaption>\(escaped(title))</figcaption>"
        svg += "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(Self.height))\" role=\"img\" "
        svg += "aria-label=\"\(escaped(title)) by step\">"
        for tick in y.ticks {
            let at = format(vertical(y.position(tick)))
            svg += "<line class=\"grid\" x1=\"\(Self.left)\" x2=\"\(Self.width - Self.right)\" "
            svg += "y1=\"\(at)\" y2=\"\(at)\"/>"
            svg += "<text class=\"tick\" x=\"\(Self.left - 6)\" y=\"\(at)\" dy=\"0.32em\" "
            svg += "text-anchor=\"end\">\(y.label(tick))</text>"
        }
        for tick in x.ticks {
            svg += "<text class=\"tick\" x=\"\(format(horizontal(x.position(tick))))\" "
            svg += "y=\"\(Self.height - 6)\" text-anchor=\"middle\">\(x.label(tick))</text>"
        }
        for (index, line) in lines.enumerated() where !line.points.isEmpty {
            svg += path(line, series: index, x: x, y: y)
        }
        return svg + "</svg></figure>\n"
    }

    private func path(_ line: Line, series: Int, x: Axis, y: Axis) -> String {
        let places = thinned(line.points).map { point in
            "\(format(horizontal(x.position(point.step)))),\(format(vertical(y.position(point.value))))"
        }
        let color = "series-\(series % Stylesheet.seriesCount)"
        guard places.count > 1 else {
            guard let place = places.first?.split(separator: ",") else { return "" }
            return "<circle class=\"dot \(color)\" cx=\"\(place[0])\" cy=\"\(place[1])\" r=\"3\">"
                + "<title>\(escaped(line.name))</title></circle>"
        }
        return "<polyline class=\"line \(color)\" points=\"\(places.joined(separator: " "))\">"
            + "<title>\(escaped(line.name))</title></polyline>"
    }

    /// Means of equal runs of points where there are too many.
    private func thinned(_ points: [TrainingMetrics.Point]) -> [TrainingMetrics.Point] {
        let points = points.filter { $0.step.isFinite && $0.value.isFinite }
        guard points.count > Self.mostPoints else { return points }
        return (0..<Self.mostPoints).map { bucket in
            let start = bucket * points.count / Self.mostPoints
            let slice = points[start..<((bucket + 1) * points.count / Self.mostPoints)]
            let count = Double(slice.count)
            return TrainingMetrics.Point(
                step: slice.reduce(0) { $0 + $1.step } / count,
                value: slice.reduce(0) { $0 + $1.value } / count)
        }
    }

    private func horizontal(_ share: Double) -> Double {
        Self.left + share * (Self.width - Self.left - Self.right)
    }

    private func vertical(_ share: Double) -> Double {
        Self.height - Self.bottom - share * (Self.height - Self.top - Self.bottom)
    }

    private func format(_ pixels: Double) -> String { String(format: "%.1f", pixels) }
}

/// A range of values with round ticks.
struct Axis {
    let lower: Double
    let upper: Double
    let ticks: [Double]
    private let decimals: Int

    init(_ values: [Double]) {
        let finite = values.filter(\.isFinite)
        var low = finite.min() ?? 0
        var high = finite.max() ?? 1
        // Values that don't vary still need a range to stand in.
        if high - low <= 1e-12 * max(abs(low), abs(high), 1) {
            let half = max(abs(low) * 0.1, 0.5)
            (low, high) = (low - half, high + half)
        }
        let rough = (high - low) / 5
        let magnitude = pow(10, floor(log10(rough)))
        let step = ([1, 2, 5].first { $0 * magnitude >= rough } ?? 10) * magnitude
        lower = low
        upper = high
        ticks = stride(from: ceil(low / step) * step, through: high + step * 1e-9, by: step).map { $0 }
        decimals = max(0, -Int(floor(log10(step) + 1e-9)))
    }

    /// 0 at the lower end, 1 at the upper.
    func position(_ value: Double) -> Double { (value - lower) / (upper - lower) }

    func label(_ tick: Double) -> String {
        guard decimals <= 6, abs(tick) < 1e7 else { return String(format: "%.1e", tick) }
        let text = String(format: "%.\(decimals)f", tick)
        return text.hasPrefix("-")
            ? (Double(text) == 0 ? String(text.dropFirst()) : "−" + text.dropFirst()) : text
    }
}
