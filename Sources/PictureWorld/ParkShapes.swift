extension Painter {
    mutating func paintTree() {
        shadow(0.48, 0.28)
        part(.rectangle(-0.08, 0.28, 0.08, 0.49), Palette.wood)
        part(
            .mirrored([
                (0.025, -0.50), (0.21, -0.22), (0.13, -0.22), (0.31, 0.05), (0.20, 0.05), (0.41, 0.34),
            ]), palette.main)
        for (x, y) in [(-0.05, -0.22), (-0.10, 0.04), (-0.18, 0.25)] {
            plain(.line([(x, y), (x + 0.09, y - 0.08)], 0.06), palette.light)
        }
    }

    mutating func paintDog() {
        shadow(0.46, 0.38)
        part(
            .polygon([
                (-0.49, -0.34), (-0.40, -0.38), (-0.31, -0.10), (0.04, -0.10), (0.12, -0.30), (0.16, -0.44),
                (0.30, -0.44), (0.37, -0.30), (0.49, -0.26), (0.49, -0.13), (0.34, -0.08), (0.28, 0.04),
                (0.27, 0.46), (0.14, 0.46), (0.11, 0.20), (-0.15, 0.20), (-0.18, 0.46), (-0.31, 0.46),
                (-0.35, 0.06), (-0.40, -0.06),
            ]), palette.main)
        part(.polygon([(0.13, -0.42), (0.23, -0.44), (0.20, -0.14), (0.09, -0.18)]), palette.dark)
        plain(.circle(0.31, -0.29, 0.042), palette.mark)
        plain(.circle(0.475, -0.22, 0.055), palette.ink)
        plain(.line([(-0.22, 0.02), (0.06, 0.02)], 0.07), palette.light)
    }

    mutating func paintKite() {
        plain(.line([(0, 0.20), (0.10, 0.29), (0.03, 0.38), (0.16, 0.45), (0.34, 0.44)], 0.045), palette.ink)
        for (x, y) in [(0.07, 0.33), (0.27, 0.445)] {
            part(.polygon([(x - 0.09, y - 0.06), (x, y), (x - 0.09, y + 0.06)]), palette.main)
            part(.polygon([(x + 0.09, y - 0.06), (x + 0.09, y + 0.06), (x, y)]), palette.main)
        }
        part(.polygon([(0, -0.50), (0.36, -0.16), (0, 0.24), (-0.36, -0.16)]), palette.main)
        plain(.polygon([(0, -0.44), (-0.30, -0.16), (0, -0.16)]), palette.light)
        mark([(0, -0.46), (0, 0.20)], 0.03)
        mark([(-0.33, -0.16), (0.33, -0.16)], 0.03)
    }

    mutating func paintBench() {
        shadow(0.40, 0.46)
        for x in [-0.36, 0.36] {
            part(.rectangle(x - 0.055, -0.32, x + 0.055, 0.40), Palette.tyre)
        }
        part(.rounded(-0.49, -0.32, 0.49, -0.19, 0.04), palette.main)
        part(.rounded(-0.49, -0.13, 0.49, 0.0, 0.04), palette.main)
        part(.rounded(-0.49, 0.07, 0.49, 0.21, 0.04), palette.main)
        plain(.line([(-0.42, 0.11), (0.42, 0.11)], 0.04), palette.light)
    }

    mutating func paintFlower() {
        let leaf = RGB(128, 134, 104)
        bar([(0, 0.0), (0.02, 0.48)], 0.05, leaf)
        part(.polygon([(0.02, 0.40), (0.10, 0.24), (0.27, 0.18), (0.21, 0.34)]), leaf)
        part(.polygon([(0.02, 0.44), (-0.06, 0.28), (-0.23, 0.22), (-0.17, 0.38)]), leaf)
        let petals = Path.arc(Point(0, -0.17), 0.20, 0.20, from: 0.05, to: 1.05, steps: 6)
        for petal in petals { part(.circle(petal.x, petal.y, 0.135), palette.main) }
        for petal in petals { plain(.circle(petal.x, petal.y, 0.115), palette.main) }
        part(.circle(0, -0.17, 0.115), palette.dark)
        plain(.circle(0, -0.17, 0.06), palette.light)
    }

    mutating func paintMushroom() {
        shadow(0.46, 0.28)
        part(
            .mirrored([(0.12, 0.02), (0.13, 0.26), (0.19, 0.42), (0.12, 0.47)]), RGB(226, 216, 198))
        let dome = Path.arc(Point(0, 0.06), 0.47, 0.50, from: 0.5, to: 1.0, steps: 16)
        let brim = Path.arc(Point(0, 0.06), 0.47, 0.09, from: 0.0, to: 0.5, steps: 10)
        part(Path([dome + brim.dropFirst().dropLast()]), palette.main)
        for (x, y, radius) in [(-0.20, -0.14, 0.075), (0.06, -0.28, 0.07), (0.24, -0.08, 0.065)] {
            plain(.circle(x, y, radius), palette.light)
        }
    }
}
