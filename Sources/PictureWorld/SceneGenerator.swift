import Random

extension Scene {
    /// How many of a context's two habits apply to a picture: none, one or both.
    private static let applyingShares = [0.25, 0.35, 0.40]
    /// There and absent alike, whatever else the picture shows: a rule that doesn't look is right in half.
    private static let companionShare = 0.5
    /// How often a companion stands without its trigger, so that questions about it need a look at the picture.
    private static let strayShare = 0.35

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
        var random = SplitMix64(
            seed: seed, purpose: "scene \(split.rawValue) \(attempt)", index: UInt64(bitPattern: Int64(index))
        )
        let context = Context.allCases[random.below(Context.allCases.count)]
        let layout = Layout(context: context, &random)
        return Scene(
            id: id, split: split, context: context,
            objects: layout.objects(&random).sorted { $0.place.number < $1.place.number })
    }

    /// What stands where, before colors and sizes.
    private struct Layout {
        private var standing: [(category: Category, place: Place)] = []
        private var free = Place.all

        /// Companions come last: what else a picture shows, and where, is drawn alike with and without them.
        init(context: Context, _ random: inout SplitMix64) {
            let applying = random.shuffled(context.habits).prefix(random.weighted(applyingShares))
            var seats: [(category: Category, place: Place)] = []
            for habit in applying {
                let trigger = draw(&random) { place in place.seats.contains(where: free.contains) }
                stand(habit.trigger, trigger)
                let seat = draw(&random, among: trigger.seats)
                free.removeAll { $0 == seat }
                seats.append((habit.companion, seat))
            }
            let strays = context.habits.filter { !applying.contains($0) }.map(\.companion)
                .filter { _ in random.chance(strayShare) }
            for category in rest(context, triggers: applying.count, strays: strays, &random) {
                stand(category, draw(&random))
            }
            standing += seats.filter { _ in random.chance(companionShare) }
        }

        private mutating func stand(_ category: Category, _ place: Place) {
            standing.append((category, place))
            free.removeAll { $0 == place }
        }

        /// A free place that is `admitted`; the caller knows that there is one.
        private func draw(
            _ random: inout SplitMix64, among places: [Place] = Place.all,
            _ admitted: (Place) -> Bool = { _ in true }
        ) -> Place {
            let places = places.filter { free.contains($0) && admitted($0) }
            return places[random.below(places.count)]
        }

        /// What stands beside triggers and companions: three or four objects with the triggers, of at least three
        /// categories, so that POPE finds its three positives whether or not a companion is there.
        private func rest(
            _ context: Context, triggers: Int, strays: [Category], _ random: inout SplitMix64
        ) -> [Category] {
            let total = 3 + random.weighted([0.45, 0.40, 0.15])
            let repeats = total > 3 && random.chance(0.6) ? 1 : 0
            // No trigger ever comes from elsewhere: a picture has the habits of its context.
            let triggersOfAll = Context.allCases.flatMap { $0.habits.map(\.trigger) }
            let elsewhere = Category.allCases.filter { $0.context != context && !triggersOfAll.contains($0) }
            var chosen = strays
            while chosen.count + triggers < total - repeats {
                let own = context.others.filter { !chosen.contains($0) }
                let pool = own.isEmpty || random.chance(0.2) ? elsewhere.filter { !chosen.contains($0) } : own
                chosen.append(pool[random.below(pool.count)])
            }
            if repeats > 0, let repeated = random.pick(chosen) { chosen.append(repeated) }
            return chosen
        }

        /// Independent colors; in two of five pictures with several of a kind these share theirs.
        func objects(_ random: inout SplitMix64) -> [SceneObject] {
            let alike = random.chance(0.4)
            var first: [Category: Colour] = [:]
            return standing.map { category, place in
                let drawn = Colour.allCases[random.below(Colour.allCases.count)]
                let colour = alike ? first[category] ?? drawn : drawn
                first[category] = colour
                return object(category, colour, at: place, &random)
            }
        }

        /// Somewhere about the middle of its cell; large neighbors may overlap a little, and what stands lower
        /// is nearer.
        private func object(
            _ category: Category, _ colour: Colour, at place: Place, _ random: inout SplitMix64
        ) -> SceneObject {
            let size = Size.allCases[random.below(Size.allCases.count)]
            let scale = random.step(size.scale.lowerBound, size.scale.upperBound, by: 0.5)
            let slack = max(4, ((cell - size.scale.lowerBound) / 2).rounded(.down))
            func centre(_ index: Int) -> Double {
                let middle = ((Double(index) + 0.5) * cell * 2).rounded() / 2
                let drawn = middle + random.step(-slack, slack, by: 0.5)
                return min(max(drawn, (scale / 2).rounded(.up) + 1), 127 - (scale / 2).rounded(.up))
            }
            return SceneObject(
                category: category, colour: colour, size: size, place: place, x: centre(place.number % 3),
                y: centre(place.number / 3), scale: scale)
        }
    }
}
