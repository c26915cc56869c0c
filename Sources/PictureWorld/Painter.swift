import Imaging
import Random

/// The paints of one object: everything derives from its colour, so that no detail tells another one.
struct Palette: Sendable {
    let main: RGB
    let light: RGB
    let dark: RGB
    /// For marks on the main colour (hands of a clock, an eye).
    let mark: RGB
    let ink: RGB

    static let glass = RGB(206, 222, 230)
    static let wood = RGB(142, 112, 84)
    static let metal = RGB(150, 152, 158)
    static let tyre = RGB(58, 56, 62)

    init(_ colour: Colour) {
        let ink = RGB(56, 46, 54)
        switch colour {
        case .white:
            (main, light, dark) = (RGB(253, 253, 252), RGB(240, 241, 243), RGB(212, 214, 220))
            mark = ink
        case .black:
            (main, light, dark) = (RGB(40, 40, 44), RGB(104, 104, 112), RGB(18, 18, 20))
            mark = RGB(214, 214, 218)
        default:
            main = Palette.main(colour)
            light = main.mixed(with: RGB(255, 255, 255), 0.42)
            dark = main.mixed(with: RGB(0, 0, 0), 0.26)
            mark = ink
        }
        self.ink = colour == .black ? RGB(10, 10, 12) : ink
    }

    private static func main(_ colour: Colour) -> RGB {
        switch colour {
        case .red: RGB(218, 42, 46)
        case .yellow: RGB(250, 206, 36)
        case .green: RGB(34, 152, 64)
        case .blue: RGB(36, 88, 212)
        case .purple: RGB(148, 54, 184)
        case .white: RGB(253, 253, 252)
        case .black: RGB(40, 40, 44)
        }
    }
}

/// Paints in the unit square of one object, from -0.5 to 0.5 with y downwards, onto a canvas of any size.
struct Painter {
    var canvas: Canvas
    let palette: Palette
    private let centre: Point
    private let side: Double

    /// Outlines are this part of the object's side wide.
    private static let inkWidth = 0.042

    init(canvas: Canvas, object: SceneObject, pixelsPerUnit: Double) {
        self.canvas = canvas
        palette = Palette(object.colour)
        centre = Point(object.x * pixelsPerUnit, object.y * pixelsPerUnit)
        side = object.scale * pixelsPerUnit
    }

    /// A filled part without an outline.
    mutating func plain(_ path: Path, _ colour: RGB, alpha: Double = 1) {
        canvas.fill(placed(path), colour, alpha: alpha)
    }

    /// A filled part with a dark outline.
    mutating func part(_ path: Path, _ colour: RGB) {
        plain(path, colour)
        plain(path.outlined(Painter.inkWidth), palette.ink)
    }

    /// A line in `colour` edged in ink, for thin things that have to keep their silhouette.
    mutating func bar(_ points: [(Double, Double)], _ width: Double, _ colour: RGB) {
        plain(.line(points, width + Painter.inkWidth * 1.6), palette.ink)
        plain(.line(points, width), colour)
    }

    mutating func mark(_ points: [(Double, Double)], _ width: Double) {
        plain(.line(points, width), palette.mark)
    }

    private func placed(_ path: Path) -> Path {
        path.mapped { Point(centre.x + $0.x * side, centre.y + $0.y * side) }
    }
}

extension Scene {
    /// The picture in `size` × `size` pixels. The same at every size but for the fineness of its edges.
    package func draw(size: Int = 128) -> RGBImage {
        let pixelsPerUnit = Double(size) / 128
        var random = SplitMix64(seed: 0, purpose: "backdrop \(id)")
        var canvas = Canvas(width: size, height: size, colour: RGB(240, 236, 228))
        paintBackdrop(context, onto: &canvas, pixelsPerUnit, &random)
        for object in objects {
            var painter = Painter(canvas: canvas, object: object, pixelsPerUnit: pixelsPerUnit)
            // One owner of the pixels at a time: a second one would copy them at the first stroke.
            canvas = Canvas(width: 0, height: 0, colour: RGB(0, 0, 0))
            painter.paint(object.category)
            canvas = painter.canvas
        }
        return canvas.image
    }
}
