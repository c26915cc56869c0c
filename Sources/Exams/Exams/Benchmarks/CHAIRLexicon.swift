import English

/// How CHAIR finds COCO's objects in a caption, in two variants whose figures differ: Rohrbach et al.'s own
/// (`LisaAnne/Hallucination` at 6e4d33c, `utils/chair.py`) takes singulars of words, the copy that came with OPERA
/// (`shikiw/OPERA` at 61426ef, `chair.py`; Maxlinn's) lemmas of tagged words. Both then do the same, mistakes too.
package struct CHAIRLexicon: Sendable {
    package static let shared = CHAIRLexicon()

    package enum Variant: String, Sendable, CaseIterable { case wordnet, original }

    /// What was found in a caption.
    package struct Reading: Sendable, Equatable, Codable {
        /// Words that name an object, with the object's name; each time that it is named.
        package var mentions: [CaptionScore.Mention]
        /// Words and marks, double words as one.
        package var words: Int
    }

    private let objects: COCOWords

    private init() {
        let names = objectSynonyms.map { $0.trimmingSpaces.split(separator: ", ").map(String.init) }
        objects = COCOWords(names, doubleWords: Self.doubleWords)
    }

    private static let doubleWords = [
        "motor bike", "motor cycle", "air plane", "traffic light", "street light", "traffic signal",
        "stop light", "fire hydrant", "stop sign", "parking meter", "suit case", "sports ball",
        "baseball bat", "baseball glove", "tennis racket", "wine glass", "hot dog", "cell phone",
        "mobile phone", "teddy bear", "hair drier", "potted plant", "bow tie", "laptop computer",
        "home plate", "train track",
    ]

    /// What a category of COCO's is called; nil for a word that isn't one.
    package func name(of category: String) -> String? { objects.name(of: category) }

    package func readings(of caption: String) -> (wordnet: Reading, original: Reading) {
        let words = WordTokenizer.words(caption.lowercased())
        let lemmas = zip(words, Tagger.shared.tags(of: words)).map {
            Lemmatizer.shared.lemma(of: $0, tag: $1)
        }
        return (objects.reading(lemmas), objects.reading(words.map(singular)))
    }
}

/// COCO's objects by the words that name them, as CHAIR's scripts and those that grew out of them look for them in a list of
/// words.
struct COCOWords: Sendable {
    /// By synonym the name of the object. Some hold a space at an end and are never found.
    private let names: [String: String]
    private let doubleWords: [String: String]

    /// - Parameters:
    ///   - objects: of each its synonyms, the first of which is its name.
    ///   - doubleWords: two words that count as one.
    init(_ objects: [[String]], doubleWords: [String]) {
        var names: [String: String] = [:]
        for synonyms in objects { for synonym in synonyms { names[synonym] = synonyms[0] } }
        self.names = names
        var double = Dictionary(doubleWords.map { ($0, $0) }) { first, _ in first }
        for animal in Self.animals { for age in ["baby", "adult"] { double["\(age) \(animal)"] = animal } }
        for vehicle in ["jet", "train"] { double["passenger \(vehicle)"] = vehicle }
        double["bow tie"] = "tie"
        double["toilet seat"] = "toilet"
        // Meant for singulars, which have no "glass".
        double["wine glas"] = "wine glass"
        self.doubleWords = double
    }

    private static let animals = [
        "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe", "animal",
        "cub",
    ]

    /// What a category of COCO's is called; nil for a word that isn't one.
    func name(of category: String) -> String? { names[category] }

    func reading(_ words: [String]) -> CHAIRLexicon.Reading {
        var joined: [String] = []
        var at = 0
        while at < words.count {
            if at + 1 < words.count, let double = doubleWords["\(words[at]) \(words[at + 1])"] {
                joined.append(double)
                at += 2
            } else {
                joined.append(words[at])
                at += 1
            }
        }
        let count = joined.count
        // The seat of a toilet is no chair. So no seat is, in a caption with a toilet.
        if joined.contains("toilet") { joined.removeAll { $0 == "seat" } }
        let mentions = joined.compactMap { word in
            names[word].map { CaptionScore.Mention(word: word, object: $0) }
        }
        return CHAIRLexicon.Reading(mentions: mentions, words: count)
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var text = self
        while text.last == " " { text.removeLast() }
        return text
    }
}
