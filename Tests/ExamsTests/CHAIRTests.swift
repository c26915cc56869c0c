import Exams
import Metrics
import Testing

@Suite struct CHAIRTests {
    private let lexicon = ObjectLexicon(synonyms: [
        ["dog", "puppy"], ["cat"], ["car", "fire truck"], ["ball"],
    ])

    private func judge(_ image: String, _ caption: String, _ truth: [String]) -> CaptionScore {
        CaptionScore(
            id: image, image: image, text: caption, objects: truth,
            mentions: lexicon.mentions(in: caption).map { .init(word: $0.word, object: $0.object) })
    }

    private var captions: [CaptionScore] {
        [
            // Mentions dog, dog, cat, cat: the cats are invented. Words 8.
            judge("1", "A dog (a puppy) and a cat. Cat!", ["dog", "ball"]),
            judge("2", "The fire truck stands.", ["car"]),
            judge("3", "", ["cat"]),
            judge("4", "Puppies and cats with a kitten", ["dog"]),
        ]
    }

    @Test func countsAtMentionLevel() throws {
        let values = try ScoreSheet(captions: captions).summary().values
        #expect(values["chair_s"] == 2.0 / 4)
        #expect(values["chair_i"] == 3.0 / 7)
        #expect(values["object_recall"] == 3.0 / 5)
        #expect(values["mean_words"] == 4.5)
    }

    @Test func withoutMentionsNothingIsInvented() throws {
        let values = try ScoreSheet(captions: [judge("1", "Nothing to see", [])]).summary().values
        #expect(values["chair_i"] == 0 && values["chair_s"] == 0 && values["object_recall"] == 0)
        #expect(throws: MetricsError.empty(where: "evaluation")) { try ScoreSheet().summary() }
    }
}

@Suite struct ObjectLexiconTests {
    private let list = """
        person, man, child
        dog, puppy
        hot dog
        bus, school bus
        knife
        sheep, lamb
        tie, bow
        toilet
        chair, seat
        train
        elephant

        """

    private func objects(_ text: String) throws -> [String] {
        try ObjectLexicon(list: list, file: "synonyms.txt").mentions(in: text).map(\.object)
    }

    @Test(arguments: [
        ("A hot dog, not a dog", ["hot dog", "dog"]), ("hot dogs", ["hot dog"]), ("The bus", ["bus"]),
        ("two school buses", ["bus"]), ("knives", ["knife"]), ("men, children", ["person", "person"]),
        ("grandchildren", []), ("A dog's puppies", ["dog", "dog"]), ("hotdog dogged", []),
        ("toilet seat", ["toilet"]), ("bow tie", ["tie"]), ("train tracks", []), ("train track", []),
        ("a baby elephant", ["elephant"]), ("DOG", ["dog"]), ("hot\ndog", ["hot dog"]), ("", []),
        ("seats on a train", ["chair", "train"]),
    ])
    func findsObjects(_ text: String, _ expected: [String]) throws {
        #expect(try objects(text) == expected)
    }

    @Test func keepsTheWordAsWritten() throws {
        let mentions = try ObjectLexicon(list: list, file: "f").mentions(in: "Two Puppies")
        #expect(mentions == [ObjectMention(word: "puppies", object: "dog")])
    }

    @Test func badListsAreRefused() {
        #expect(
            throws: MetricsError.badLine(
                file: "f", line: 2, found: "\"seat\" means toilet here and chair above")
        ) { try ObjectLexicon(list: "chair, seat\ntoilet, seat\n", file: "f") }
        #expect(
            throws: MetricsError.badLine(
                file: "f", line: 1, found: "there is an empty name between two commas")
        ) { try ObjectLexicon(list: "chair, , seat\n", file: "f") }
        #expect(throws: MetricsError.self) { try ObjectLexicon(list: "\n\n", file: "f") }
    }
}
