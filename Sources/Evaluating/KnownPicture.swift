import Benchmarks
import PictureWorld
import Records

/// Finds objects in text: the picture world's, or those of a list of synonyms.
package struct ObjectFinder: Sendable {
    private let lexicon: ObjectLexicon

    /// The picture world's categories.
    package init() { lexicon = ObjectLexicon(synonyms: Category.allCases.map(\.synonyms)) }

    /// A list as CHAIR's `synonyms.txt` has it.
    /// - Throws: `BenchmarksError` for a list that names no objects or one name twice.
    package init(synonyms path: String) throws {
        let text = String(decoding: try EvaluationError.reading(path), as: UTF8.self)
        lexicon = try ObjectLexicon(list: text, file: path)
    }

    package func mentions(in text: String) -> [ObjectMention] { lexicon.mentions(in: text) }
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
    /// - Throws: `RecordError` or `SceneError` for a record without image, without either, with facts none of
    ///   which names an object of the list, or with a habit whose companion is none of it.
    package init(_ record: Record, _ finder: ObjectFinder) throws {
        let prompt = try Prompt(record)
        let image = try record.required("image", prompt.image)
        (id, self.image, self.prompt) = (prompt.id, image, prompt.prompt)
        habits = try record.objects("habits") { try AppliedHabit($0, finder) }
        if record["scene"] != nil {
            let scene = try Scene(record: record)
            self.scene = scene
            objects = Set(scene.categories.map(\.rawValue))
            return
        }
        let facts = prompt.facts.filter { $0.kind == "object" }
        guard !facts.isEmpty else {
            throw RecordError.invalid(
                key: "facts", found: "no scene and no fact of the kind \"object\"",
                remedy: "CHAIR needs the objects of each picture")
        }
        scene = nil
        objects = Set(facts.flatMap { finder.mentions(in: $0.text).map(\.object) })
        guard !objects.isEmpty else {
            throw RecordError.invalid(
                key: "facts", found: "objects none of which is in the list of objects",
                remedy: "give the list that fits them with --synonyms")
        }
    }

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
            ("invented", invented.count), ("wrong in colour", wrong?.colours ?? 0),
            ("wrong in place", wrong?.places ?? 0),
        ]
        parts += counts.filter { $0.1 > 0 }.map { "\($0.1) \($0.0)" }
        return (invented.map(\.word), parts.joined(separator: ", "))
    }
}
