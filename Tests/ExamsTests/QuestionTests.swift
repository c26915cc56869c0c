import Exams
import Foundation
import Metrics
import Records
import Testing

private func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct QuestionTests {
    @Test func popeAsItsAuthorsWroteIt() throws {
        let line = """
            {"question_id": 1, "image": "COCO_1.jpg", "text": "Is there a snowboard in the image?", "label": "yes"}

            {"question_id": 2, "image": "COCO_1.jpg", "text": "Is there a dog in the image?", "label": "no"}
            """
        let file = try POPE().read(path: "coco/coco_pope_popular.json", bytes: bytes(line))
        #expect(file.questions.map(\.id) == ["1", "2"])
        #expect(file.questions.map(\.label) == ["yes", "no"])
        #expect(file.questions.map(\.task) == ["popular", "popular"])
        #expect(file.questions[1].place == "coco/coco_pope_popular.json:3")
    }

    @Test func theRecordsSplitBeatsTheFilesName() throws {
        let line = #"{"id":"a-1","image":"a.png","text":"?","label":"no","split":"adversarial"}"#
        let file = try POPE().read(path: "random.jsonl", bytes: bytes(line))
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
            try POPE().read(path: "q.jsonl", bytes: bytes(good + line))
        }
        #expect(error?.description.hasPrefix("q.jsonl:2: ") == true)
        #expect(key.isEmpty || error?.description.contains(key) == true)
    }

    @Test func anIDStandsOnce() throws {
        let line = #"{"id":"a","image":"a.png","task":"count","text":"?","label":"no"}"# + "\n"
        let error = #expect(throws: EvaluationError.self) {
            try MME().read(path: "mme.jsonl", bytes: bytes(line + line))
        }
        #expect(error?.description.contains("line 1") == true)
    }
}

@Suite struct AnswerFileTests {
    private let answers = [
        AnswerFile.Answer(id: "a", image: "a.png", prompt: "Is there a \"dog\"?", text: "Yes\n—"),
        AnswerFile.Answer(id: "b", image: "a.png", prompt: "?", text: ""),
    ]

    private func asked(_ id: String, _ prompt: String, image: String = "a.png") -> Asked {
        Asked(id: id, image: image, prompt: prompt)
    }

    private func texts(_ lines: String, of asked: [Asked]) throws -> (texts: [String], unnamed: Int) {
        try AnswerFile(path: "answers.jsonl", bytes: bytes(lines))
            .texts(of: asked, in: "q.jsonl", isKnown: Set(asked.map(\.id)).contains)
    }

    @Test func whatIsWrittenIsRead() throws {
        let own = answers.map { asked($0.id, $0.prompt) }
        let read = try texts(AnswerFile.lines(answers), of: own)
        #expect(read.texts == ["Yes\n—", ""] && read.unnamed == 0)
        let error = #expect(throws: EvaluationError.self) {
            try texts(AnswerFile.lines(answers), of: own + [asked("c", "?"), asked("d", "?")])
        }
        #expect(
            error?.description.hasPrefix(
                "answers.jsonl: 2 of 4 questions of q.jsonl have no answer, the first is c; ") == true)
    }

    @Test func aNumberIsAnID() throws {
        let read = try texts(
            #"{"question_id":12,"text":"No","model_id":"m"}"#, of: [asked("12", "Is there a dog?")])
        #expect(read.texts == ["No"] && read.unnamed == 1)
    }

    /// Words behind the question, a marker before it, a picture's folder, a placeholder for the question.
    @Test(arguments: [
        #""prompt":"Is there a dog?\nAnswer the question using a single word or phrase.""#,
        #""prompt":"<image>\nIs there a dog? Say yes or no.","image":"coco/a.png""#, #""prompt":"x""#,
        #""image":"a.png""#,
    ])
    func theSameQuestionIsKnown(says: String) throws {
        let line = #"{"question_id":1,\#(says),"text":"No"}"#
        #expect(try texts(line, of: [asked("1", "Is there a dog?")]).texts == ["No"])
        let long = asked("1", "Is there a dog?\nAnswer with one word.", image: "val/coco/a.png")
        if !says.contains("phrase"), !says.contains(#":"a.png""#) {
            #expect(try texts(line.replacing(" Say yes or no.", with: ""), of: [long]).texts == ["No"])
        }
    }

    @Test(arguments: [
        (#""prompt":"Is there a cat?""#, "to \"Is there a cat?\""),
        (#""prompt":"Is there a dogfish?""#, "dogfish"),
        (#""prompt":"Is there a dog?","image":"b.png""#, "about b.png"),
        (#""image":"aa.png""#, "about aa.png"),
    ])
    func anAnswerToAnotherQuestionIsRefused(says: String, found: String) throws {
        let lines = #"{"question_id":0,"text":"No"}"# + "\n" + #"{"question_id":1,\#(says),"text":"No"}"#
        let error = #expect(throws: EvaluationError.self) {
            try texts(lines, of: [asked("0", "Is there a cup?"), asked("1", "Is there a dog")])
        }
        let text = error?.description ?? ""
        #expect(text.hasPrefix("answers.jsonl:2: 1 of 2 answers are to other questions"), "\(text)")
        #expect(text.contains(found), "\(text)")
    }

    @Test func answersToNothingAreCounted() throws {
        let lines = (1...3).map { #"{"question_id":\#($0),"text":"No"}"# + "\n" }.joined()
        let error = #expect(throws: EvaluationError.self) { try texts(lines, of: [asked("1", "Is it?")]) }
        #expect(
            error?.description.hasPrefix(
                "answers.jsonl:2: 2 of 3 answers match no question, the first is 2; ")
                == true)
    }

    @Test func twoAnswersToOneQuestion() throws {
        let line = #"{"question_id":12,"text":"No"}"# + "\n"
        let error = #expect(throws: EvaluationError.self) {
            try texts(line + line, of: [asked("12", "Is it?")])
        }
        #expect(error?.description.hasPrefix("answers.jsonl:2: a second answer to question 12; ") == true)
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
            #expect(try AnswerFile.find(for: "questions/pope_random.json", in: places).paths == [place.path])
        }
        // Alone it answers all, whatever its name.
        #expect(try AnswerFile.find(for: "questions/q.json", in: [place.path]).paths == [place.path])
        for (questions, places) in [
            ("questions/pope_popular.json", [folder.path]),
            ("q/pope_random.json", [folder.path, place.path]),
            ("questions/q.json", [place.path, "other.jsonl"]),
        ] {
            #expect(throws: EvaluationError.self) { try AnswerFile.find(for: questions, in: places) }
        }
    }
}

/// LLaVA's layout of POPE: the questions of all splits in one file, their labels in POPE's own.
@Suite struct LabelBookTests {
    private static let suffix = #"\nAnswer the question using a single word or phrase."#

    private static func question(_ id: Int, _ object: String, _ split: String) -> String {
        #"{"question_id":\#(id),"image":"a.jpg","text":"Is there a \#(object)?\#(suffix)","category":"\#(split)"}"#
            + "\n"
    }

    private static func label(_ object: String, _ label: String, id: Int = 1) -> String {
        #"{"question_id":\#(id),"image":"a.jpg","text":"Is there a \#(object)?","label":"\#(label)"}"# + "\n"
    }

    private func read(
        _ questions: String, _ files: [String: String], given: Bool = false
    ) throws -> [LabelledQuestion] {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("coco"), withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let path = folder.appendingPathComponent("llava_pope_test.jsonl").path
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return try POPE().read(
            path: path, bytes: bytes(questions),
            labels: given ? files.keys.map { folder.appendingPathComponent($0).path } : []
        ).questions
    }

    private static let questions =
        question(1, "cup", "adversarial") + question(2, "dog", "adversarial")
        + question(10_000_001, "cup", "random")

    @Test(arguments: [
        (["coco_pope_adversarial.json", "coco_pope_random.json"], false),
        (["coco/coco_pope_adversarial.json", "coco/coco_pope_random.json"], false),
        (["my_adversarial.json", "my_random.json"], true),
    ])
    func labelsAreMetByPictureAndText(names: [String], given: Bool) throws {
        // In another order than the questions.
        let adversarial = Self.label("dog", "no") + Self.label("cup", "yes", id: 2)
        let read = try read(
            Self.questions, [names[0]: adversarial, names[1]: Self.label("cup", "yes")], given: given)
        #expect(read.map(\.label) == ["yes", "no", "yes"])
        #expect(read.map(\.task) == ["adversarial", "adversarial", "random"])
    }

    @Test(arguments: [
        (
            ["coco_pope_random.json": label("cup", "yes")],
            "adversarial questions have no labels, and 0 label files"
        ),
        (
            ["coco_pope_random.json": label("cup", "yes"), "coco_pope_adversarial.json": label("cup", "no")],
            "llava_pope_test.jsonl:2: "
        ),
        (
            [
                "coco_pope_random.json": label("cup", "yes") + label("car", "no"),
                "coco_pope_adversarial.json": label("cup", "no") + label("dog", "no"),
            ], "1 of 2 labels are for questions that"
        ),
    ])
    func labelsOfAnotherReleaseAreRefused(files: [String: String], says: String) throws {
        let error = #expect(throws: EvaluationError.self) { try read(Self.questions, files) }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
        #expect(error?.description.contains("--labels") == true)
    }
}

/// MME as its authors have it, and as LLaVA does.
@Suite struct MMEFileTests {
    private static let ask = " Please answer yes or no."
    private static let table = "1.jpg\tIs there a car?\(ask)\tYes\r\n1.jpg\tIs there a dog?\(ask)\tNo\n"
    private static let llava = ["car", "dog"].map {
        #"{"question_id":"count/1.jpg","image":"count/1.jpg","category":"count","#
            + #""text":"Is there a \#($0)?\#(ask)\nAnswer the question using a single word or phrase."}"#
    }.joined(separator: "\n")

    /// A folder with these files for the length of `body`.
    private func withFiles(_ files: [String: String], _ body: (_ folder: String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/mme-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for (name, text) in files {
            let place = URL(fileURLWithPath: "\(folder)/\(name)")
            try FileManager.default.createDirectory(
                at: place.deletingLastPathComponent(), withIntermediateDirectories: true)
            try Data(text.utf8).write(to: place)
        }
        try body(folder)
    }

    @Test(arguments: [
        ("1.jpg", "1.jpg"), ("count/1.jpg", "count/1.jpg"), ("count/images/1.jpg", "count/images/1.jpg"),
    ])
    func tablesAreRead(picture: String, image: String) throws {
        try withFiles([picture: "x"]) { folder in
            let file = try MME().read(path: "your/count.txt", bytes: bytes(Self.table), root: folder)
            #expect(file.questions.map(\.id) == ["count/1.jpg", "count/1.jpg#2"])
            #expect(file.questions.map(\.image) == [image, image])
            #expect(file.questions.map(\.label) == ["yes", "no"])
            #expect(file.questions.allSatisfy { $0.task == "count" })
            #expect(file.questions[0].text == "Is there a car?\(Self.ask)")
        }
    }

    /// Labels of LLaVA's questions lie in a table per task or beside each picture.
    @Test(arguments: [
        ["count.txt": table], ["eval_tool/Your_Results/count.txt": table],
        ["count/1.txt": "Is there a car?\(ask)\tYes\nIs there a dog?\(ask)\tNo"],
        [
            "MME_Benchmark_release_version/count/questions_answers_YN/1.txt":
                "Is there a car?\tYes\nIs there a dog?\tNo\n"
        ],
    ])
    func llavasQuestionsFindTheirLabels(files: [String: String]) throws {
        try withFiles(files) { folder in
            let file = try MME().read(path: "\(folder)/llava_mme.jsonl", bytes: bytes(Self.llava))
            #expect(file.questions.map(\.label) == ["yes", "no"])
            #expect(file.questions.map(\.sharedID) == [nil, "count/1.jpg"])
        }
        try withFiles(["given/count.txt": Self.table]) { folder in
            let file = try MME().read(
                path: "\(folder)/llava_mme.jsonl", bytes: bytes(Self.llava),
                labels: ["\(folder)/given/count.txt"])
            #expect(file.labelFiles == ["\(folder)/given/count.txt"])
        }
    }

    @Test(arguments: [
        ("count.txt", "1.jpg\tIs it?\n", "count.txt:1: 2 fields; write a picture, its question, Yes or No"),
        ("count.txt", "1.jpg\tIs it?\tperhaps\n", "label"),
        ("birds.txt", table, #"key "task" is "birds"; use one of MME's: existence, count"#),
        ("count.txt", table + table, "line 2 has too"),
        ("q.jsonl", llava, "give MME's count.txt (picture, question, Yes or No) with --labels"),
        (
            "q.jsonl", #"{"id":"1","task":"bird","image":"a","text":"?","label":"yes"}"#,
            #"key "task" is "bird""#
        ),
    ])
    func whatCannotBeReadIsNamed(name: String, text: String, says: String) {
        let error = #expect(throws: EvaluationError.self) {
            try MME().read(path: name, bytes: bytes(text))
        }
        #expect(error?.description.contains(says) == true, "\(String(describing: error))")
    }

    /// LLaVA's answers share their ids as its questions do; their prompts tell them apart.
    @Test func answersThatShareAnIDMeetTheirQuestions() throws {
        let questions = try MME().read(path: "count.txt", bytes: bytes(Self.table)).questions
        func line(_ object: String, _ text: String) -> String {
            #"{"question_id":"count/1.jpg","prompt":"Is there a \#(object)?\#(Self.ask)\nBriefly.","text":"\#(text)"}"#
        }
        func texts(_ lines: [String]) throws -> [String] {
            try AnswerFile(path: "a.jsonl", bytes: bytes(lines.joined(separator: "\n")))
                .texts(
                    of: questions.map(\.asked), in: "count.txt",
                    isKnown: ["count/1.jpg", "count/1.jpg#2"].contains
                )
                .texts
        }
        #expect(try texts([line("dog", "No"), line("car", "Yes")]) == ["Yes", "No"])
        for wrong in [
            [line("car", "Yes")], [line("car", "a"), line("cat", "b")], [line("car", "a"), line("car", "b")],
        ] {
            #expect(throws: EvaluationError.self) { try texts(wrong) }
        }
        let own = AnswerFile.lines(
            zip(questions, ["A", "B"]).map { .init(id: $0.id, image: $0.image, prompt: $0.text, text: $1) })
        #expect(try texts([own]) == ["A", "B"])
    }
}

@Suite struct FileLinesTests {
    /// Lines that lie across the blocks in which a file is read, blank ones, and a last one without its end.
    @Test func aFileIsItsLines() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: file) }
        let words = (0..<3_000).map { String(repeating: "x", count: $0 * 7 % 500) }
        func read(_ lines: FileLines) throws -> [Int: Int] {
            let rows = try lines.objects { object, line in
                (line, try object.requiredString("w").utf8.count)
            }
            return Dictionary(uniqueKeysWithValues: rows)
        }
        let json = words.map { $0.isEmpty ? "" : #"{"w":"\#($0)"}"# }.joined(separator: "\n")
        try Data(json.utf8).write(to: file)
        let full = words.enumerated().filter { !$0.element.isEmpty }
        let expected = Dictionary(uniqueKeysWithValues: full.map { ($0.offset + 1, $0.element.count) })
        #expect(try read(FileLines(file.path)) == expected)
        #expect(try read(FileLines("x", bytes: bytes(json))) == expected)
        let error = #expect(throws: EvaluationError.self) { try read(FileLines("/nowhere")) }
        #expect(error?.description.hasPrefix("/nowhere: it can't be read (") == true)
    }
}
