import Imaging

struct RGB: Sendable, Equatable {
    let red: Double
    let green: Double
    let blue: Double

    init(_ red: Double, _ green: Double, _ blue: Double) {
        self.red = red
        self.green = green
        self.blue = blue
    }

    func mixed(with other: RGB, _ share: Double) -> RGB {
        RGB(
            red + (other.red - red) * share, green + (other.green - green) * share,
            blue + (other.blue - blue) * share)
    }
}

/// A picture being painted, with a scanline filler: four lines per pixel row, exact coverage along each.
struct Canvas {
    let width: Int
    let height: Int
    private var pixels: [UInt8]
    private var coverage: [Float]
    private var crossings: [Crossing] = []

    private static let linesPerRow = 4

    private struct Crossing {
        var line: Int32
        var direction: Int32
        var x: Float
    }

    init(width: Int, height: Int, colour: RGB) {
        self.width = width
        self.height = height
        pixels = []
        pixels.reserveCapacity(width * height * 3)
        let bytes = [colour.red, colour.green, colour.blue].map { UInt8($0.rounded()) }
        for _ in 0..<width * height { pixels.append(contentsOf: bytes) }
        coverage = Array(repeating: 0, count: width)
    }

    var image: RGBImage { RGBImage(width: width, height: height, pixels: pixels) }

    /// Fills `path`, given in pixels, over what is there; what lies outside the picture is cut.
    mutating func fill(_ path: Path, _ colour: RGB, alpha: Double = 1) {
        collectCrossings(path)
        crossings.sort { a, b in a.line == b.line ? a.x < b.x : a.line < b.line }
        var index = 0
        while index < crossings.count {
            let row = Int(crossings[index].line) / Canvas.linesPerRow
            var low = width
            var high = -1
            while index < crossings.count, Int(crossings[index].line) / Canvas.linesPerRow == row {
                index = cover(from: index, &low, &high)
            }
            if low <= high { blend(row, low...high, colour, Float(alpha)) }
        }
    }

    /// Every crossing of an edge with the middle of a scan line. An edge owns its upper end and not its lower
    /// one, so that a corner is crossed once.
    private mutating func collectCrossings(_ path: Path) {
        crossings.removeAll(keepingCapacity: true)
        let lines = Double(Canvas.linesPerRow)
        let lastLine = height * Canvas.linesPerRow - 1
        for outline in path.outlines {
            guard var a = outline.last else { continue }
            for b in outline {
                let (upper, lower, direction): (Point, Point, Int32) = a.y < b.y ? (a, b, 1) : (b, a, -1)
                let first = max(0, Int((upper.y * lines - 0.5).rounded(.up)))
                let last = min(lastLine, Int((lower.y * lines - 0.5).rounded(.up)) - 1)
                if first <= last {
                    let slope = (lower.x - upper.x) / (lower.y - upper.y)
                    for line in first...last {
                        let y = (Double(line) + 0.5) / lines
                        crossings.append(
                            Crossing(
                                line: Int32(line), direction: direction,
                                x: Float(upper.x + (y - upper.y) * slope)))
                    }
                }
                a = b
            }
        }
    }

    /// Adds the spans of the scan line that starts at crossing `start`; gives the first crossing of the next.
    private mutating func cover(from start: Int, _ low: inout Int, _ high: inout Int) -> Int {
        let line = crossings[start].line
        var winding: Int32 = 0
        var index = start
        while index < crossings.count, crossings[index].line == line {
            winding += crossings[index].direction
            let next = index + 1
            if winding != 0, next < crossings.count, crossings[next].line == line {
                addSpan(crossings[index].x, crossings[next].x, &low, &high)
            }
            index = next
        }
        return index
    }

    private mutating func addSpan(_ from: Float, _ to: Float, _ low: inout Int, _ high: inout Int) {
        let start = max(0, from)
        let end = min(Float(width), to)
        guard start < end else { return }
        let first = Int(start)
        let last = min(width - 1, Int(end))
        low = min(low, first)
        high = max(high, last)
        let weight = 1 / Float(Canvas.linesPerRow)
        if first == last {
            coverage[first] += (end - start) * weight
            return
        }
        coverage[first] += (Float(first + 1) - start) * weight
        for x in first + 1..<max(first + 1, last) { coverage[x] += weight }
        coverage[last] += (end - Float(last)) * weight
    }

    private mutating func blend(_ row: Int, _ columns: ClosedRange<Int>, _ colour: RGB, _ alpha: Float) {
        let values = (Float(colour.red), Float(colour.green), Float(colour.blue))
        for x in columns {
            let share = min(1, coverage[x]) * alpha
            coverage[x] = 0
            let at = (row * width + x) * 3
            pixels[at] = Canvas.mix(pixels[at], values.0, share)
            pixels[at + 1] = Canvas.mix(pixels[at + 1], values.1, share)
            pixels[at + 2] = Canvas.mix(pixels[at + 2], values.2, share)
        }
    }

    @inline(__always)
    private static func mix(_ old: UInt8, _ new: Float, _ share: Float) -> UInt8 {
        let value = Float(old)
        return UInt8(max(0, min(255, value + (new - value) * share + 0.5)))
    }
}
