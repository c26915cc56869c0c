import English
import Foundation
import JSON
import Records

/// The words that AMBER looks for in captions, and which of them go together.
final class AMBERWords: Sendable {
    /// What AMBER says of a picture.
    struct Scene: Sendable {
        let truth: [String]
        /// What people would make up there.
        let imaginable: [String]
    }

    /// By word those that may be said for it too (`relation.json`).
    private let associated: [String: [String]]
    private let known: Set<String>
    /// Words that are never held against a caption.
    private let safe: Set<String>
    /// By word those that are taken for it; nil where that isn't known.
    let similar: [String: Set<String>]?
    /// Those that were read.
    let files: [String]

    private static let names = ["relation.json", "safe_words.txt", "similar_words.json"]

    /// - Parameter labels: files that were named; others lie beside `annotations`.
    /// - Throws: `EvaluationError` with the file, and the line where it has one, for what is missing or of another kind.
    init(beside annotations: String, among labels: [String]) throws {
        let folder = URL(fileURLWithPath: annotations).deletingLastPathComponent().relativePath
        let places = Self.names.map { name in
            labels.first { URL(fileURLWithPath: $0).lastPathComponent == name } ?? "\(folder)/\(name)"
        }
        var associated: [String: [String]] = [:]
        try FileLines(places[0]).forEachMember { word, value, _ in
            associated[word] = try Self.words(value, word)
        }
        let known = Set(associated.keys).union(associated.values.joined())
        let hasSimilar = FileManager.default.fileExists(atPath: places[2])
        similar = hasSimilar ? try Self.similar(FileLines(places[2]), known) : nil
        safe = Set(
            String(decoding: try FileLines(places[1]).content(), as: UTF8.self)
                .components(separatedBy: "\n"))
        (self.associated, self.known) = (associated, known)
        files = Array(places[..<(hasSimilar ? 3 : 2)])
    }

    private static func words(_ value: JSON, _ key: String) throws -> [String] {
        guard case .array(let items) = value else {
            throw RecordError.wrongType(key: key, found: value.kind, wanted: "an array of words")
        }
        return try items.map { item in
            guard case .string(let word) = item else {
                throw RecordError.wrongType(key: key, found: item.kind, wanted: "a word")
            }
            return word
        }
    }

    /// An object with an array of words for each, both ways.
    private static func similar(_ lines: FileLines, _ known: Set<String>) throws -> [String: Set<String>] {
        var similar: [String: Set<String>] = [:]
        try lines.forEachMember { word, value, _ in
            for other in try words(value, word) {
                for word in [word, other] where !known.contains(word) {
                    throw RecordError.invalid(
                        key: word, found: "no word of relation.json", remedy: "compare its words alone")
                }
                similar[word, default: []].insert(other)
                similar[other, default: []].insert(word)
            }
        }
        return similar
    }

    /// - Throws: `RecordError` for words that `relation.json` hasn't.
    func scene(_ object: JSONObject) throws -> Scene {
        func words(_ key: String) throws -> [String] {
            let words = try object.requiredStrings(key)
            if let strange = words.first(where: { associated[$0] == nil }) {
                throw RecordError.invalid(
                    key: key, found: "\"\(strange)\", which \(files[0]) doesn't have",
                    remedy: "give both files of one version")
            }
            return words
        }
        return Scene(truth: try words("truth"), imaginable: try words("hallu"))
    }

    /// Lemmas of nouns that AMBER knows, in the order of the text, whose capitals count.
    func nouns(in text: String) -> [String] {
        let words = WordTokenizer.words(text)
        return zip(words, Tagger.shared.tags(of: words)).filter { $1.hasPrefix("NN") }
            .map { Lemmatizer.shared.lemma(of: $0, tag: $1) }.filter(known.contains)
    }

    /// As the official script goes through nouns: what a picture has or is akin to it is no invention; whatever else it
    /// knows is, what people would imagine too.
    func reading(
        _ nouns: [String], _ scene: Scene, similar: [String: Set<String>]
    ) -> AMBERCaptionScore.Reading {
        var (there, imagined) = (Things(scene.truth, associated), Things(scene.imaginable, associated))
        func isSimilar(_ noun: String, _ word: String) -> Bool {
            noun == word || similar[noun]?.contains(word) ?? false
        }
        var invented: [String] = []
        for noun in nouns where !safe.contains(noun) {
            if there.meet({ $0 == noun }) { continue }
            _ = imagined.meet { $0 == noun }
            _ = imagined.meet { isSimilar(noun, $0) }
            if !there.meet({ isSimilar(noun, $0) }) { invented.append(noun) }
        }
        return .init(invented: invented, covered: there.count, imagined: imagined.count)
    }

    /// Things by all of their words: first those that go with each, then their own.
    private struct Things {
        private let words: [(word: String, thing: Int)]
        private var isMet: [Bool]

        init(_ things: [String], _ associated: [String: [String]]) {
            words =
                things.enumerated().flatMap { index, thing in
                    (associated[thing] ?? []).map { ($0, index) }
                } + things.enumerated().map { ($1, $0) }
            isMet = Array(repeating: false, count: things.count)
        }

        var count: Int { isMet.count { $0 } }

        /// Marks the thing of the first word that fits.
        mutating func meet(_ fits: (String) -> Bool) -> Bool {
            guard let thing = words.first(where: { fits($0.word) })?.thing else { return false }
            isMet[thing] = true
            return true
        }
    }
}
