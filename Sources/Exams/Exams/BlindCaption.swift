import Foundation
import PictureWorld

/// What a pattern keeps of a sentence beside its plain words; places are never kept.
package enum PatternGrain: String, Sendable, Codable, CaseIterable {
    /// "at the ‹place› is a ‹size› ‹color› ‹object›"
    case kind
    /// "at the ‹place› is a ‹size› ‹color› dog"
    case object
    /// "at the ‹place› is a small brown dog"
    case attributes
}

/// What can be known of a sentence's caption without a look at the picture. All of it is read in the caption as
/// the model wrote it, so that no rule depends on those before it.
package enum BlindCondition: Sendable, Hashable {
    case always
    /// Whether other sentences name all its objects too.
    case toldElsewhere(Bool)
    /// Whether it is the caption's last sentence.
    case last(Bool)
    /// Captions that are likeliest to close with these words: the setting, as far as words tell it.
    case closing(String)
    /// Another sentence names this object.
    case with(String)
    /// No other sentence does.
    case without(String)

    package var words: String {
        switch self {
        case .always: ""
        case .toldElsewhere(let isTold): isTold ? "told elsewhere" : "not told elsewhere"
        case .last(let isLast): isLast ? "at the end" : "not at the end"
        case .closing(let sentence): "beside \"\(sentence)\""
        case .with(let object): "with \(object)"
        case .without(let object): "without \(object)"
        }
    }
}

/// A caption cut into sentences, as a rule without eyes sees it.
struct BlindCaption {
    struct Sentence {
        let text: String
        /// Each object that it names once.
        let objects: Set<String>
        let patterns: [PatternGrain: String]

        init(_ text: String, _ finder: ObjectFinder) {
            self.text = text
            let tokens = finder.tokens(in: text)
            patterns = Dictionary(
                uniqueKeysWithValues: PatternGrain.allCases.map { ($0, Self.pattern(tokens, $0)) })
            objects = Set(
                tokens.compactMap { if case .object(let mention) = $0 { mention.object } else { nil } })
        }

        private static func pattern(_ tokens: [ObjectLexicon.Token], _ grain: PatternGrain) -> String {
            var words: [String] = []
            for token in tokens {
                let word = abstracted(token, grain)
                // "top left" is one place.
                if word != place || words.last != word { words.append(word) }
            }
            return words.joined(separator: " ")
        }

        private static let place = "‹place›"
        private static let places = Set(Row.allCases.map(\.rawValue) + Column.allCases.map(\.rawValue))
        private static let colours = Set(Colour.allCases.map(\.rawValue))
        private static let sizes = Set(Size.allCases.map(\.rawValue))
        private static let contexts = Set(Context.allCases.map(\.rawValue))

        private static func abstracted(_ token: ObjectLexicon.Token, _ grain: PatternGrain) -> String {
            switch token {
            case .object(let mention): grain == .kind ? "‹object›" : mention.object
            case .word(let word) where places.contains(word): place
            case .word(let word) where colours.contains(word): grain == .attributes ? word : "‹color›"
            case .word(let word) where sizes.contains(word): grain == .attributes ? word : "‹size›"
            case .word(let word) where contexts.contains(word): grain == .kind ? "‹setting›" : word
            case .word("an"): "a"
            case .word(let word): word
            }
        }
    }

    let text: String
    let sentences: [Sentence]

    init(_ text: String, _ finder: ObjectFinder) {
        self.text = text
        sentences = Lexer.sentences(of: text).map { Sentence($0, finder) }
    }

    var objects: Set<String> { sentences.reduce(into: []) { $0.formUnion($1.objects) } }

    /// Objects that sentences other than this one name.
    func others(than index: Int) -> Set<String> {
        sentences.indices.reduce(into: []) { if $1 != index { $0.formUnion(sentences[$1].objects) } }
    }
}

/// The sentences without objects that captions of one kind often hold ("This is a park."), and which of them a
/// caption is likeliest to hold by the objects that it names: naive Bayes over captions that do.
struct ClosingSentences {
    private struct Closing {
        let text: String
        var captions = 0.0
        var naming: [String: Double] = [:]
    }

    private let closings: [Closing]
    private let objects: [String]

    /// - Parameter support: how many captions must hold a sentence.
    init(_ captions: [BlindCaption], support: Int) {
        var found: [String: Closing] = [:]
        for caption in captions {
            for text in Set(caption.sentences.filter { $0.objects.isEmpty }.map(\.text)) {
                found[text, default: Closing(text: text)].captions += 1
                for object in caption.objects { found[text]?.naming[object, default: 0] += 1 }
            }
        }
        closings = found.values.filter { Int($0.captions) >= support }.sorted { $0.text < $1.text }
        objects = Set(closings.flatMap(\.naming.keys)).sorted()
    }

    var texts: [String] { closings.map(\.text) }

    /// nil where none was learned.
    func likeliest(for caption: BlindCaption) -> String? {
        let named = caption.objects
        func score(_ closing: Closing) -> Double {
            objects.reduce(log(closing.captions)) { sum, object in
                let share = (closing.naming[object, default: 0] + 1) / (closing.captions + 2)
                return sum + log(named.contains(object) ? share : 1 - share)
            }
        }
        return closings.map { (text: $0.text, score: score($0)) }.max { $0.score < $1.score }?.text
    }
}
