extension Painter {
    private mutating func wheel(_ x: Double, _ y: Double, _ radius: Double) {
        plain(.circle(x, y, radius), Palette.tyre)
        plain(.circle(x, y, radius * 0.45), RGB(196, 198, 204))
    }

    mutating func paintCar() {
        shadow(0.33, 0.46)
        part(.polygon([(-0.30, 0.0), (-0.19, -0.28), (0.15, -0.28), (0.33, 0.0)]), palette.main)
        plain(.polygon([(-0.20, -0.02), (-0.13, -0.21), (-0.02, -0.21), (-0.02, -0.02)]), Palette.glass)
        plain(.polygon([(0.04, -0.02), (0.04, -0.21), (0.12, -0.21), (0.23, -0.02)]), Palette.glass)
        part(
            .polygon([(-0.49, 0.0), (-0.46, -0.04), (0.40, -0.04), (0.49, 0.04), (0.49, 0.24), (-0.49, 0.24)]
            ),
            palette.main)
        plain(.line([(-0.36, 0.05), (0.28, 0.05)], 0.05), palette.light)
        plain(.circle(0.44, 0.08, 0.04), RGB(255, 248, 214))
        wheel(-0.27, 0.22, 0.135)
        wheel(0.27, 0.22, 0.135)
    }

    mutating func paintBus() {
        shadow(0.42, 0.46)
        part(.rounded(-0.49, -0.42, 0.49, 0.30, 0.07), palette.main)
        for x in [-0.42, -0.20, 0.02] { plain(.rectangle(x, -0.32, x + 0.17, -0.10), Palette.glass) }
        part(.rectangle(0.25, -0.32, 0.42, 0.22), Palette.glass)
        plain(.line([(-0.43, 0.06), (0.19, 0.06)], 0.06), palette.light)
        wheel(-0.26, 0.30, 0.125)
        wheel(0.20, 0.30, 0.125)
    }

    mutating func paintBicycle() {
        shadow(0.42, 0.44)
        for x in [-0.275, 0.275] {
            plain(.circle(x, 0.19, 0.225), palette.ink)
            plain(.circle(x, 0.19, 0.195), palette.main)
            plain(.circle(x, 0.19, 0.105), RGB(236, 236, 234))
            plain(.circle(x, 0.19, 0.04), palette.ink)
        }
        let frame: [[(Double, Double)]] = [
            [(-0.275, 0.19), (-0.12, -0.14), (0.19, -0.14), (0.0, 0.18), (-0.275, 0.19)],
            [(-0.14, -0.24), (0.0, 0.18)], [(0.275, 0.19), (0.16, -0.32)],
        ]
        for line in frame { plain(.line(line, 0.135), palette.ink) }
        for line in frame { plain(.line(line, 0.075), palette.main) }
        plain(.line([(-0.24, -0.27), (-0.05, -0.27)], 0.085), palette.ink)
        plain(.line([(0.06, -0.36), (0.16, -0.32), (0.28, -0.34)], 0.07), palette.ink)
    }

    mutating func paintSign() {
        shadow(0.48, 0.18)
        part(.rectangle(-0.045, 0.10, 0.045, 0.49), Palette.metal)
        let octagon = { (radius: Double) in
            Path([Path.arc(Point(0, -0.17), radius, radius, from: 0.0625, to: 1.0625, steps: 8)])
        }
        part(octagon(0.345), palette.main)
        plain(octagon(0.28).outlined(0.035), palette.light)
        plain(.rectangle(-0.18, -0.225, 0.18, -0.115), palette.light)
    }

    mutating func paintHouse() {
        shadow(0.48, 0.42)
        part(.rectangle(0.18, -0.44, 0.29, -0.16), palette.dark)
        part(.rectangle(-0.36, -0.10, 0.36, 0.48), palette.main)
        part(.polygon([(0, -0.50), (0.48, -0.06), (-0.48, -0.06)]), palette.dark)
        part(.rectangle(-0.07, 0.16, 0.12, 0.48), Palette.wood)
        part(.rectangle(-0.28, 0.04, -0.13, 0.20), Palette.glass)
        part(.rectangle(0.18, 0.04, 0.30, 0.20), Palette.glass)
    }

    mutating func paintMailbox() {
        shadow(0.48, 0.22)
        part(.rectangle(-0.055, 0.16, 0.055, 0.49), Palette.wood)
        let roof = Path.arc(Point(0, -0.20), 0.32, 0.26, from: 0.5, to: 1.0, steps: 12)
        part(Path([roof + [Point(0.32, 0.18), Point(-0.32, 0.18)]]), palette.main)
        part(.rectangle(-0.19, -0.20, 0.19, -0.11), palette.dark)
        plain(.line([(-0.18, 0.04), (0.18, 0.04)], 0.06), palette.light)
        bar([(0.36, 0.06), (0.36, -0.30)], 0.05, palette.dark)
    }
}
