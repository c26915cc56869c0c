import CEnglish

/// Lemmas as NLTK's `WordNetLemmatizer` finds them in WordNet 3.0, as far as they are words of the lexicons of CHAIR,
/// AMBER and Object HalBench. Any other form is taken for its own lemma: what it has is no such word either
/// (`CEnglish/SOURCES.md`).
package struct Lemmatizer: Sendable {
    package static let shared = Lemmatizer()

    /// By part of speech and form.
    private let lemmas: [Substring: [Substring: String]]

    private init() {
        var lemmas: [Substring: [Substring: String]] = [:]
        for line in tableLines(english_lemmas) {
            let words = line.split(separator: " ")
            if words.count == 3 { lemmas[words[0], default: [:]][words[1]] = String(words[2]) }
        }
        self.lemmas = lemmas
    }

    /// - Parameter tag: the Penn Treebank's, as CHAIR reads it: what is no adjective, verb or adverb is a noun.
    package func lemma(of form: String, tag: String) -> String {
        let part: Substring =
            switch tag.first {
            case "J": "a"
            case "V": "v"
            case "R": "r"
            default: "n"
            }
        return lemmas[part]?[form[...]] ?? form
    }
}
