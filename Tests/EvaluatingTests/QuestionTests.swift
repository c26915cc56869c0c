import Benchmarks
import Evaluating
import Foundation
import Records
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct QuestionTests {
    @Test func popeAsItsAuthorsWroteIt() throws {
        let line = """
            {"question_id": 1, "image": "COCO_1.jpg", "text": "Is there a snowboard in the image?", "label": "yes"}

            {"question_id": 2, "image": "COCO_1.jpg", "text": "Is there a dog in the image?", "label": "no"}
            """
        let file = try QuestionFile(.pope, path: "coco/coco_pope_popular.json", bytes: bytes(line))
        #expect(file.questions.map(\.id) == ["1", "2"])
        #expect(file.questions.map(\.label) == [.yes, .no])
        #expect(file.questions.map(\.task) == ["popular", "popular"])
        #expect(file.questions[1].place == "coco/coco_pope_popular.json:3")
    }

    @Test func theRecordsSplitBeatsTheFilesName() throws {
        let line = #"{"id":"a-1","image":"a.png","text":"?","label":"no","split":"adversarial"}"#
        let file = try QuestionFile(.pope, path: "random.jsonl", bytes: bytes(line))
        #expect(file.questions.map(\.task) == ["adversarial"])
    }

    @Test(arguments: [
        (#"{"id":"a","image":"a.png","text":"?","label":"maybe","split":"random"}"#, "label"),
        (#"{"id":"a","image":"a.png","text":"?","label":"no","split":"often"}"#, "split"),
        (#"{"id":"a","image":"a.png","text":"?","label":"no"}"#, "split"),
        (#"{"image":"a.png","text":"?","label":"no","split":"random"}"#, "id"),
        (#"{"id":"a","image":7,"text":"?","label":"no","split":"random"}"#, "image"),
        (#"{"id":"a","#, ""),
    ])
    func aBadLineNamesItsPlace(line: String, key: String) throws {
        let good = #"{"id":"b","image":"a.png","text":"?","label":"no","split":"random"}"# + "\n"
        let error = #expect(throws: EvaluationError.self) {
            try QuestionFile(.pope, path: "q.jsonl", bytes: bytes(good + line))
        }
        #expect(error?.description.hasPrefix("q.jsonl:2: ") == true)
        #expect(key.isEmpty || error?.description.contains(key) == true)
    }

    @Test func anIDStandsOnce() throws {
        let line = #"{"id":"a","image":"a.png","task":"count","text":"?","label":"no"}"# + "\n"
        let error = #expect(throws: EvaluationError.self) {
            try QuestionFile(.mme, path: "mme.jsonl", bytes: bytes(line + line))
        }
        #expect(error?.description.contains("line 1") == true)
    }
}

@Suite struct AnswerFileTests {
    private let answers = [
        AnswerFile.Answer(id: "a", image: "a.png", prompt: "Is there a \"dog\"?", text: "Yes\n—"),
        AnswerFile.Answer(id: "b", image: "a.png", prompt: "?", text: ""),
    ]

    @Test func whatIsWrittenIsRead() throws {
        let file = try AnswerFile(path: "answers.jsonl", bytes: bytes(AnswerFile.lines(answers)))
        #expect(try file.text(of: "a") == "Yes\n—")
        #expect(try file.text(of: "b") == "")
        let error = #expect(throws: EvaluationError.self) { try file.text(of: "c") }
        #expect(error?.description.hasPrefix("answers.jsonl: no answer to c") == true)
    }

    @Test func aNumberIsAnID() throws {
        let file = try AnswerFile(path: "x", bytes: bytes(#"{"question_id":12,"text":"No","model_id":"m"}"#))
        #expect(try file.text(of: "12") == "No")
    }

    @Test func twoAnswersToOneQuestion() throws {
        let line = #"{"question_id":12,"text":"No"}"# + "\n"
        #expect(throws: EvaluationError.self) { try AnswerFile(path: "x", bytes: bytes(line + line)) }
    }

    @Test func filesMeetByName() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let name = AnswerFile.fileName("questions/pope_random.json")
        #expect(name == "pope_random.jsonl")
        let place = folder.appendingPathComponent(name)
        try Data(AnswerFile.lines(answers).utf8).write(to: place)
        for places in [[folder.path], [place.path], ["other.jsonl", place.path]] {
            #expect(try AnswerFile.find(for: "questions/pope_random.json", in: places).text(of: "b") == "")
        }
        #expect(throws: EvaluationError.self) {
            try AnswerFile.find(for: "questions/pope_popular.json", in: [folder.path])
        }
        #expect(throws: EvaluationError.self) {
            try AnswerFile.find(for: "q/pope_random.json", in: [folder.path, place.path])
        }
    }
}
