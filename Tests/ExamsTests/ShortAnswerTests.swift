import Exams
import Foundation
import Metrics
import Testing

@Suite struct ShortAnswerTests {
    @Test func textsBecomeWhatTheScriptsMakeOfThem() throws {
        let cases = try OfficialScripts.expected("short-answers.json", as: [[String]].self)
        #expect(cases.count > 400)
        for row in cases {
            let evalAI = ShortAnswer.evalAI(row[0])
            let vqa = ShortAnswer.vqa(ShortAnswer.vqaLine(row[0]))
            #expect(
                evalAI.utf8.elementsEqual(row[1].utf8), "\(row[0].debugDescription): \(evalAI), not \(row[1])"
            )
            #expect(vqa.utf8.elementsEqual(row[2].utf8), "\(row[0].debugDescription): \(vqa), not \(row[2])")
        }
    }

    @Test func onlySoManyPeriodsGo() {
        #expect(
            ShortAnswer.evalAI(String(repeating: "x.", count: 40)) == String(repeating: "x", count: 32)
                + String(repeating: "x.", count: 8))
    }

    @Test func agreementIsCountedWithoutOneself() {
        func accuracy(_ count: Int) -> Double { ShortAnswer.accuracy(saidBy: (0..<10).map { $0 < count }) }
        for (count, share) in [(0, 0), (1, 0.3), (2, 0.6), (3, 0.9), (4, 1), (10, 1)] {
            #expect(abs(accuracy(count) - share) < 1e-12)
        }
    }

    @Test func textVQA() throws {
        let sheet = try OfficialScripts.sheet(
            TextVQA(), ["textvqa/llava_textvqa_val_v051_ocr.jsonl"], answers: "textvqa/answers.jsonl")
        let expected = try OfficialScripts.expected("textvqa/expected.json", as: [String: Double].self)
        #expect(abs((try sheet.allFigures()["textvqa"] ?? 0) - (expected["accuracy"] ?? 1)) < 1e-12)
        #expect(sheet[TextVQA()].map(\.id) == ["pic0", "pic0#2", "pic1", "pic1#2", "pic2", "pic2#2", "pic3"])
        // Its own file asks the same.
        let own = try TextVQA().read(path: "\(OfficialScripts.folder)/textvqa/TextVQA_0.5.1_val.json")
            .questions
        #expect(own.map(\.references) == sheet[TextVQA()].map(\.references))
        #expect(own[2].asked.image == "pic1.jpg" && own[2].asked.prompt == "What Is Number 2?")
    }

    @Test func vqav2() throws {
        struct Expected: Decodable {
            let overall: Double
            let perAnswerType: [String: Double]
            let perQuestionType: [String: Double]
        }
        let sheet = try OfficialScripts.sheet(
            VQAv2(), ["vqav2/v2_OpenEnded_mscoco_val2014_questions.json"], answers: "vqav2/results.json")
        let expected = try OfficialScripts.expected("vqav2/expected.json", as: Expected.self)
        let figures = try sheet.allFigures()
        func isMet(_ key: String, _ value: Double?) -> Bool {
            abs(100 * (figures[key] ?? -1) - (value ?? 0)) <= 0.005 + 1e-9
        }
        #expect(isMet("vqav2", expected.overall))
        for type in ["yes/no", "number", "other"] {
            #expect(isMet("vqav2_\(type.replacing("/", with: "_"))", expected.perAnswerType[type]))
        }
        let report = try sheet.report()
        for (type, value) in expected.perQuestionType {
            #expect(report.contains("\n" + type) && report.contains(String(format: "%.2f", value)))
        }
        #expect(sheet[VQAv2()][0].image == "COCO_val2014_000000000042.jpg")
        #expect(sheet.submissions.isEmpty)
    }

    @Test func vizWiz() throws {
        let sheet = try OfficialScripts.sheet(VizWiz(), ["vizwiz/val.json"], answers: "vizwiz/answers.json")
        let expected = try OfficialScripts.expected("textvqa/expected.json", as: [String: Double].self)
        #expect(abs((try sheet.allFigures()["vizwiz_val"] ?? 0) - (expected["accuracy"] ?? 1)) < 1e-12)
        #expect(sheet.submissions.isEmpty)
    }

    @Test func whatHasNoAnswersIsSubmitted() throws {
        let line = #"{"question_id":7,"image":"VizWiz_test_0.jpg","text":"What?","category":"default"}"#
        var sheet = ScoreSheet(ExamList([VizWiz(), VQAv2()]))
        sheet[VizWiz()] = try VizWiz().read(path: "llava_test.jsonl", bytes: Array(line.utf8)).questions.map {
            VizWiz().score($0, answer: "A \"Café\", N/A", ObjectFinder())
        }
        let tests = try VQAv2().read(path: "llava_vqav2_mscoco_test-dev2015.jsonl", bytes: Array(line.utf8))
        sheet[VQAv2()] = tests.questions.map { VQAv2().score($0, answer: "Two.", ObjectFinder()) }
        let written = sheet.submissions.map { String(decoding: $0.bytes, as: UTF8.self) }
        #expect(
            written == [
                #"[{"image": "VizWiz_test_0.jpg", "answer": "caf\u00e9 n"}]"#,
                #"[{"question_id": 7, "answer": "2"}]"#,
            ])
        #expect(throws: MetricsError.empty(where: "evaluation")) { try ScoreSheet(sheet.exams).figures() }
    }

    @Test func brokenFilesAreNamed() throws {
        let answers = OfficialScripts.folder
        let cases: [(any Exam, String, String, [String], String)] = [
            (VizWiz(), "val.json", "[\n{\"image\":\"a\",\"question\":\"x\"},\n7]", [], "val.json:3: "),
            (VizWiz(), "val.json", "[{\"image\":\"a\",\"question\":\"x\",\"answers\":[{}]}]", [], "answer"),
            (
                VizWiz(), "val.json",
                "[{\"image\":\"a\",\"question\":\"x\"},\n{\"image\":\"a\",\"question\":\"x\"}]", [],
                "val.json:2: "
            ),
            (
                TextVQA(), "TextVQA_0.5.1_val.json",
                "{\"data\":[\n{\"question_id\":1,\"image_id\":\"a\",\"question\":\"x\",\"answers\":[\"b\"]}]}",
                [],
                "val.json:2: "
            ),
            (TextVQA(), "TextVQA_0.5.1_val.json", "{\"rows\":[]}", [], "\"data\" is missing"),
            (
                TextVQA(), "q.jsonl", "{\"question_id\":\"pic0\",\"image\":\"a\",\"text\":\"one line\"}",
                ["\(answers)/textvqa/TextVQA_0.5.1_val.json"], "q.jsonl:1: "
            ),
            (
                TextVQA(), "q.jsonl",
                "{\"question_id\":\"pic0\",\"image\":\"a\",\"text\":\"Else?\\nAnswer.\"}",
                ["\(answers)/textvqa/TextVQA_0.5.1_val.json"], "has no label for"
            ),
            (VQAv2(), "val2014_questions.json", "{\"questions\":[]}", [], "give that file with --labels"),
            (
                VQAv2(), "val2014_questions.json",
                "{\"questions\":[{\"question_id\":42000,\"image_id\":1,\"question\":\"x\"}]}",
                ["\(answers)/vqav2/v2_mscoco_val2014_annotations.json"], "6 of 7 annotations"
            ),
        ]
        for (exam, name, text, labels, words) in cases {
            let complaint = exam.complaint(name, text, labels: labels)
            #expect(complaint?.contains(words) == true, "\(name): \(complaint ?? "nothing")")
        }
    }
}

@Suite(
    .enabled(
        if: Golden.folder != nil, "SIGHTLINE_GOLDEN is not set: 1 suite of published predictions skipped"))
struct VizWizGoldenTests {
    /// LLaVA-1.5-13B's answers and the file that was sent to the server, 8,000 of each.
    @Test func theSubmissionIsThePublishedOne() throws {
        let folder = try #require(Golden.folder) + "/vizwiz"
        let sheet = try OfficialScripts.sheet(
            VizWiz(), [ExamFile("\(folder)/llava_test.jsonl")], answers: "\(folder)/answers.jsonl")
        let submission = try #require(sheet.submissions.first)
        let published = try Data(contentsOf: URL(filePath: "\(folder)/answers_upload.json"))
        func rows(_ data: Data) throws -> [[String: String]] {
            try JSONDecoder().decode([[String: String]].self, from: data)
        }
        let (own, theirs) = (try rows(Data(submission.bytes)), try rows(published))
        #expect(own.count == 8_000 && zip(own, theirs).count { $0 == $1 } == 8_000)
        #expect(submission.bytes == Array(published))
    }
}
