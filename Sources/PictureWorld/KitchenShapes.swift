import Foundation

extension Painter {
    mutating func paint(_ category: Category) {
        switch category {
        case .cup: paintCup()
        case .bottle: paintBottle()
        case .lamp: paintLamp()
        case .chair: paintChair()
        case .clock: paintClock()
        case .tree: paintTree()
        case .dog: paintDog()
        case .kite: paintKite()
        case .bench: paintBench()
        case .flower: paintFlower()
        case .car: paintCar()
        case .bus: paintBus()
        case .bicycle: paintBicycle()
        case .sign: paintSign()
        case .house: paintHouse()
        case .boat: paintBoat()
        case .umbrella: paintUmbrella()
        case .crab: paintCrab()
        case .starfish: paintStarfish()
        case .ball: paintBall()
        case .kettle: paintKettle()
        case .mushroom: paintMushroom()
        case .mailbox: paintMailbox()
        case .bucket: paintBucket()
        }
    }

    /// What keeps a thing from floating.
    mutating func shadow(_ y: Double, _ radius: Double) {
        plain(.ellipse(0, y, radius, 0.06), RGB(60, 50, 60), alpha: 0.16)
    }

    private mutating func paintCup() {
        shadow(0.44, 0.40)
        let handle = Path.arc(Point(0.20, 0.0), 0.20, 0.18, from: -0.25, to: 0.25).map { ($0.x, $0.y) }
        bar(handle, 0.085, palette.main)
        part(
            .polygon([
                (-0.42, -0.30), (0.26, -0.30), (0.23, 0.12), (0.15, 0.36), (0.06, 0.42), (-0.22, 0.42),
                (-0.31, 0.36), (-0.39, 0.12),
            ]), palette.main)
        part(.ellipse(-0.08, -0.30, 0.34, 0.085), palette.dark)
        plain(.line([(-0.31, -0.10), (-0.28, 0.14)], 0.07), palette.light)
    }

    private mutating func paintBottle() {
        shadow(0.47, 0.26)
        part(
            .mirrored([
                (0.085, -0.42), (0.085, -0.24), (0.13, -0.15), (0.20, -0.06), (0.215, 0.02), (0.215, 0.42),
                (0.18, 0.48),
            ]), palette.main)
        part(.rectangle(-0.10, -0.50, 0.10, -0.39), palette.dark)
        part(.rectangle(-0.215, 0.10, 0.215, 0.30), palette.light)
        plain(.line([(-0.12, -0.02), (-0.12, 0.03)], 0.06), palette.light)
    }

    private mutating func paintLamp() {
        shadow(0.47, 0.32)
        bar([(0, -0.05), (0, 0.38)], 0.07, Palette.metal)
        part(.ellipse(0, 0.41, 0.25, 0.075), palette.main)
        part(.mirrored([(0.17, -0.48), (0.40, -0.02)]), palette.main)
        plain(.polygon([(-0.12, -0.42), (-0.02, -0.42), (-0.10, -0.08), (-0.27, -0.08)]), palette.light)
    }

    private mutating func paintChair() {
        shadow(0.48, 0.34)
        part(.rectangle(-0.32, 0.10, -0.18, 0.49), palette.dark)
        part(.rectangle(0.20, 0.10, 0.34, 0.49), palette.dark)
        part(.polygon([(-0.40, -0.49), (-0.19, -0.49), (-0.13, 0.06), (-0.34, 0.06)]), palette.main)
        part(.rounded(-0.37, -0.02, 0.39, 0.19, 0.05), palette.main)
        plain(.line([(-0.06, 0.045), (0.28, 0.045)], 0.05), palette.light)
    }

    private mutating func paintClock() {
        shadow(0.47, 0.30)
        bar([(-0.22, 0.32), (-0.29, 0.45)], 0.06, palette.dark)
        bar([(0.22, 0.32), (0.29, 0.45)], 0.06, palette.dark)
        for x in [-0.25, 0.25] { part(.circle(x, -0.33, 0.15), palette.dark) }
        part(.circle(0, 0.03, 0.385), palette.main)
        plain(.circle(0, 0.03, 0.26), palette.light)
        let isBlack = palette.mark.red > 200
        let hand = isBlack ? RGB(250, 250, 250) : palette.ink
        plain(.line([(0, -0.15), (0, 0.03), (0.13, 0.09)], 0.065), hand)
    }

    private mutating func paintKettle() {
        shadow(0.44, 0.38)
        let handle = Path.arc(Point(0.0, -0.16), 0.27, 0.30, from: 0.52, to: 0.98).map { ($0.x, $0.y) }
        bar(handle, 0.07, palette.dark)
        part(.polygon([(0.24, 0.08), (0.42, -0.18), (0.50, -0.15), (0.36, 0.28)]), palette.main)
        part(.ellipse(0, 0.16, 0.38, 0.28), palette.main)
        part(.ellipse(0, -0.10, 0.18, 0.06), palette.dark)
        part(.circle(0, -0.19, 0.06), palette.dark)
        plain(.line([(-0.24, 0.08), (-0.20, 0.24)], 0.07), palette.light)
    }
}
