extension Painter {
    mutating func paintBoat() {
        shadow(0.42, 0.40)
        bar([(0.0, -0.46), (0.0, 0.16)], 0.045, Palette.wood)
        part(.polygon([(0.05, -0.46), (0.38, 0.08), (0.05, 0.08)]), palette.light)
        part(.polygon([(-0.05, -0.34), (-0.05, 0.08), (-0.32, 0.08)]), palette.main)
        part(
            .polygon([(-0.49, 0.14), (0.49, 0.14), (0.40, 0.32), (0.32, 0.42), (-0.30, 0.42), (-0.40, 0.32)]),
            palette.main)
        plain(.line([(-0.36, 0.22), (0.36, 0.22)], 0.05), palette.light)
    }

    mutating func paintUmbrella() {
        shadow(0.48, 0.16)
        bar([(0, -0.10), (0, 0.40), (0.05, 0.46), (0.12, 0.46), (0.16, 0.40)], 0.045, Palette.wood)
        bar([(0, -0.48), (0, -0.40)], 0.03, Palette.wood)
        let dome = Path.arc(Point(0, 0.02), 0.49, 0.45, from: 0.5, to: 1.0, steps: 14)
        // Scallops along the lower edge, from right to left.
        let scallops = [0.367, 0.122, -0.122, -0.367].flatMap { x in
            Path.arc(Point(x, 0.02), 0.1225, 0.07, from: 0, to: 0.5, steps: 5).map {
                Point($0.x, 0.04 - $0.y)
            }
        }
        part(Path([dome + scallops]), palette.main)
        plain(.polygon([(-0.02, -0.40), (-0.24, -0.03), (-0.12, -0.05), (-0.02, -0.03)]), palette.light)
        plain(
            .polygon([(0.06, -0.38), (0.26, -0.03), (0.37, -0.05), (0.40, -0.10), (0.22, -0.34)]),
            palette.light)
    }

    mutating func paintCrab() {
        shadow(0.38, 0.40)
        for side in [-1.0, 1.0] {
            for (reach, drop) in [(0.46, 0.12), (0.46, 0.27), (0.36, 0.40)] {
                bar(
                    [(side * 0.20, 0.12), (side * reach * 0.85, drop - 0.07), (side * reach, drop)], 0.05,
                    palette.main)
            }
            bar([(side * 0.22, 0.0), (side * 0.38, -0.10), (side * 0.36, -0.22)], 0.07, palette.main)
            part(
                .polygon([
                    (side * 0.30, -0.20), (side * 0.22, -0.36), (side * 0.30, -0.48), (side * 0.33, -0.32),
                    (side * 0.44, -0.46), (side * 0.49, -0.30), (side * 0.42, -0.19),
                ]), palette.main)
            bar([(side * 0.09, 0.0), (side * 0.10, -0.18)], 0.03, palette.main)
            plain(.circle(side * 0.10, -0.20, 0.055), palette.ink)
        }
        part(.ellipse(0, 0.12, 0.30, 0.20), palette.main)
        plain(.line([(-0.12, 0.04), (0.06, 0.02)], 0.06), palette.light)
        mark([(-0.08, 0.20), (0.0, 0.225), (0.08, 0.20)], 0.03)
    }

    mutating func paintStarfish() {
        var points: [(Double, Double)] = []
        let outer = Path.arc(Point(0, 0.03), 0.52, 0.52, from: -0.25, to: 0.75, steps: 5)
        let inner = Path.arc(Point(0, 0.03), 0.20, 0.20, from: -0.15, to: 0.85, steps: 5)
        for (tip, notch) in zip(outer, inner) {
            // A blunt tip of two corners; a single one would look like a star on a flag.
            let radius = Point(tip.x, tip.y - 0.03)
            let across = Point(-radius.y, radius.x) * 0.14
            points.append((tip.x * 0.97 - across.x, tip.y * 0.97 - across.y))
            points.append((tip.x * 0.97 + across.x, tip.y * 0.97 + across.y))
            points.append((notch.x, notch.y))
        }
        part(.polygon(points), palette.main)
        for tip in outer {
            plain(.circle(tip.x * 0.68, 0.03 + (tip.y - 0.03) * 0.68, 0.04), palette.light)
            plain(.circle(tip.x * 0.42, 0.03 + (tip.y - 0.03) * 0.42, 0.045), palette.light)
        }
        plain(.circle(0, 0.03, 0.06), palette.dark)
    }

    mutating func paintBall() {
        shadow(0.44, 0.34)
        part(.circle(0, 0.0, 0.44), palette.main)
        plain(.ellipse(0, 0.0, 0.17, 0.42), palette.light)
        plain(Path.ellipse(0, 0.0, 0.17, 0.42).outlined(0.03), palette.ink, alpha: 0.6)
        plain(.circle(0, -0.40, 0.06), palette.ink)
        plain(.circle(-0.28, -0.18, 0.05), palette.light)
    }

    mutating func paintBucket() {
        shadow(0.46, 0.30)
        let handle = Path.arc(Point(0, -0.16), 0.33, 0.31, from: 0.5, to: 1.0).map { ($0.x, $0.y) }
        bar(handle, 0.045, Palette.metal)
        part(.mirrored([(0.37, -0.18), (0.26, 0.45)]), palette.main)
        part(.ellipse(0, -0.18, 0.37, 0.08), palette.dark)
        plain(.line([(-0.27, 0.10), (0.27, 0.10)], 0.08), palette.light)
    }
}
