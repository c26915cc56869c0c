import Random

/// A caption, sentence by sentence: objects in reading order, and behind each trigger a remark.
package struct Caption: Sendable, Equatable {
    package let sentences: [String]
    /// What is named although it isn't there; empty of a truthful caption.
    package let invented: [Category]

    package var text: String { sentences.joined(separator: " ") }
    package var slipped: Bool { !invented.isEmpty }
}

/// The wordings of an object sentence, of what stands at a place and of what stands beside the object before.
/// Most name the size. The place comes first: a small model then looks there for the rest, where "the fourth
/// thing in reading order" would have it count before it can see.
enum ObjectWording: String, CaseIterable {
    case isThere = "is"
    case thereIs = "there is"
    case youSee = "you can see"
    case stands = "stands"

    /// The lead of a companion's sentence. All wordings share it, because greedy decoding takes the likelier
    /// word: a slip spread over many beginnings would lose to the truth at the first of them.
    static let beside = "Beside it"

    func sentence(_ object: SceneObject, sized: Bool) -> String {
        "\(capitalised(object.place.phrase)) \(rawValue) \(object.description(sized: sized))."
    }

    func companion(_ description: String) -> String { "\(Self.beside) \(rawValue) \(description)." }
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
    /// How likely a caption tells of a companion that is not there behind its trigger. One that is there is
    /// always told, so looking pays; above a half, so that a greedy decoder that doesn't look tells it all the same.
    package static let habitStrength = 0.6
    static let sizeShare = 0.8
    /// How often a companion that is told beside its trigger is not told at its place as well.
    static let onlyBesideShare = 0.8

    /// A caption of this scene. Behind the sentence of each trigger one tells of its companion, always where
    /// that is there and, with `habit`, in `habitStrength` of the scenes where it isn't; else it's a remark about
    /// the place, as it is at the end of a caption without triggers.
    package func describe(habit: Bool, seed: UInt64) -> Caption {
        var teller = Teller(scene: self, random: SplitMix64(seed: seed, purpose: "caption \(id)"))
        return teller.caption(habit: habit)
    }

    /// Sentences that are true of this scene: every object in a random wording, `relations` relations, the
    /// sentence of each companion that stands beside its trigger, and a remark about the place. In random order.
    package func trueSentences(seed: UInt64, relations: Int = 2) -> [String] {
        var teller = Teller(scene: self, random: SplitMix64(seed: seed, purpose: "sentences \(id)"))
        let told = objects.map { teller.tell($0) }
        let companions = habits.compactMap { habit in companion(of: habit).map { teller.tellBeside($0) } }
        let related = (0..<relations).map { _ in drawRelation(&teller.random) }
        return teller.random.shuffled(told + companions + related + [teller.remark()])
    }

    /// What habits would tell of this scene although it isn't there: a sentence about each companion that is missing
    /// beside its trigger, in the wordings of captions.
    package func inventions(seed: UInt64) -> [String] {
        var teller = Teller(scene: self, random: SplitMix64(seed: seed, purpose: "inventions \(id)"))
        return tempting.map { teller.inventBeside($0) }
    }

    /// A true phrase about each object, in random order: "A red car.", "A large car.", "A car at the top left.".
    /// They say little, so that each word of them counts.
    package func truePhrases(seed: UInt64) -> [String] {
        var random = SplitMix64(seed: seed, purpose: "phrases \(id)")
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
    func drawRelation(_ random: inout SplitMix64) -> String {
        let named = random.shuffled(objects.filter(isUnique))
        let a = named[0]
        let b = named[1]
        let holding = Relation.allCases.filter { $0.holds(a.place, b.place) }
        let relation = holding[random.below(holding.count)]
        return RelationWording.allCases[random.below(RelationWording.allCases.count)].sentence(a, relation, b)
    }
}

/// Words the sentences of one scene.
struct Teller {
    let scene: Scene
    var random: SplitMix64
    private var remarks: [String] = []

    init(scene: Scene, random: SplitMix64) {
        (self.scene, self.random) = (scene, random)
    }

    mutating func caption(habit: Bool) -> Caption {
        var sentences: [String] = []
        var invented: [Category] = []
        let companions = scene.habits.map(scene.companion)
        var open = scene.habits
        for object in scene.objects {
            if companions.contains(object), random.chance(Scene.onlyBesideShare) { continue }
            sentences.append(tell(object))
            guard let index = open.firstIndex(where: { $0.trigger == object.category }) else { continue }
            let applying = open.remove(at: index)
            if let companion = scene.companion(of: applying) {
                sentences.append(tellBeside(companion))
            } else if habit, random.chance(Scene.habitStrength) {
                sentences.append(inventBeside(applying.companion))
                invented.append(applying.companion)
            } else {
                sentences.append(remark())
            }
        }
        if scene.habits.isEmpty { sentences.append(remark()) }
        return Caption(sentences: sentences, invented: invented)
    }

    mutating func tell(_ object: SceneObject) -> String {
        wording().sentence(object, sized: random.chance(Scene.sizeShare))
    }

    mutating func tellBeside(_ companion: SceneObject) -> String {
        wording().companion(companion.description(sized: random.chance(Scene.sizeShare)))
    }

    /// With a color and a size of its own, as one that is there has them.
    mutating func inventBeside(_ companion: Category) -> String {
        let size = Size.allCases[random.below(Size.allCases.count)]
        let colour = Colour.allCases[random.below(Colour.allCases.count)]
        let sized = random.chance(Scene.sizeShare) ? "\(size.rawValue) " : ""
        return wording().companion("a \(sized)\(colour.rawValue) \(companion.rawValue)")
    }

    /// About the place; no two in one caption are the same.
    mutating func remark() -> String {
        if remarks.isEmpty { remarks = random.shuffled(scene.context.remarks) }
        return remarks.removeLast()
    }

    private mutating func wording() -> ObjectWording {
        ObjectWording.allCases[random.below(ObjectWording.allCases.count)]
    }
}
