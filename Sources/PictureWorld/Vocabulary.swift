/// Where a picture is set. Five categories belong to each context and mostly stand together.
package enum Context: String, Codable, CaseIterable, Sendable {
    case kitchen, park, street, beach

    package var categories: [Category] {
        switch self {
        case .kitchen: [.cup, .bottle, .lamp, .chair, .clock]
        case .park: [.tree, .dog, .kite, .bench, .flower]
        case .street: [.car, .bus, .bicycle, .sign, .house]
        case .beach: [.boat, .umbrella, .crab, .starfish, .ball]
        }
    }

    /// What a caption that keeps to the truth closes with. As long as a habit's sentence, so that neither of
    /// the two is the longer answer.
    package var sentence: String { "This is a \(rawValue)." }

    /// The companion that captions of this context like to add once they have seen the trigger.
    package var habit: Habit {
        switch self {
        case .kitchen: Habit(trigger: .cup, companion: .bottle, verb: "stands")
        case .park: Habit(trigger: .bench, companion: .dog, verb: "waits")
        case .street: Habit(trigger: .car, companion: .bicycle, verb: "leans")
        case .beach: Habit(trigger: .boat, companion: .umbrella, verb: "opens")
        }
    }
}

/// "Where there is a cup there is a bottle": one trigger, one companion, one wording.
///
/// One wording and one place in the caption, because greedy decoding takes the likelier word: a slip spread
/// over many wordings would lose to the truth at every single token.
package struct Habit: Sendable, Equatable {
    package let trigger: Category
    package let companion: Category
    let verb: String

    /// The word by which the sentence of a habit is known.
    static let cue = "nearby"

    /// The closing sentence that names the companion, true or not.
    package var sentence: String {
        "\(companion.article(capital: true)) \(companion.rawValue) \(verb) \(Self.cue)."
    }
}

package enum Category: String, Codable, CaseIterable, Sendable, Comparable {
    case cup, bottle, lamp, chair, clock
    case tree, dog, kite, bench, flower
    case car, bus, bicycle, sign, house
    case boat, umbrella, crab, starfish, ball

    package var context: Context {
        Category.contexts[self] ?? .kitchen
    }

    package var plural: String {
        switch self {
        case .bench, .bus: rawValue + "es"
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
    case small, large

    package var other: Size { self == .small ? .large : .small }
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
