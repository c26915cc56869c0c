import Benchmarks
import Testing

@Suite struct CHAIRTests {
    private let lexicon = ObjectLexicon(synonyms: [
        ["dog", "puppy"], ["cat"], ["car", "fire truck"], ["ball"],
    ])

    private func judge(_ image: String, _ caption: String, _ truth: Set<String>) -> CaptionJudgement {
        CaptionJudgement(image: image, caption: caption, truth: truth, mentions: lexicon.mentions)
    }

    private var captions: [CaptionJudgement] {
        [
            // Mentions dog, dog, cat, cat: the cats are invented. Words 8.
            judge("1", "A dog (a puppy) and a cat. Cat!", ["dog", "ball"]),
            judge("2", "The fire truck stands.", ["car"]),
            judge("3", "", ["cat"]),
            judge("4", "Puppies and cats with a kitten", ["dog"]),
        ]
    }

    @Test func countsAtMentionLevel() throws {
        let score = try CHAIRScore(captions)
        #expect(score.sentence == 2.0 / 4)
        #expect(score.instance == 3.0 / 7)
        #expect(score.objectRecall == 3.0 / 5)
        #expect(score.meanWords == 4.5)
    }

    @Test func lureCountsAnInventedWordOncePerCaption() throws {
        let score = try CHAIRScore(captions, counting: .lure)
        #expect(score.instance == 2.0 / 7)
        #expect(score.sentence == 2.0 / 4)
        // "dog" and "puppy" are two words of one object: both count.
        let both = [judge("1", "dog puppy dog", [])]
        #expect(try CHAIRScore(both, counting: .lure).instance == 2.0 / 3)
    }

    @Test func withoutMentionsNothingIsInvented() throws {
        let score = try CHAIRScore([judge("1", "Nothing to see", [])])
        #expect(score.instance == 0 && score.sentence == 0 && score.objectRecall == 0)
        #expect(throws: BenchmarksError.empty(where: "CHAIR")) { try CHAIRScore([]) }
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
            throws: BenchmarksError.badLine(
                file: "f", line: 2, found: "\"seat\" stands for toilet here and for chair above")
        ) { try ObjectLexicon(list: "chair, seat\ntoilet, seat\n", file: "f") }
        #expect(
            throws: BenchmarksError.badLine(
                file: "f", line: 1, found: "there is an empty name between two commas")
        ) { try ObjectLexicon(list: "chair, , seat\n", file: "f") }
        #expect(throws: BenchmarksError.self) { try ObjectLexicon(list: "\n\n", file: "f") }
    }
}
