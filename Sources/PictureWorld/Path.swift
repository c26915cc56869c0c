import Foundation

struct Point: Sendable, Equatable {
    var x: Double
    var y: Double

    init(_ x: Double, _ y: Double) {
        self.x = x
        self.y = y
    }

    static func + (a: Point, b: Point) -> Point { Point(a.x + b.x, a.y + b.y) }
    static func - (a: Point, b: Point) -> Point { Point(a.x - b.x, a.y - b.y) }
    static func * (a: Point, b: Double) -> Point { Point(a.x * b, a.y * b) }

    var length: Double { (x * x + y * y).squareRoot() }
}

/// Closed outlines, filled by the nonzero rule: outlines of one direction unite, an opposite one cuts a hole.
struct Path: Sendable {
    var outlines: [[Point]]

    init(_ outlines: [[Point]]) {
        self.outlines = outlines
    }

    static func polygon(_ points: [(Double, Double)]) -> Path {
        Path([points.map { Point($0.0, $0.1) }])
    }

    /// The polygon of `points` and of the same mirrored at x = 0, in one run.
    static func mirrored(_ points: [(Double, Double)]) -> Path {
        polygon(points + points.reversed().map { (-$0.0, $0.1) })
    }

    static func rectangle(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double) -> Path {
        polygon([(x0, y0), (x1, y0), (x1, y1), (x0, y1)])
    }

    static func ellipse(
        _ x: Double, _ y: Double, _ rx: Double, _ ry: Double, from start: Double = 0, to end: Double = 1
    ) -> Path {
        Path([arc(Point(x, y), rx, ry, from: start, to: end)])
    }

    static func circle(_ x: Double, _ y: Double, _ r: Double) -> Path {
        ellipse(x, y, r, r)
    }

    static func rounded(_ x0: Double, _ y0: Double, _ x1: Double, _ y1: Double, _ r: Double) -> Path {
        let corners = [
            (x1 - r, y0 + r, 0.75), (x1 - r, y1 - r, 0.0), (x0 + r, y1 - r, 0.25), (x0 + r, y0 + r, 0.5),
        ]
        return Path([corners.flatMap { arc(Point($0.0, $0.1), r, r, from: $0.2, to: $0.2 + 0.25, steps: 4) }])
    }

    /// Points on an ellipse; angles in turns, clockwise from the right since y grows downwards.
    static func arc(
        _ centre: Point, _ rx: Double, _ ry: Double, from start: Double, to end: Double, steps: Int? = nil
    ) -> [Point] {
        let count = steps ?? max(6, Int((36 * (end - start)).rounded()))
        let isWhole = end - start >= 1
        return (0..<(isWhole ? count : count + 1)).map { index in
            let angle = 2 * Double.pi * (start + (end - start) * Double(index) / Double(count))
            return Point(centre.x + rx * cos(angle), centre.y + ry * sin(angle))
        }
    }

    /// A line with round ends through `points`.
    static func line(_ points: [(Double, Double)], _ width: Double) -> Path {
        line(points.map { Point($0.0, $0.1) }, width)
    }

    static func line(_ points: [Point], _ width: Double) -> Path {
        let radius = width / 2
        return Path(
            zip(points, points.dropFirst()).map { a, b in
                let turn = atan2(b.y - a.y, b.x - a.x) / (2 * Double.pi)
                return arc(b, radius, radius, from: turn - 0.25, to: turn + 0.25, steps: 6)
                    + arc(a, radius, radius, from: turn + 0.25, to: turn + 0.75, steps: 6)
            })
    }

    /// The band of `width` that runs along the outline, half of it on either side.
    func outlined(_ width: Double) -> Path {
        Path(
            outlines.flatMap { outline in
                [Path.offset(outline, by: width / 2), Array(Path.offset(outline, by: -width / 2).reversed())]
            })
    }

    func mapped(_ transform: (Point) -> Point) -> Path {
        Path(outlines.map { $0.map(transform) })
    }

    /// Each corner moved along its mitre. Sharp corners are cut at twice the distance: an unbounded mitre
    /// would grow spikes.
    private static func offset(_ outline: [Point], by distance: Double) -> [Point] {
        let sign = signedArea(outline) < 0 ? -distance : distance
        return outline.indices.map { index in
            let before = outline[index == 0 ? outline.count - 1 : index - 1]
            let after = outline[index + 1 == outline.count ? 0 : index + 1]
            let first = normal(before, outline[index])
            let second = normal(outline[index], after)
            let sum = first + second
            let squared = sum.x * sum.x + sum.y * sum.y
            guard squared > 1e-9 else { return outline[index] + first * sign }
            let mitre = sum * (2 / squared)
            let cut = min(1, 2 / mitre.length)
            return outline[index] + mitre * (sign * cut)
        }
    }

    private static func normal(_ a: Point, _ b: Point) -> Point {
        let along = b - a
        let length = along.length
        return length > 0 ? Point(along.y / length, -along.x / length) : Point(0, 0)
    }

    /// Positive for outlines that run clockwise on screen.
    private static func signedArea(_ outline: [Point]) -> Double {
        zip(outline, outline.dropFirst() + outline.prefix(1)).reduce(0) {
            $0 + $1.0.x * $1.1.y - $1.1.x * $1.0.y
        }
    }
}
