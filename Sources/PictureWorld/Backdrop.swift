import Random

/// Light, low in contrast, and never in one of the seven colours: objects have to stand out from it.
func paintBackdrop(
    _ context: Context, onto canvas: inout Canvas, _ pixelsPerUnit: Double, _ random: inout SplitMix64
) {
    var backdrop = Backdrop(canvas: canvas, pixelsPerUnit: pixelsPerUnit, random: random)
    canvas = Canvas(width: 0, height: 0, colour: RGB(0, 0, 0))
    switch context {
    case .kitchen: backdrop.kitchen()
    case .park: backdrop.park()
    case .street: backdrop.street()
    case .beach: backdrop.beach()
    }
    canvas = backdrop.canvas
}

/// Paints in units of a 128 × 128 picture.
private struct Backdrop {
    var canvas: Canvas
    let pixelsPerUnit: Double
    var random: SplitMix64
    private let light: RGB
    private let strength: Double

    init(canvas: Canvas, pixelsPerUnit: Double, random: SplitMix64) {
        (self.canvas, self.pixelsPerUnit, self.random) = (canvas, pixelsPerUnit, random)
        // Noon, morning, evening, dusk: the light lies on all of the backdrop.
        let lights = [
            (RGB(255, 255, 255), 0.0), (RGB(255, 238, 214), 0.25), (RGB(255, 214, 190), 0.30),
            (RGB(196, 200, 226), 0.35),
        ]
        (light, strength) = lights[self.random.below(lights.count)]
    }

    mutating func fill(_ path: Path, _ colour: RGB, alpha: Double = 1) {
        let scale = pixelsPerUnit
        canvas.fill(path.mapped { $0 * scale }, colour.mixed(with: light, strength), alpha: alpha)
    }

    mutating func band(_ top: Double, _ bottom: Double, _ colour: RGB) {
        fill(.rectangle(0, top, 128, bottom), colour)
    }

    mutating func kitchen() {
        let walls = [RGB(243, 233, 214), RGB(236, 232, 222), RGB(232, 236, 226), RGB(243, 228, 220)]
        let wall = walls[random.below(walls.count)]
        let table = random.step(82, 94, by: 2)
        band(0, 128, wall)
        let tile = random.step(14, 22, by: 2)
        let joint = wall.mixed(with: RGB(120, 100, 80), 0.10)
        for x in stride(from: tile / 2, to: 128, by: tile) { fill(.rectangle(x, 0, x + 0.8, table), joint) }
        for y in stride(from: tile / 2, to: table, by: tile) { fill(.rectangle(0, y, 128, y + 0.8), joint) }
        let woods = [RGB(222, 196, 164), RGB(214, 190, 166), RGB(226, 206, 178)]
        let wood = woods[random.below(woods.count)]
        band(table, 128, wood)
        band(table, table + 3, wood.mixed(with: RGB(255, 255, 255), 0.35))
        for _ in 0..<5 {
            let y = random.step(table + 6, 126, by: 1)
            let x = random.step(0, 90, by: 1)
            fill(
                .line([(x, y), (x + random.step(14, 40, by: 1), y)], 0.9),
                wood.mixed(with: RGB(110, 80, 50), 0.18))
        }
    }

    mutating func park() {
        let horizon = random.step(52, 70, by: 2)
        band(0, horizon, RGB(220, 234, 240))
        for _ in 0..<2 { cloud(random.step(10, 118, by: 2), random.step(8, horizon - 24, by: 2)) }
        let far = RGB(206, 222, 196)
        let hills = random.step(18, 50, by: 2)
        fill(.ellipse(hills, horizon + 6, 52, 16), far)
        fill(.ellipse(hills + 66, horizon + 8, 48, 20), far.mixed(with: RGB(180, 204, 176), 0.4))
        let grasses = [RGB(212, 226, 184), RGB(206, 224, 190), RGB(218, 226, 180)]
        let grass = grasses[random.below(grasses.count)]
        band(horizon, 128, grass)
        let tuft = grass.mixed(with: RGB(110, 140, 80), 0.28)
        for _ in 0..<12 {
            let x = random.step(3, 124, by: 1)
            let y = random.step(horizon + 6, 125, by: 1)
            fill(.polygon([(x - 2.2, y), (x - 1.4, y - 3.4), (x - 0.4, y - 0.4)]), tuft)
            fill(.polygon([(x, y), (x + 1, y - 4), (x + 1.8, y)]), tuft)
        }
    }

    mutating func street() {
        let road = random.step(84, 96, by: 2)
        band(0, road, RGB(228, 234, 240))
        var x = -random.step(0, 14, by: 2)
        let fronts = [RGB(226, 214, 206), RGB(216, 216, 222), RGB(230, 222, 208), RGB(218, 210, 212)]
        while x < 128 {
            let width = random.step(22, 38, by: 2)
            let top = random.step(12, 46, by: 2)
            let front = fronts[random.below(fronts.count)]
            fill(.rectangle(x, top, x + width, road), front)
            let pane = front.mixed(with: RGB(246, 244, 232), 0.55)
            for wx in stride(from: x + 4, to: x + width - 5, by: 8) {
                for wy in stride(from: top + 5, to: road - 12, by: 11) {
                    fill(.rectangle(wx, wy, wx + 4.4, wy + 6), pane)
                }
            }
            x += width
        }
        band(road - 6, road, RGB(224, 222, 216))
        band(road, 128, RGB(196, 196, 202))
        let middle = (road + 128) / 2 + 1
        let start = random.step(-10, 6, by: 2)
        for dash in stride(from: start, to: 128, by: 24) {
            fill(.rectangle(dash, middle - 1.2, dash + 13, middle + 1.2), RGB(226, 226, 226))
        }
    }

    mutating func beach() {
        let sea = random.step(40, 52, by: 2)
        let sand = random.step(76, 90, by: 2)
        band(0, sea, RGB(226, 238, 244))
        fill(.circle(random.step(16, 112, by: 2), random.step(12, 24, by: 2), 8), RGB(250, 242, 214))
        cloud(random.step(10, 118, by: 2), random.step(10, sea - 12, by: 2))
        band(sea, sand, RGB(196, 222, 230))
        for _ in 0..<9 {
            let x = random.step(2, 110, by: 2)
            let y = random.step(sea + 4, sand - 6, by: 2)
            fill(.line([(x, y + 1.6), (x + 3, y), (x + 6, y + 1.6), (x + 9, y)], 1), RGB(222, 238, 242))
        }
        let sands = [RGB(242, 228, 196), RGB(240, 224, 200), RGB(238, 230, 206)]
        let ground = sands[random.below(sands.count)]
        let shore = random.step(16, 36, by: 4)
        band(sand, 128, ground)
        fill(.ellipse(shore, sand, 40, 4), ground)
        fill(.ellipse(shore + 70, sand, 36, 4), RGB(216, 232, 234))
        for _ in 0..<26 {
            let x = random.step(2, 126, by: 1)
            fill(
                .circle(x, random.step(sand + 5, 126, by: 1), 0.7),
                ground.mixed(with: RGB(150, 120, 80), 0.35))
        }
    }

    private mutating func cloud(_ x: Double, _ y: Double) {
        let white = RGB(246, 249, 250)
        fill(.ellipse(x, y, 12, 4.4), white)
        fill(.circle(x - 4, y - 3, 4.6), white)
        fill(.circle(x + 3, y - 4, 5.4), white)
    }
}
