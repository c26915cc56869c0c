import Metrics

/// An object that a caption names.
package struct ObjectMention: Sendable, Hashable {
    /// The word or words as they stand in the caption, lower-cased.
    package var word: String
    /// The category that the word stands for.
    package var object: String

    package init(word: String, object: String) { (self.word, self.object) = (word, object) }
}

/// Finds the objects that a text names, from a list of synonyms per object.
///
/// Words are runs of letters and digits, lower-cased; the longest entry wins from left to right, so that
/// "hot dog" is no dog. Plurals are generated from the list rather than words singularised, which keeps
/// "bus" findable; the original CHAIR loses it, and its figures therefore differ in rare words.
package struct ObjectLexicon: Sendable {
    /// Entry (words joined by a space) → object, or nil for a phrase that hides the objects inside it.
    private var objects: [String: String?] = [:]
    private var longestEntry = 1

    /// - Parameters:
    ///   - synonyms: per object its names; the first is the object's own.
    ///   - phrases: entries beside the list, such as `"bow tie": "tie"`; nil hides ("train track" is no
    ///     train).
    package init(synonyms: [[String]], phrases: [String: String?] = [:]) {
        for names in synonyms {
            guard let object = names.first else { continue }
            for name in names { insert(name, object: object) }
        }
        for (phrase, object) in phrases { insert(phrase, object: object) }
    }

    /// Reads a list as CHAIR's `synonyms.txt` has it: one object per line, names parted by commas.
    ///
    /// - Throws: `MetricsError.badLine` where a line holds an empty name, or two objects claim one name.
    package init(list: String, file: String, phrases: [String: String?] = Self.cocoPhrases) throws {
        var owner: [String: String] = [:]
        var synonyms: [[String]] = []
        let lines = list.utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (index, bytes) in lines.enumerated() {
            let line = String(decoding: bytes, as: UTF8.self)
            let names = line.split(separator: ",", omittingEmptySubsequences: false)
                .map { Self.words(in: $0).joined(separator: " ") }
            if names == [""] { continue }
            guard let object = names.first, !names.contains("") else {
                throw MetricsError.badLine(
                    file: file, line: index + 1, found: "there is an empty name between two commas")
            }
            for name in names {
                if let other = owner[name], other != object {
                    throw MetricsError.badLine(
                        file: file, line: index + 1,
                        found: "\"\(name)\" means \(object) here and \(other) above")
                }
                owner[name] = object
            }
            synonyms.append(names)
        }
        guard !synonyms.isEmpty else {
            throw MetricsError.badValue(
                where: file, found: "the list names no objects",
                remedy: "write one object per line, its synonyms after commas")
        }
        self.init(synonyms: synonyms, phrases: phrases)
    }

    private mutating func insert(_ name: String, object: String?) {
        let words = Self.words(in: name)
        guard let last = words.last else { return }
        longestEntry = max(longestEntry, words.count)
        for form in [last] + Self.plurals(of: last) {
            let entry = (words.dropLast() + [form]).joined(separator: " ")
            // A listed name beats a generated plural ("glasses" may be its own entry).
            if form == last || objects[entry] == nil { objects[entry] = .some(object) }
        }
    }

    /// A word that names nothing, or words that name an object.
    package enum Token: Sendable, Equatable {
        case word(String)
        case object(ObjectMention)
    }

    /// Mentions in the order of the text; repeats are kept.
    package func mentions(in text: String) -> [ObjectMention] {
        tokens(in: text).compactMap { if case .object(let mention) = $0 { mention } else { nil } }
    }

    /// The text's words in their order, lower-cased, without its punctuation.
    package func tokens(in text: String) -> [Token] {
        let words = Self.words(in: text)
        var found: [Token] = []
        var start = 0
        search: while start < words.count {
            for length in stride(from: min(longestEntry, words.count - start), to: 0, by: -1) {
                let entry = words[start..<(start + length)].joined(separator: " ")
                guard let object = objects[entry] else { continue }
                found.append(object.map { .object(ObjectMention(word: entry, object: $0)) } ?? .word(entry))
                start += length
                continue search
            }
            found.append(.word(words[start]))
            start += 1
        }
        return found
    }

    static func words(in text: some StringProtocol) -> [String] {
        text.lowercased().unicodeScalars
            .split { !($0.properties.isAlphabetic || $0.properties.numericType != nil) }
            .map { String($0) }
    }

    private static let irregularPlurals = [
        "man": "men", "woman": "women", "child": "children", "person": "people", "mouse": "mice",
        "tooth": "teeth", "foot": "feet", "goose": "geese", "ox": "oxen",
    ]

    private static func stem(_ word: String, _ ending: Int) -> String { String(word.dropLast(ending)) }

    static func plurals(of word: String) -> [String] {
        if let plural = irregularPlurals[word] { return [plural] }
        let compound = irregularPlurals.first { word.count > 4 && word.hasSuffix($0.key) }
        if let compound {
            // "fireman" takes the irregular plural, "human" the regular one; both are offered.
            return [stem(word, compound.key.count) + compound.value, word + "s"]
        }
        if word.hasSuffix("fe") { return [stem(word, 2) + "ves", word + "s"] }
        if word.hasSuffix("f") { return [stem(word, 1) + "ves", word + "s"] }
        if word.hasSuffix("y"), let before = stem(word, 1).last, !"aeiou".contains(before) {
            return [stem(word, 1) + "ies"]
        }
        if ["s", "x", "z", "ch", "sh"].contains(where: word.hasSuffix) { return [word + "es"] }
        return word.hasSuffix("o") ? [word + "s", word + "es"] : [word + "s"]
    }

    /// Phrases whose parts would be found wrongly with COCO's list; the originals are merged by a fixed
    /// table in `chair.py`.
    package static let cocoPhrases: [String: String?] = {
        var phrases: [String: String?] = [
            "bow tie": "tie", "toilet seat": "toilet", "train track": nil, "home plate": nil,
            "passenger jet": "airplane", "passenger train": "train", "baby cub": "bear", "adult cub": "bear",
            "baby animal": nil, "adult animal": nil,
        ]
        let animals = [
            "bird", "cat", "dog", "horse", "sheep", "cow", "elephant", "bear", "zebra", "giraffe",
        ]
        for animal in animals {
            for age in ["baby", "adult"] { phrases["\(age) \(animal)"] = animal }
        }
        return phrases
    }()
}
