import Random

/// Questions with an answer of a few words.
extension Scene {
    /// About an object that is the only one of its category.
    func whatColor(_ random: inout SplitMix64) -> Question {
        let object = single[random.below(single.count)]
        return Question(.whatColor, Wording.whatColor(object.category), object.colour.rawValue)
    }

    func howMany(_ category: Category) -> Question {
        Question(.howMany, Wording.howMany(category), Wording.numerals[count(of: category)])
    }

    /// About an object whose name is its own.
    func whereIs(_ random: inout SplitMix64) -> Question {
        let named = objects.filter(isUnique)
        let object = named[random.below(named.count)]
        return Question(.whereIs, Wording.whereIs(object), object.place.phrase)
    }

    var whatPlace: Question { Question(.whatPlace, Wording.whatPlace, context.phrase) }

    /// In TextVQA's form: the color of an object, and a number, which is zero as often as in the lessons.
    package func textVQAQuestions(seed: UInt64) -> [Question] {
        var random = SplitMix64(seed: seed, purpose: "textvqa \(id)")
        let absent = Category.allCases.filter { !has($0) }
        let counted =
            random.chance(0.15) ? absent[random.below(absent.count)] : drawCounted(&random).category
        return [whatColor(&random), howMany(counted)]
    }

    /// In GQA's form: objects, colors and relations to be confirmed or denied, and a place and a setting to be named.
    package func gqaQuestions(seed: UInt64) -> [GQAQuestion] {
        var random = SplitMix64(seed: seed, purpose: "gqa open \(id)")
        let types = ["existence": "obj", "color": "attr", "position": "rel"]
        // GQA doesn't count.
        let verified = yesNoPairs(purpose: "gqa", seed: seed).flatMap { task, yes, no in
            types[task].map { type in
                [(yes, "yes"), (no, "no")].map { GQAQuestion("verify", type, $0, answer: $1) }
            } ?? []
        }
        let (place, setting) = (whereIs(&random), whatPlace)
        return verified + [
            GQAQuestion("query", "rel", place.prompt, answer: place.answer),
            GQAQuestion("query", "global", setting.prompt, answer: setting.answer),
        ]
    }

    /// In MMBench's form: `number` says, by turns, whether the setting, a color, a place or a number is asked for.
    package func mmbenchQuestion(number: Int, seed: UInt64) -> MMBenchQuestion {
        var random = SplitMix64(seed: seed, purpose: "mmbench \(id)")
        let (question, all, kind): (Question, [String], MMBenchQuestion.Kind) =
            switch number % 4 {
            case 0: (whatPlace, Context.allCases.map(\.phrase), .scene)
            case 1: (whatColor(&random), Colour.allCases.map(\.rawValue), .attribute)
            case 2: (whereIs(&random), Place.all.map(\.phrase), .localization)
            default:
                (howMany(drawCounted(&random).category), Array(Wording.numerals.prefix(4)), .localization)
            }
        let others = random.shuffled(all.filter { $0 != question.answer }).prefix(3)
        return MMBenchQuestion(
            kind: kind, text: question.prompt, choices: random.shuffled([question.answer] + others),
            answer: question.answer)
    }
}

extension Context {
    /// "a park".
    fileprivate var phrase: String { "a \(rawValue)" }
}

/// A question as GQA has it.
package struct GQAQuestion: Sendable, Equatable {
    /// `verify` or `query`.
    package let structural: String
    /// `obj`, `attr`, `rel` or `global`.
    package let semantic: String
    package let text: String
    package let answer: String

    init(_ structural: String, _ semantic: String, _ text: String, answer: String) {
        (self.structural, self.semantic, self.text, self.answer) = (structural, semantic, text, answer)
    }
}

/// A question with four choices, as MMBench has it.
package struct MMBenchQuestion: Sendable, Equatable {
    /// By MMBench's `category`, of which each has its `l2-category`.
    package enum Kind: String, Sendable {
        case scene = "image_scene"
        case attribute = "attribute_recognition"
        case localization = "object_localization"

        package var ability: String {
            self == .scene ? "coarse_perception" : "finegrained_perception (instance-level)"
        }
    }

    package let kind: Kind
    package let text: String
    package let choices: [String]
    package let answer: String

    package static let letters = ["A", "B", "C", "D"]

    /// The choices moved on by so many letters, and the letter of the right one.
    package func rotated(by turn: Int) -> (choices: [String], letter: String) {
        let moved = choices.indices.map { choices[($0 + turn) % choices.count] }
        return (moved, Self.letters[moved.firstIndex(of: answer) ?? 0])
    }
}
