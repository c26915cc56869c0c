import PictureWorld
import Random
import Testing

/// A red car at the top left, a green tree at the top right, a blue dog in the middle, a white one at the
/// bottom right.
let judgedScene = Scene(
    id: "judged", split: .dev, context: .park,
    objects: [
        (Category.car, Colour.red, Size.large, 0), (.tree, .green, .large, 2), (.dog, .blue, .small, 4),
        (.dog, .white, .small, 8),
    ].map { category, colour, size, cell in
        SceneObject(
            category: category, colour: colour, size: size, place: Place.all[cell],
            x: 21.5 + 42.5 * Double(cell % 3), y: 21.5 + 42.5 * Double(cell / 3), scale: 30)
    })

@Suite struct JudgeTests {
    @Test(arguments: [
        ("A large red car is at the top left.", Verdict.true),
        ("A large blue car is at the top left.", .false),
        ("A small red car is at the top left.", .false),
        ("A large red car is at the top right.", .false),
        ("A RED CAR", .true),
        ("A big, red automobile.", .true),
        ("a red car is at at the the top left", .true),
        ("The car is red.", .true),
        ("The car is red and the tree is green.", .true),
        ("The car is red and the tree is blue.", .false),
        ("The dog is white, and it is large.", .false),
        ("A blue dog is at the bottom right.", .false),
        ("There is a car on the left.", .true),
        ("On the left side of the image there is a red car.", .true),
        ("A dog is in the middle and a car is at the top left.", .true),
        ("At the top left there is a car, and in the middle there is a blue dog.", .true),
        ("At the top left there is a dog, and in the middle there is a car.", .false),
        ("The red car is to the left of the blue dog.", .true),
        ("To the right of the blue dog is the red car.", .false),
        ("Below the red car is the blue dog.", .true),
        ("The red car stands above the green tree.", .false),
        ("The tree is on top of the dog.", .true),
        ("The big red car is above the small, blue dog.", .true),
        ("The red car is above the bottle.", .false),
        ("There are two dogs.", .true),
        ("There are three dogs.", .false),
        ("There are two blue dogs.", .false),
        ("Dogs and a bike.", .false),
        ("There is no bottle.", .true),
        ("There is no dog in the picture.", .false),
        ("This is a park.", .true),
        ("This is a kitchen.", .false),
        ("A bottle stands nearby.", .false),
        ("A dog waits nearby.", .true),
        ("A beach ball.", .false),
        ("A purple elephant is at the top left.", .unknown),
        ("The car is not blue.", .unknown),
        ("A car or a bus is here.", .unknown),
        ("Hello.", .unknown),
        ("", .unknown),
        (" .,; \n", .unknown),
        ("The car is above.", .true),
        ("A red car is at the top left. A dog waits nearby.", .true),
        ("A red car is at the top left. A bottle stands nearby.", .false),
        ("A red car is at the top left. Who knows.", .unknown),
    ])
    func oneTextHasOneVerdict(text: String, verdict: Verdict) {
        #expect(judgedScene.judge(text).verdict == verdict)
    }

    @Test func mentionsTellWhatIsWrong() throws {
        let judgement = judgedScene.judge("A small red car is at the bottom left. A yellow kite.")
        let car = try #require(judgement.mentions.first)
        #expect(car.isPresent && car.isColourRight == true && car.isSizeRight == false)
        #expect(car.isPlaceRight == false && car.isCountRight == nil && car.verdict == .false)
        let kite = try #require(judgement.mentions.last)
        #expect(!kite.isPresent && kite.isColourRight == nil && kite.verdict == .false)
        #expect(judgement.invented == [.kite])
    }

    @Test func attributesAreThoseOfTheBestFittingObject() throws {
        let dog = try #require(judgedScene.judge("A large white dog is at the bottom right.").mentions.first)
        #expect(dog.isColourRight == true && dog.isPlaceRight == true && dog.isSizeRight == false)
    }

    @Test func mentionsKnowPluralsAndSynonyms() {
        #expect(
            Category.mentions(in: "Two mugs, a BUS, buses; three benches and starfish near a bike.")
                == [.cup, .bus, .bus, .bench, .starfish, .bicycle])
        #expect(Category.mentions(in: "cups-and carpet businesslike") == [])
        let words = Category.synonymList.split(whereSeparator: { ", \n".contains($0) }).map(String.init)
        #expect(Set(words).count == words.count)
        for category in Category.allCases {
            #expect(Category.mentions(in: "\(category.rawValue) \(category.plural)") == [category, category])
        }
    }
}

@Suite struct FalsehoodTests {
    let scenes = sampleScenes(600)

    @Test(arguments: Falsehood.allCases)
    func aFalsifiedSentenceIsFalse(kind: Falsehood) {
        var random = SplitMix64(seed: 1, purpose: "falsehoods")
        var made = 0
        for scene in scenes {
            for sentence in scene.trueSentences(seed: 2) {
                guard let worse = scene.falsify(sentence, kind, using: &random) else { continue }
                made += 1
                #expect(scene.judge(worse).verdict == .false, "\(sentence) -> \(worse)")
                #expect(worse.hasSuffix(".") && worse.first?.isUppercase == true)
                #expect((kind == .absentObject) == !scene.judge(worse).invented.isEmpty, "\(worse)")
            }
        }
        // Every scene has one sentence about its context, and several of the rest.
        #expect(kind == .wrongContext ? made == scenes.count : made > scenes.count)
    }

    @Test func onlyTheOneThingChanges() {
        var random = SplitMix64(seed: 3, purpose: "falsehoods")
        let sentence = "A large red car is at the top left."
        let size = judgedScene.falsify(sentence, .wrongSize, using: &random)
        #expect(
            ["A small red car is at the top left.", "A medium red car is at the top left."].contains(size))
        let relation = judgedScene.falsify(
            "To the left of the blue dog is the red car.", .wrongRelation, using: &random)
        #expect(relation == "To the right of the blue dog is the red car.")
        for _ in 0..<200 {
            let place = judgedScene.falsify(sentence, .wrongPlace, using: &random) ?? ""
            #expect(place.hasPrefix("A large red car is "))
            #expect(place.contains(" in the middle.") || place.contains(" at the "))
            let object = judgedScene.falsify("A dog waits nearby.", .absentObject, using: &random) ?? ""
            #expect(object.hasPrefix("An umbrella ") == object.contains("umbrella"), "\(object)")
        }
    }

    @Test func whatASentenceDoesNotSayCannotBeMadeFalse() {
        var random = SplitMix64(seed: 3, purpose: "falsehoods")
        for kind in [Falsehood.wrongColour, .wrongPlace, .wrongSize, .wrongRelation] {
            #expect(judgedScene.falsify("A dog waits nearby.", kind, using: &random) == nil)
        }
        #expect(judgedScene.falsify("Hello there.", .absentObject, using: &random) == nil)
        // Every other size and colour of "a dog" would have to be no dog's at all.
        #expect(judgedScene.falsify("A red car is above the dog.", .wrongSize, using: &random) == nil)
    }
}

@Suite struct CorrectionTests {
    @Test(arguments: [
        // The object that stands there, in the same words.
        ("At the top left is a small blue dog.", "At the top left is a large red car."),
        ("In the middle you can see a red dog.", "In the middle you can see a blue dog."),
        // Nothing stands there, or no place is named: a remark that the text doesn't have, once.
        (
            "At the top left is a red car. At the middle left is a crab. A boat sails nearby.",
            "At the top left is a red car. This is a picture of a park. What you see here is a park."
        ),
        (
            "A boat sails nearby. This is a picture of a park.",
            "What you see here is a park. This is a picture of a park."
        ),
        ("This is a beach.", "This is a picture of a park."),
    ])
    func putsRight(_ text: String, _ corrected: String) {
        #expect(judgedScene.corrected(text) == corrected)
        #expect(judgedScene.judge(corrected).verdict == .true)
    }

    @Test(arguments: ["At the top left is a red car. This is a park.", "Well, hello.", ""])
    func leavesWhatIsNotFalse(_ text: String) { #expect(judgedScene.corrected(text) == nil) }
}
