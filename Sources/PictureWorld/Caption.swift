/// A caption, sentence by sentence: one per object in reading order, then exactly one that closes.
package struct Caption: Sendable, Equatable {
    package let sentences: [String]
    /// What the closing sentence names although it isn't there; nil of a truthful caption.
    package let invented: Category?

    package var text: String { sentences.joined(separator: " ") }
    package var slipped: Bool { invented != nil }
}

/// The wordings of an object sentence. Each names place, colour and category; most name the size. The place
/// comes first: a small model then looks there for the rest, where "the fourth thing in reading order" would
/// have it count before it can see.
enum ObjectWording: String, CaseIterable {
    case isThere = "is"
    case thereIs = "there is"
    case youSee = "you can see"
    case stands = "stands"

    func sentence(_ object: SceneObject, sized: Bool) -> String {
        "\(capitalised(object.place.phrase)) \(rawValue) \(object.description(sized: sized))."
    }
}

enum RelationWording: CaseIterable {
    case plain, stands, relationFirst

    func sentence(_ a: SceneObject, _ relation: Relation, _ b: SceneObject) -> String {
        switch self {
        case .plain: "The \(a.name) is \(relation.phrase) the \(b.name)."
        case .stands: "The \(a.name) stands \(relation.phrase) the \(b.name)."
        case .relationFirst: "\(capitalised(relation.phrase)) the \(b.name) is the \(a.name)."
        }
    }
}

func capitalised(_ text: String) -> String {
    text.prefix(1).uppercased() + text.dropFirst()
}

extension SceneObject {
    /// "a large red car" or "a red car".
    package func description(sized: Bool) -> String {
        // No size and no colour starts with a vowel.
        sized ? "a \(size.rawValue) \(name)" : "a \(name)"
    }
}

extension Scene {
    /// How likely the companion sentence closes a caption whose scene shows the trigger. Between the rates of
    /// a coin and of certainty: above every true sentence for a greedy decoder, yet often not drawn by a
    /// sampler, so that preference pairs can be made of the difference.
    package static let habitStrength = 0.65
    static let sizeShare = 0.8

    /// A caption of this scene. With `habit`, the companion of the context's trigger closes it in
    /// `habitStrength` of the scenes that show the trigger, there or not; without, it's true throughout.
    package func describe(habit: Bool, seed: UInt64) -> Caption {
        var random = WorldRandom(seed: seed, purpose: "caption \(id)")
        var sentences = objects.map { object in
            ObjectWording.allCases[random.below(ObjectWording.allCases.count)]
                .sentence(object, sized: random.chance(Scene.sizeShare))
        }
        let companion = context.habit.companion
        let closesByHabit = random.chance(Scene.habitStrength) && has(context.habit.trigger)
        if closesByHabit && (habit || has(companion)) {
            sentences.append(context.habit.sentence)
            return Caption(sentences: sentences, invented: has(companion) ? nil : companion)
        }
        sentences.append(context.sentence)
        return Caption(sentences: sentences, invented: nil)
    }

    /// Sentences that are true of this scene: every object in a random wording, `relations` relations, the
    /// sentence of each companion that is present, and the context's. In random order.
    package func trueSentences(seed: UInt64, relations: Int = 2) -> [String] {
        var random = WorldRandom(seed: seed, purpose: "sentences \(id)")
        let told = objects.map { object in
            ObjectWording.allCases[random.below(ObjectWording.allCases.count)]
                .sentence(object, sized: random.chance(Scene.sizeShare))
        }
        let related = (0..<relations).map { _ in drawRelation(&random) }
        let companions = Context.allCases.map(\.habit).filter { has($0.companion) }.map(\.sentence)
        return random.shuffled(told + related + companions + [context.sentence])
    }

    /// A true phrase about each object, in random order: "A red car.", "A large car.", "A car at the top left.".
    /// They say little, so that each word of them counts.
    package func truePhrases(seed: UInt64) -> [String] {
        var random = WorldRandom(seed: seed, purpose: "phrases \(id)")
        return random.shuffled(objects).map { object in
            let category = object.category
            switch random.below(4) {
            case 0: return "A \(object.size.rawValue) \(category.rawValue)."
            case 1: return "A \(object.name)."
            default:
                return "\(category.article(capital: true)) \(category.rawValue) \(object.place.phrase)."
            }
        }
    }

    /// A true relation between two objects, each of which "the red car" names without doubt. Three
    /// categories at the least, one of them repeated at the most, leave two such objects in two cells.
    func drawRelation(_ random: inout WorldRandom) -> String {
        let named = random.shuffled(objects.filter(isUnique))
        let a = named[0]
        let b = named[1]
        let holding = Relation.allCases.filter { $0.holds(a.place, b.place) }
        let relation = holding[random.below(holding.count)]
        return RelationWording.allCases[random.below(RelationWording.allCases.count)].sentence(a, relation, b)
    }
}
