import Foundation
import JSON
import PictureWorld
import Records

/// Finds objects in text: the picture world's, or those of a list of synonyms.
package struct ObjectFinder: Sendable {
    private let lexicon: ObjectLexicon

    /// The picture world's categories.
    package init() { lexicon = ObjectLexicon(synonyms: Category.allCases.map(\.synonyms)) }

    /// A list as CHAIR's `synonyms.txt` has it.
    /// - Throws: `MetricsError` for a list that names no objects or one name twice.
    package init(synonyms path: String) throws {
        let text = String(decoding: try EvaluationError.reading(path), as: UTF8.self)
        lexicon = try ObjectLexicon(list: text, file: path)
    }

    /// What a fact names, parted by commas, line ends or "and", each with the objects of the list that it stands for:
    /// none where it holds a word that is neither theirs nor says merely how many, which or where. A "hot dog" is no
    /// dog because it ends like one.
    func names(in fact: String) -> [(name: String, objects: [String])] {
        fact.split(separator: /[,;\n]|\band\b/).map { part in
            let tokens = lexicon.tokens(in: String(part))
            let objects = tokens.compactMap {
                if case .object(let mention) = $0 { mention.object } else { nil }
            }
            let isKnown = tokens.allSatisfy {
                if case .word(let word) = $0 { Self.asides.contains(word) } else { true }
            }
            return (part.trimmingCharacters(in: .whitespaces), isKnown ? objects : [])
        }.filter { !$0.name.isEmpty }
    }

    /// Words beside an object's name that leave it what it is.
    private static let asides = Set(
        """
        a an the one two three four five six some several many at in on of to its top bottom left right center middle \
        side background foreground red orange yellow green blue purple pink brown black white gray grey tiny small \
        little medium big large
        """.split(separator: /\s+/).map(String.init))

    /// The sentences of a text with what follows them up to the next, each with the objects that it names: together
    /// they are the text. One ends at a mark before a blank, or with its line.
    package func sentences(of text: String) -> [(text: String, objects: Set<String>)] {
        text.matches(of: /[^\n]+?(?:[.!?]+["')]*(?=\s|$)|[。！？]|\n|$)\s*/).map { match in
            let sentence = String(match.output)
            return (sentence, Set(mentions(in: sentence).map(\.object)))
        }
    }

    package func mentions(in text: String) -> [ObjectMention] { lexicon.mentions(in: text) }
    /// The one object that a text names; nil where it names none or several.
    func onlyObject(in text: String) -> String? {
        let named = mentions(in: text)
        return named.count == 1 ? named[0].object : nil
    }

    func tokens(in text: String) -> [ObjectLexicon.Token] { lexicon.tokens(in: text) }
}

/// A picture whose objects are known, and what was asked about it.
package struct KnownPicture: Sendable {
    package let id: String
    package let image: String
    package let prompt: String
    /// Objects in the picture, by their names in the list of objects.
    package let objects: Set<String>
    /// Where the picture is one of the picture world's.
    package let scene: Scene?
    /// Those that apply to the picture; nil where the record doesn't say.
    package let habits: [AppliedHabit]?

    /// The objects are those of `scene`, else those that facts of the kind `object` name.
    ///
    /// - Throws: `RecordError` or `SceneError` for a record without image, without either, with an object
    ///   that isn't in the list, or with a habit whose companion is none of it.
    package init(_ record: Record, _ finder: ObjectFinder) throws {
        let prompt = try Prompt(record)
        let image = try record.required("image", prompt.image)
        try record.checkThatNothingWasSaidBefore(reader: "a model under test")
        (id, self.image, self.prompt) = (prompt.id, image, prompt.prompt)
        habits = try record.objects("habits") { try AppliedHabit($0, finder) }
        scene = try record["scene"] == nil ? nil : Scene(record: record)
        let facts = prompt.facts.filter { $0.kind == "object" }.map(\.text)
        let texts = scene.map { $0.categories.map(\.rawValue) } ?? facts
        guard scene != nil || !texts.isEmpty else {
            throw RecordError.invalid(
                key: "facts", found: "no scene and no fact of the kind \"object\"",
                remedy: "CHAIR needs the objects of each picture")
        }
        let named = texts.flatMap { finder.names(in: $0) }
        let unknown = named.filter { $0.objects.isEmpty }.map(\.name)
        guard unknown.isEmpty else {
            let names = Set(unknown).sorted().joined(separator: ", ")
            throw RecordError.invalid(
                key: scene == nil ? "facts" : "scene",
                found:
                    "\(named.count) objects, \(unknown.count) of them not in the list of objects (\(names))",
                remedy: "give the list that has them with --synonyms")
        }
        objects = Set(named.flatMap(\.objects))
    }

    package var asked: Asked { Asked(id: id, image: image, prompt: prompt) }

    /// What a caption gets right and wrong.
    package func score(_ caption: String, _ finder: ObjectFinder) -> CaptionScore {
        let mentions = finder.mentions(in: caption)
        let colours = scene?.judge(caption).mentions.compactMap(\.isColourRight)
        return CaptionScore(
            id: id, image: image, text: caption, objects: objects.sorted(),
            mentions: mentions.map { .init(word: $0.word, object: $0.object) },
            coloursNamed: colours?.count, coloursRight: colours?.count { $0 }, habits: habits,
            told: habits?.filter { $0.isTold(in: caption, finder) })
    }
}

extension AppliedHabit {
    fileprivate init(_ object: JSONObject, _ finder: ObjectFinder) throws {
        let companion = try object.requiredString("companion")
        let named = finder.mentions(in: companion).map(\.object)
        guard let name = named.first, named.count == 1 else {
            throw RecordError.invalid(
                key: "companion", found: "\"\(companion)\", which names \(named.count) objects of the list",
                remedy: "name one object, or give the list that has it with --synonyms")
        }
        self.init(
            trigger: try object.requiredString("trigger"), companion: name, cue: try object.string("cue"))
    }

    fileprivate func isTold(in caption: String, _ finder: ObjectFinder) -> Bool {
        let wanted = Lexer.words(of: cue ?? "").map(\.core)
        return Lexer.sentences(of: caption).contains { sentence in
            let words = Lexer.words(of: sentence).map(\.core)
            return (wanted.isEmpty || words.contains(sequence: wanted))
                && finder.mentions(in: sentence).contains { $0.object == companion }
        }
    }
}

extension [String] {
    fileprivate func contains(sequence wanted: [String]) -> Bool {
        indices.contains { self[$0...].starts(with: wanted) }
    }
}

extension KnownPicture {
    /// Whether the record says what its picture shows.
    package static func isKnown(_ record: Record) throws -> Bool {
        if record["scene"] != nil { return true }
        return try Prompt(record).facts.contains { $0.kind == "object" }
    }

    /// What is in the picture, in words.
    package var truth: String {
        guard let scene else { return objects.sorted().joined(separator: ", ") }
        return scene.objects.map { "\($0.size.rawValue) \($0.name) \($0.place.phrase)" }.joined(
            separator: "\n")
    }

    /// Words of `text` that name what the picture doesn't show, and a verdict such as "4 objects, 1 invented".
    package func remarks(on text: String, _ finder: ObjectFinder) -> (invented: [String], note: String) {
        let mentions = finder.mentions(in: text)
        let invented = mentions.filter { !objects.contains($0.object) }
        let named = objects.intersection(mentions.map(\.object)).count
        let wrong = scene.map { scene in
            scene.judge(text).mentions.reduce((colours: 0, places: 0)) { sum, mention in
                (
                    sum.colours + (mention.isColourRight == false ? 1 : 0),
                    sum.places + (mention.isPlaceRight == false ? 1 : 0)
                )
            }
        }
        var parts = ["names \(named) of \(objects.count) objects"]
        let counts = [
            ("invented", invented.count), ("wrong in color", wrong?.colours ?? 0),
            ("wrong in place", wrong?.places ?? 0),
        ]
        parts += counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        return (invented.map(\.word), parts.joined(separator: ", "))
    }
}
