extension Scene {
    /// How often the habit's trigger stands alone, with its companion, or not at all.
    ///
    /// The companion is frequent without its trigger, so that questions about it need a look at the picture.
    enum HabitCase: CaseIterable {
        case triggerAlone, triggerWithCompanion, noTrigger

        var share: Double {
            switch self {
            case .triggerAlone: 0.46
            case .triggerWithCompanion: 0.17
            case .noTrigger: 0.37
            }
        }
    }

    /// The side of an object's square, in pixels of a 128 × 128 picture.
    static let smallScale = 25.0...27.0
    static let largeScale = 37.0...39.0
    static let cell = 128.0 / 3.0

    /// The picture number `index` of a split: a pure function of its arguments.
    package static func generate(seed: UInt64, split: Split, index: Int) -> Scene {
        let number = String(index)
        let padded = String(repeating: "0", count: max(0, 6 - number.count)) + number
        let id = "\(split.rawValue)-\(seed)-\(padded)"
        // Layouts of the other splits are drawn again; the chance of 400 misses in a row is below 1e-18
        // for the rarest split, and the last draw then stands.
        var scene = draft(id: id, split: split, seed: seed, index: index, attempt: 0)
        var attempt = 0
        while !split.owns(layout: scene.layoutHash) && attempt < 400 {
            attempt += 1
            scene = draft(id: id, split: split, seed: seed, index: index, attempt: attempt)
        }
        return scene
    }

    private static func draft(id: String, split: Split, seed: UInt64, index: Int, attempt: Int) -> Scene {
        var random = WorldRandom(
            seed: seed, purpose: "scene \(split.rawValue) \(attempt)", index: UInt64(bitPattern: Int64(index))
        )
        let context = Context.allCases[random.below(Context.allCases.count)]
        let categories = drawCategories(context, &random)
        let colours = drawColours(for: categories, &random)
        let places = random.shuffled(Place.all).prefix(categories.count)
        let objects = zip(zip(categories, colours), places).map { pair, place in
            drawObject(pair.0, pair.1, at: place, &random)
        }
        return Scene(
            id: id, split: split, context: context,
            objects: objects.sorted { $0.place.number < $1.place.number })
    }

    /// Three to five categories with at least three different ones, so that POPE finds its three positives.
    private static func drawCategories(_ context: Context, _ random: inout WorldRandom) -> [Category] {
        let habit = context.habit
        let habitCase = HabitCase.allCases[random.weighted(HabitCase.allCases.map(\.share))]
        var chosen: [Category] = []
        switch habitCase {
        case .triggerAlone: chosen = [habit.trigger]
        case .triggerWithCompanion: chosen = [habit.trigger, habit.companion]
        case .noTrigger: chosen = random.chance(0.6) ? [habit.companion] : []
        }
        let total = 3 + random.weighted([0.25, 0.45, 0.30])
        let repeats = total > 3 && random.chance(0.35) ? (total == 5 && random.chance(0.4) ? 2 : 1) : 0
        // No trigger ever comes from elsewhere: one picture, one habit.
        let triggers = Context.allCases.map(\.habit.trigger)
        let elsewhere = Category.allCases.filter { $0.context != context && !triggers.contains($0) }
        let own = context.categories.filter { $0 != habit.trigger && $0 != habit.companion }
        while chosen.count < total - repeats {
            let rest = own.filter { !chosen.contains($0) }
            let pool = rest.isEmpty || random.chance(0.11) ? elsewhere.filter { !chosen.contains($0) } : rest
            chosen.append(pool[random.below(pool.count)])
        }
        if repeats > 0, let repeated = random.pick(chosen) {
            chosen += Array(repeating: repeated, count: repeats)
        }
        return chosen
    }

    /// Independent colours; in two of five pictures with several of a kind these share theirs.
    private static func drawColours(for categories: [Category], _ random: inout WorldRandom) -> [Colour] {
        let alike = random.chance(0.4)
        var first: [Category: Colour] = [:]
        return categories.map { category in
            let colour = Colour.allCases[random.below(Colour.allCases.count)]
            if alike, let shared = first[category] { return shared }
            first[category] = colour
            return colour
        }
    }

    private static func drawObject(
        _ category: Category, _ colour: Colour, at place: Place, _ random: inout WorldRandom
    ) -> SceneObject {
        let size: Size = random.chance(0.5) ? .large : .small
        let range = size == .large ? largeScale : smallScale
        let scale = random.step(range.lowerBound, range.upperBound, by: 0.5)
        // An object stays within its cell: that is what keeps two of them from touching.
        let slack = ((cell - scale) / 2 * 2).rounded(.down) / 2 - 0.5
        let centre = { (index: Int) in ((Double(index) + 0.5) * cell * 2).rounded() / 2 }
        return SceneObject(
            category: category, colour: colour, size: size, place: place,
            x: centre(place.number % 3) + random.step(-slack, slack, by: 0.5),
            y: centre(place.number / 3) + random.step(-slack, slack, by: 0.5), scale: scale)
    }
}
