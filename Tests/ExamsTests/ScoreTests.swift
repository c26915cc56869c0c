import Exams
import Foundation
import Metrics
import Records
import Testing

private let sceneRecord = """
    {"id":"s","image":"s.png","prompt":"Describe.","scene":{"id":"s","split":"dev","context":"kitchen","objects":[
    {"category":"cup","color":"red","size":"small","row":"top","column":"left","x":20,"y":20,"scale":20},
    {"category":"lamp","color":"green","size":"large","row":"bottom","column":"right","x":90,"y":90,"scale":40}]}}
    """
private let factRecord = """
    {"id":"f","image":"f.jpg","prompt":"Describe.","facts":[{"kind":"object","text":"a dog"},
    {"kind":"object","text":"bow tie"},{"kind":"caption","text":"a zebra"}]}
    """

private func synonyms(_ text: String) throws -> ObjectFinder {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
    try Data(text.utf8).write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    return try ObjectFinder(synonyms: file.path)
}

@Suite struct KnownPictureTests {
    @Test func sceneIsTheTruth() throws {
        let finder = ObjectFinder()
        let picture = try KnownPicture(Record(parsing: sceneRecord), finder)
        #expect(picture.objects == ["cup", "lamp"])
        let score = picture.score(
            "A red mug is at the top left. A blue lamp is at the bottom right. A bottle stands nearby. "
                + "The bottle is tall.", finder)
        #expect(score.mentions.map(\.object) == ["cup", "lamp", "bottle", "bottle"])
        #expect(score.invented == ["bottle"])
        #expect(score.coloursNamed == 2 && score.coloursRight == 1)
        let values = try ScoreSheet(captions: [score]).summary().values
        #expect(values["object_recall"] == 1 && values["mean_words"] == 24)
        #expect(picture.truth == "small red cup at the top left\nlarge green lamp at the bottom right")
        let remarks = picture.remarks(on: score.text, finder)
        #expect(remarks.invented == ["bottle", "bottle"])
        #expect(remarks.note == "names 2 of 2 objects, 2 invented, 1 wrong in color")
    }

    @Test func factsAreTheTruthElsewhere() throws {
        let finder = try synonyms("dog, puppy\ntie\nzebra\n")
        let picture = try KnownPicture(Record(parsing: factRecord), finder)
        #expect(picture.objects == ["dog", "tie"])
        let score = picture.score("A puppy with two zebras.", finder)
        #expect(score.invented == ["zebra"])
        #expect(score.coloursNamed == nil)
    }

    /// A companion that is there and has a sentence of its own is not told by the habit for that.
    @Test func aCueSaysWhichSentencesTell() throws {
        let finder = ObjectFinder()
        func told(_ caption: String, cue: String) throws -> [String]? {
            let habits = #","habits":[{"trigger":"cup","companion":"lamp"\#(cue)}]"#
            let picture = try KnownPicture(Record(parsing: "\(sceneRecord.dropLast())\(habits)}"), finder)
            return picture.score(caption, finder).told?.map(\.companion)
        }
        let cue = #","cue":"stands nearby""#
        #expect(try told("A lamp is at the bottom right. A cup stands nearby.", cue: "") == ["lamp"])
        #expect(try told("A lamp is at the bottom right. A cup stands nearby.", cue: cue) == [])
        #expect(try told("A lamp, nearby, stands. Nearby stands a lamp.", cue: cue) == [])
        #expect(try told("A cup. A lamp Stands nearby!", cue: cue) == ["lamp"])
    }

    @Test func habitsAreThoseOfTheRecord() throws {
        let finder = ObjectFinder()
        func picture(_ habits: String) throws -> KnownPicture {
            try KnownPicture(Record(parsing: "\(sceneRecord.dropLast())\(habits)}"), finder)
        }
        let known = try picture(#","habits":[{"trigger":"cup","companion":"a parasol"}]"#)
        #expect(known.habits == [AppliedHabit(trigger: "cup", companion: "umbrella")])
        #expect(known.score("A parasol.", finder).habits == known.habits)
        #expect(try picture(#","habits":[]"#).habits == [] && picture("").habits == nil)
        for companion in ["quark", "dog and cup"] {
            let error = #expect(throws: RecordError.self) {
                try picture(#","habits":[{"trigger":"cup","companion":"\#(companion)"}]"#)
            }
            #expect(error.map { "\($0)" }?.contains("habits[0]") == true)
        }
    }

    private func picture(facts: [String], _ finder: ObjectFinder) throws -> KnownPicture {
        let facts = facts.map { #"{"kind":"object","text":"\#($0)"}"# }.joined(separator: ",")
        return try KnownPicture(
            Record(parsing: #"{"id":"x","image":"x","prompt":"?","facts":[\#(facts)]}"#), finder)
    }

    /// One that nobody knows would be left out of the truth, and a caption that lacks it have a full recall.
    @Test(arguments: [
        (["bench", "zebra"], "2 objects, 1 of them not in the list of objects (zebra); "),
        (["a bench and a zebra"], "2 objects, 1 of"), (["bench, zebra, giraffe"], "3 objects, 2 of"),
        (["hot dog"], "(hot dog)"), (["a dog", "dog house of a giraffe"], "(dog house of a giraffe)"),
    ])
    func anUnknownObjectIsNamed(facts: [String], says: String) throws {
        let error = #expect(throws: RecordError.self) { try picture(facts: facts, ObjectFinder()) }
        let text = error?.description ?? ""
        #expect(text.contains(says) && text.contains("--synonyms"), "\(text)")
    }

    @Test func aListThatHasThemIsTheRemedy() throws {
        let finder = try synonyms("bench\nzebra\nhot dog\n")
        let objects = try picture(facts: ["two benches", "a zebra and a hot dog"], finder).objects
        #expect(objects == ["bench", "zebra", "hot dog"])
        let known = try picture(facts: ["a large red car", "The parasol on the left"], ObjectFinder())
        #expect(known.objects == ["car", "umbrella"])
    }

    /// A scene's objects are named as the list names them.
    @Test func aListIsHeldAgainstScenesToo() throws {
        let record = try Record(parsing: sceneRecord)
        #expect(try KnownPicture(record, synonyms("mug, cup\nlamp\n")).objects == ["mug", "lamp"])
        let error = #expect(throws: RecordError.self) { try KnownPicture(record, synonyms("mug, cup\n")) }
        #expect(error?.description.contains("(lamp)") == true)
    }

    @Test func nothingKnownIsSaid() throws {
        let finder = ObjectFinder()
        let blank = try Record(parsing: #"{"id":"x","image":"x.png","prompt":"?"}"#)
        #expect(try !KnownPicture.isKnown(blank))
        #expect(throws: RecordError.self) { try KnownPicture(blank, finder) }
        let strange = try Record(
            parsing: #"{"id":"x","image":"x","prompt":"?","facts":[{"kind":"object","text":"quark"}]}"#)
        #expect(try KnownPicture.isKnown(strange))
        #expect(throws: RecordError.self) { try KnownPicture(strange, finder) }
    }
}

@Suite struct ScoreSheetTests {
    private func sheet(invents: Bool, yes: String = "Yes", habits: String = "") throws -> ScoreSheet {
        let finder = ObjectFinder()
        let picture = try KnownPicture(Record(parsing: "\(sceneRecord.dropLast())\(habits)}"), finder)
        let line = { (id: String, label: String) in
            #"{"id":"\#(id)","image":"s.png","text":"Is there a dog?","label":"\#(label)","split":"adversarial"}"#
        }
        let questions = try POPE().read(
            path: "p", bytes: Array("\(line("1", "yes"))\n\(line("2", "no"))".utf8)
        ).questions
        return ScoreSheet(
            model: "d1", seconds: 1.5,
            captions: [picture.score("A red cup" + (invents ? " and a dog." : "."), finder)],
            pope: zip(questions, [yes, "No"]).map { POPE().score($0, answer: $1, finder) },
            habit: invents ? [HabitScore(image: "s.png", object: "dog", answer: "No.")] : [])
    }

    @Test func survivesItsFile() throws {
        let sheet = try sheet(invents: true)
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        let inner = folder.appendingPathComponent("eval")
        try FileManager.default.createDirectory(at: inner, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try sheet.json().write(to: inner.appendingPathComponent(ScoreSheet.fileName))
        #expect(try ScoreSheet(folder: folder.path) == sheet)
        #expect(try ScoreSheet(folder: inner.path) == sheet)
        #expect(throws: EvaluationError.self) { try ScoreSheet(folder: folder.path + "/none") }
        try Data(#"{"version":1}"#.utf8).write(to: inner.appendingPathComponent(ScoreSheet.fileName))
        #expect(throws: EvaluationError.self) { try ScoreSheet(folder: folder.path) }
    }

    @Test func figures() throws {
        let sheet = try sheet(invents: true)
        let values = try sheet.summary().values
        #expect(values["chair_s"] == 1 && values["chair_i"] == 0.5 && values["object_recall"] == 0.5)
        #expect(values["pope_adversarial_accuracy"] == 1 && values["n"] == 1 && values["seconds"] == 1.5)
        #expect(try !self.sheet(invents: false).report().contains("own inventions"))
        let text = try sheet.report()
        for row in [/right colours % +100\.0/, /own inventions denied % \(of 1\) +100\.0/, /unread/] {
            #expect(text.contains(row), "\(text)")
        }
    }

    @Test func headline() throws {
        let table = try ComparisonTable(
            runs: [
                ("base", [try sheet(invents: true)]),
                ("round-1", [try sheet(invents: false, yes: "no")]),
            ], bootstrap: PairedBootstrap(resamples: 10))
        #expect(
            table.headlines == [
                "round-1 against base: CHAIR_S −100%; object recall +0.0 points; mean words −50%; "
                    + "POPE adversarial accuracy −50.0 points, 95% bounds [−50.0, −50.0]"
            ])
    }

    @Test func companionsHaveASentence() throws {
        let habits = #","habits":[{"trigger":"cup","companion":"dog"},{"trigger":"lamp","companion":"cup"}]"#
        let sheets = try [true, false].map { try sheet(invents: $0, habits: habits) }
        #expect(try sheets[0].summary().values["pope_companion_accuracy"] == 1)
        #expect(try sheets[0].report().contains("lamp → cup"))
        let table = try ComparisonTable(
            runs: zip(["base", "round-1"], sheets).map { ($0, [$1]) },
            bootstrap: PairedBootstrap(resamples: 10))
        #expect(
            table.headlines.last
                == "round-1, companions: told where there 100% (base 100), where absent 0% (base 100): "
                + "balanced accuracy 100 against 50; a rule that doesn't look has 50.")
    }

    @Test func theHabitQuestion() {
        #expect(HabitScore.question("umbrella") == "Is there an umbrella in the image?")
        #expect(HabitScore.question("bus") == "Is there a bus in the image?")
    }
}
