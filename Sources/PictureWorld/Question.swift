/// A question about one picture with its true answer.
package struct Question: Sendable, Equatable, Codable {
    package enum Kind: String, Codable, CaseIterable, Sendable {
        case existence, count, color, position, claim
        case whatColor = "what_color"
        case howMany = "how_many"
        case whereIs = "where_is"
        case whichObjects = "which_objects"
        case whatPlace = "what_place"
        case choice
    }

    package let kind: Kind
    package let prompt: String
    package let answer: String

    package init(_ kind: Kind, _ prompt: String, _ answer: String) {
        self.kind = kind
        self.prompt = prompt
        self.answer = answer
    }

    init(_ kind: Kind, _ prompt: String, _ answer: Bool) {
        self.init(kind, prompt, answer ? "Yes" : "No")
    }

    package var isYesNo: Bool { answer == "Yes" || answer == "No" }
}

/// The benchmarks' own wordings, shared by training questions and by the probes of an evaluation.
package enum Wording {
    package static let singleWord = "Answer the question using a single word or phrase."
    package static let yesOrNo = "Please answer yes or no."
    package static let describe = [
        "Describe this image.", "What is in this picture?", "Please describe the picture.",
    ]

    /// POPE (Li et al. 2023).
    package static func pope(_ category: Category) -> String {
        "Is there \(category.article()) \(category.rawValue) in the image?"
    }

    // MME (Fu et al. 2023): existence, count, color and position.
    package static func existence(_ category: Category) -> String {
        "Is there \(category.article()) \(category.rawValue) in this image?"
    }

    package static func count(_ category: Category, _ number: Int) -> String {
        number == 1
            ? "Is there only one \(category.rawValue) in the image?"
            : "Are there \(numerals[number]) \(category.plural) in the image?"
    }

    package static func color(_ category: Category, _ colour: Colour) -> String {
        "Is there a \(colour.rawValue) \(category.rawValue) in the image?"
    }

    package static func position(_ a: Category, _ relation: Relation, _ b: Category) -> String {
        switch relation {
        case .above, .below: "Is the \(a.rawValue) \(relation.rawValue) the \(b.rawValue)?"
        case .leftOf: "Is the \(a.rawValue) on the left side of the \(b.rawValue)?"
        case .rightOf: "Is the \(a.rawValue) on the right side of the \(b.rawValue)?"
        }
    }

    static func whatColor(_ category: Category) -> String { "What color is the \(category.rawValue)?" }
    static func howMany(_ category: Category) -> String { "How many \(category.plural) are there?" }
    static func whereIs(_ object: SceneObject) -> String { "Where is the \(object.name)?" }
    static let whatPlace = "What place is this?"

    static let numerals = ["zero", "one", "two", "three", "four", "five"]
}

/// Two answers set against each other, as a self-critic is asked.
package struct Choice: Sendable, Equatable {
    package let question: String
    package let answers: [String]
    /// A trusted answer to compare with; nil asks the critic's own eyes.
    package let reference: String?
    /// Whether the prompt says what to compare by.
    package let metrics: Bool

    package init(question: String, answers: [String], reference: String?, metrics: Bool) {
        self.question = question
        self.answers = answers
        self.reference = reference
        self.metrics = metrics
    }

    /// How a lesson answers: the reason, which is what was found on each sentence of both answers, then the number
    /// in the brackets that a verdict is read from.
    static func verdict(for better: Int, findings: [[String]]) -> String {
        let reasons = findings.enumerated().map { "Answer \($0 + 1): \($1.joined(separator: ", "))." }
        return reasons.joined(separator: " ") + " Better: [[\(better)]]"
    }

    /// The prompt of the lessons, in the words of `data/prompts/critic-short.txt`.
    package var prompt: String {
        let told = reference.map { " Reference: \($0)" } ?? ""
        let options = answers.enumerated().map { " Answer \($0 + 1): \($1)" }.joined()
        let metrics = metrics ? "Compare objects, relations and attributes. " : ""
        return "\(metrics)Question: \(question)\(told)\(options) Which answer is better, 1 or 2?"
    }
}
