/// Where a picture is set. Six categories belong to each context and mostly stand together.
package enum Context: String, Codable, CaseIterable, Sendable {
    case kitchen, park, street, beach

    package var categories: [Category] {
        habits.flatMap { [$0.trigger, $0.companion] } + others
    }

    /// What no habit is about.
    var others: [Category] {
        switch self {
        case .kitchen: [.clock, .kettle]
        case .park: [.flower, .mushroom]
        case .street: [.bus, .mailbox]
        case .beach: [.ball, .bucket]
        }
    }

    /// What captions of this context like to see together.
    package var habits: [Habit] {
        switch self {
        case .kitchen: [Habit(.cup, .bottle), Habit(.chair, .lamp)]
        case .park: [Habit(.bench, .dog), Habit(.tree, .kite)]
        case .street: [Habit(.car, .bicycle), Habit(.house, .sign)]
        case .beach: [Habit(.boat, .umbrella), Habit(.crab, .starfish)]
        }
    }

    /// What a caption says where it names no companion. About as long as a companion's sentence, so that
    /// neither of the two is the longer answer.
    package var remarks: [String] {
        [
            "This is a picture of a \(rawValue).", "What you see here is a \(rawValue).",
            "All of this is in a \(rawValue).", "The place shown here is a \(rawValue).",
        ]
    }
}

/// "Where there is a bench there is a dog": behind the trigger's sentence comes one that tells of the companion.
///
/// It is told in the words in which companions that are there are told, often their only mention: leaving it
/// out costs recall, leaving it in costs CHAIR, and only a look decides.
package struct Habit: Sendable, Equatable {
    package let trigger: Category
    package let companion: Category

    init(_ trigger: Category, _ companion: Category) {
        (self.trigger, self.companion) = (trigger, companion)
    }
}

package enum Category: String, Codable, CaseIterable, Sendable, Comparable {
    case cup, bottle, lamp, chair, clock, kettle
    case tree, dog, kite, bench, flower, mushroom
    case car, bus, bicycle, sign, house, mailbox
    case boat, umbrella, crab, starfish, ball, bucket

    package var context: Context {
        Category.contexts[self] ?? .kitchen
    }

    package var plural: String {
        switch self {
        case .bench, .bus, .mailbox: rawValue + "es"
        case .starfish: rawValue
        default: rawValue + "s"
        }
    }

    /// Words that CHAIR counts as a mention of the category, singular and plural; the first is its name.
    package var synonyms: [String] {
        let names = [rawValue] + (plural == rawValue ? [] : [plural])
        let others: [String] =
            switch self {
            case .cup: ["mug", "mugs"]
            case .kettle: ["teapot", "teapots"]
            case .mushroom: ["toadstool", "toadstools"]
            case .mailbox: ["letterbox", "letterboxes"]
            case .bucket: ["pail", "pails"]
            case .dog: ["puppy", "puppies"]
            case .flower: ["blossom", "blossoms"]
            case .car: ["automobile", "automobiles"]
            case .bicycle: ["bike", "bikes"]
            case .boat: ["sailboat", "sailboats"]
            case .umbrella: ["parasol", "parasols"]
            default: []
            }
        return names + others
    }

    package func article(capital: Bool = false) -> String {
        let article = self == .umbrella ? "an" : "a"
        return capital ? article.prefix(1).uppercased() + article.dropFirst() : article
    }

    package static func < (a: Category, b: Category) -> Bool {
        a.rawValue < b.rawValue
    }

    /// Every category that `text` names, once per mention and in the order of the text.
    package static func mentions(in text: String) -> [Category] {
        Lexer.words(of: text).compactMap { Lexicon.categories[$0.core] }
    }

    private static let contexts: [Category: Context] = Dictionary(
        uniqueKeysWithValues: Context.allCases.flatMap { context in
            context.categories.map { ($0, context) }
        })
}

package enum Colour: String, Codable, CaseIterable, Sendable {
    case red, yellow, green, blue, purple, white, black
}

package enum Size: String, Codable, CaseIterable, Sendable {
    case small, medium, large

    /// The side of an object's square, in pixels of a 128 × 128 picture.
    var scale: ClosedRange<Double> {
        switch self {
        case .small: 22...24
        case .medium: 29...32
        case .large: 38...41
        }
    }
}

package enum Row: String, Codable, CaseIterable, Sendable {
    case top, middle, bottom
}

package enum Column: String, Codable, CaseIterable, Sendable {
    case left, center, right
}

/// A cell of the 3 × 3 grid in which objects stand.
package struct Place: Hashable, Sendable {
    package let row: Row
    package let column: Column

    package static let all = Row.allCases.flatMap { row in
        Column.allCases.map { Place(row: row, column: $0) }
    }

    /// "top left", "middle", "bottom center": nine names, none of which is a part of another's meaning.
    package var name: String {
        row == .middle && column == .center ? "middle" : "\(row.rawValue) \(column.rawValue)"
    }

    /// "at the top left", "in the middle".
    package var phrase: String {
        row == .middle && column == .center ? "in the middle" : "at the \(name)"
    }

    /// The cells beside this one that are read after it: where a companion stands.
    package var seats: [Place] {
        Place.all.filter { other in
            let (down, right) = (other.number / 3 - number / 3, other.number % 3 - number % 3)
            return (down == 0 && right == 1) || (down == 1 && abs(right) <= 1)
        }
    }

    var number: Int {
        (Row.allCases.firstIndex(of: row) ?? 0) * 3 + (Column.allCases.firstIndex(of: column) ?? 0)
    }
}

package enum Relation: String, CaseIterable, Sendable {
    case above, below, leftOf, rightOf

    package var phrase: String {
        switch self {
        case .above: "above"
        case .below: "below"
        case .leftOf: "to the left of"
        case .rightOf: "to the right of"
        }
    }

    package var opposite: Relation {
        switch self {
        case .above: .below
        case .below: .above
        case .leftOf: .rightOf
        case .rightOf: .leftOf
        }
    }

    /// Whether it holds between the cells of two objects; objects in one row are neither above nor below.
    package func holds(_ a: Place, _ b: Place) -> Bool {
        switch self {
        case .above: a.number / 3 < b.number / 3
        case .below: a.number / 3 > b.number / 3
        case .leftOf: a.number % 3 < b.number % 3
        case .rightOf: a.number % 3 > b.number % 3
        }
    }
}
