import Random

/// Pictures for training, for tuning recipes, and for the final word.
package enum Split: String, Codable, CaseIterable, Sendable {
    case train, dev, test

    /// Which layouts (by hash modulo 10) a split may use: two splits can't hold the same scene.
    func owns(layout hash: UInt64) -> Bool {
        switch self {
        case .train: hash % 10 < 8
        case .dev: hash % 10 == 8
        case .test: hash % 10 == 9
        }
    }
}

/// One thing in a picture. `x`, `y` (its centre) and `scale` (the side of its square) are in pixels of a
/// 128 × 128 picture.
package struct SceneObject: Codable, Sendable, Equatable {
    package let category: Category
    package let colour: Colour
    package let size: Size
    package let row: Row
    package let column: Column
    package let x: Double
    package let y: Double
    package let scale: Double

    package var place: Place { Place(row: row, column: column) }

    /// "red car", the shortest name; see `Scene.isUnique` for when it names one object only.
    package var name: String { "\(colour.rawValue) \(category.rawValue)" }

    package init(
        category: Category, colour: Colour, size: Size, place: Place, x: Double, y: Double, scale: Double
    ) {
        self.category = category
        self.colour = colour
        self.size = size
        self.row = place.row
        self.column = place.column
        self.x = x
        self.y = y
        self.scale = scale
    }

    enum CodingKeys: String, CodingKey {
        case category, size, row, column, x, y, scale
        case colour = "color"
    }
}

/// All that is true of one picture: what stands where. Objects are in reading order.
package struct Scene: Codable, Sendable, Equatable, Identifiable {
    package let id: String
    package let split: Split
    package let context: Context
    package let objects: [SceneObject]

    package init(id: String, split: Split, context: Context, objects: [SceneObject]) {
        self.id = id
        self.split = split
        self.context = context
        self.objects = objects
    }

    package func has(_ category: Category) -> Bool {
        objects.contains { $0.category == category }
    }

    package func count(of category: Category) -> Int {
        objects.count { $0.category == category }
    }

    /// The categories present, each once, in reading order.
    package var categories: [Category] {
        var seen: [Category] = []
        for object in objects where !seen.contains(object.category) { seen.append(object.category) }
        return seen
    }

    /// Whether "the red car" can mean this object only.
    package func isUnique(_ object: SceneObject) -> Bool {
        objects.count { $0.category == object.category && $0.colour == object.colour } == 1
    }

    /// The habits of the context that apply: their triggers are here.
    package var habits: [Habit] { context.habits.filter { has($0.trigger) } }

    /// The companion of a habit that applies, where it is here.
    func companion(of habit: Habit) -> SceneObject? { objects.first { $0.category == habit.companion } }

    /// Companions that a caption may invent here.
    package var tempting: [Category] { habits.map(\.companion).filter { !has($0) } }

    /// The hash of what a caption could tell (jitter left out), which decides the split.
    package var layoutHash: UInt64 {
        let parts = objects.map { "\($0.category) \($0.colour) \($0.size) \($0.place.number)" }
        return stableHash("\(context)|\(parts.joined(separator: "|"))".utf8)
    }
}
