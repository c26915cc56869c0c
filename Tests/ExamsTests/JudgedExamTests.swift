import Exams
import Foundation
import JSON
import Testing

/// Judged benchmarks on questions of our own in the official shapes, with a judge whose replies were written down. The
/// figures are derived by hand from the rules of the scripts: LLaVA 181a2f8 `llava/eval/eval_gpt_review_bench.py`,
/// LLaVA-RLHF 830a083 `Eval/eval_gpt_mmhal.py`, MM-Vet 7d717c2 `mm-vet_evaluator.py`.
@Suite struct JudgedExamTests {
    static func folder(_ files: [String: String]) throws -> String {
        let folder = FileManager.default.temporaryDirectory.path + "/judged-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        for (name, text) in files {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        return folder
    }

    /// A sheet of answers in a file of one of the exam's layouts, written and read again.
    static func sheet<E: JudgedExam>(_ exam: E, _ folder: String, _ questions: String, answers: String) throws
        -> ScoreSheet
    {
        var paper = ExamPaper()
        try paper.add(exam, ExamFile("\(folder)/\(questions)"))
        let texts = try paper.texts(in: ["\(folder)/\(answers)"]).texts
        return try read(paper.score(texts, writingTo: folder), folder)
    }

    static func read(_ sheet: ScoreSheet, _ folder: String) throws -> ScoreSheet {
        try sheet.write(to: "\(folder)/\(ScoreSheet.fileName)")
        return try ScoreSheet(folder: folder)
    }

    static func text<E: JudgedExam>(_ exam: E, _ sheet: ScoreSheet) throws -> String {
        try exam.tables(sheet[exam]).map(\.plainText).joined()
    }

    /// The `custom_id` of each request.
    static func ids(_ requests: [String]) throws -> [String] {
        try requests.map { try JSONObject(parsing: Array($0.utf8)[...]).requiredString("custom_id") }
    }

    static func reply(_ id: String, _ text: String) -> String {
        #"{"id":"b","custom_id":\#(JSON.string(id).text),"response":{"status_code":200,"body":{"model":"stub-1","#
            + #""choices":[{"message":{"role":"assistant","content":\#(JSON.string(text).text)}}]}},"error":null}"#
    }

    static func take(_ lines: [String], _ sheet: inout ScoreSheet) throws -> JudgeReading {
        try sheet.take(
            repliesIn: FileLines("replies.jsonl", bytes: Array(lines.joined(separator: "\n").utf8)))
    }

    // MARK: - MMHal-Bench

    static let hallQuestions: String = {
        let types = MMHal().parts
        let items = types.indices.map { index in
            """
              {"question_type": "\(types[index])", "question_topic": "indoor", "image_id": "m\(index)",
               "image_src": "https://example.org/a/m\(index).jpg", "image_content": ["Cup", "Tray"],
               "question": "What stands on tray \(index)?", "gt_answer": "A cup.", "model_answer": "Cup \(index)."}
            """
        }
        return "[\n\(items.joined(separator: ",\n"))\n]\n"
    }()

    private func hall() throws -> ScoreSheet {
        let folder = try Self.folder(["response_template.json": Self.hallQuestions])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try Self.sheet(
            MMHal(), folder, "response_template.json", answers: "response_template.json")
    }

    /// Two ratings, none, a time-out and 429, as show 6 has them.
    @Test func whatAJudgeSaysIsCountedAsTheScriptCounts() throws {
        var sheet = try hall()
        #expect(try sheet.report().contains("8 answers, not judged yet"))
        let prompt = JudgePrompt(ownOf: MMHal())
        let requests = try MMHal().requests(sheet[MMHal()], judge: "stub", prompt, runs: 1, missing: false)
        let ids = try Self.ids(requests)
        #expect(ids.count == 8 && ids[2].hasPrefix("mmhal/1/1/\(prompt.digest)-") && ids[2].hasSuffix("/m2"))
        #expect(requests[0].contains(#""temperature":0"#) && !requests[0].contains("max_tokens"))
        #expect(requests[0].contains(#"In the picture: Cup, Tray\nQuestion: What stands on tray 0?"#))

        let first = [
            Self.reply(ids[0], "All is there.\nRating: 6"),
            Self.reply(ids[1], "Rating: 5 or rating: 2"),
            Self.reply(ids[2], "I can't say."),
            #"{"custom_id":"\#(ids[3])","response":null,"error":{"code":"batch_expired","message":"timed out"}}"#,
            #"{"custom_id":"\#(ids[4])","response":{"status_code":429,"body":{"error":{}}},"error":null}"#,
            Self.reply(ids[5], "RATING: 3, says rating: 3 twice"), Self.reply(ids[6], "Rating: 10"),
            Self.reply(ids[7], "**Rating: 4**"),
        ]
        let read = try Self.take(first, &sheet)
        #expect(read.new == 6 && read.failures.count == 2 && read.exams == ["mmhal"])
        #expect(
            read.failures[0].hasPrefix("replies.jsonl:4: \(ids[3]): ")
                && read.failures[0].contains("timed out"))
        #expect(read.failures[1] == "replies.jsonl:5: \(ids[4]): status 429")
        // The script asks until it has a reply, so there are no figures yet; what was said is not lost.
        #expect(try sheet.summary().values.keys.sorted() == ["mmhal_words", "n", "seconds"])
        #expect(MMHal().missing(sheet[MMHal()]).map(\.id) == ["m3", "m4"])

        let folder = try Self.folder([:])
        defer { try? FileManager.default.removeItem(atPath: folder) }
        sheet = try Self.read(sheet, folder)
        let again = try Self.ids(
            MMHal().requests(sheet[MMHal()], judge: "stub", prompt, runs: 1, missing: true))
        #expect(again == [ids[3], ids[4]])
        #expect(try Self.take(again.map { Self.reply($0, "Rating: 5") }, &sheet).new == 2)
        // What was read before may be given again.
        #expect(try Self.take([first[0]], &sheet).known == 1)
        #expect(MMHal().missing(sheet[MMHal()]).isEmpty)

        // 6, 0 (two ratings), 0 (none), 5, 5, 3, 1 ("rating: 1" of 10), 4; three below 3.
        let values = try sheet.summary().values
        #expect(values["mmhal_score"] == 3 && values["mmhal_hallucination_rate"] == 3.0 / 8)
        #expect(values["mmhal_score_counting"] == 5 && values["mmhal_score_adversarial"] == 0)
        let text = try sheet.report()
        #expect(text.contains(/\nscore +3\.00 +0\.00 +3\.00 +4\.00\n/), "\(text)")
        #expect(text.contains(/hallucination rate +0\.38 +0\.00 +0\.38 +0\.17\n/), "\(text)")
        #expect(text.contains(/not read +2/) && text.contains("stub-1; official: gpt-4-0314"))
        #expect(text.contains("\(prompt.digest) (ours, not the official one)"))
        #expect(sheet[MMHal()][1].replies.map(\.text) == ["Rating: 5 or rating: 2"])
    }

    @Test func whatIsNoReplyToTheseAnswersIsRefused() throws {
        let sheet = try hall()
        let prompt = JudgePrompt(ownOf: MMHal())
        let ids = try Self.ids(
            MMHal().requests(sheet[MMHal()], judge: "stub", prompt, runs: 1, missing: false))
        let strangers = [
            (Self.reply("hello", "Rating: 1"), "which eval judge-requests doesn't write"),
            (Self.reply(ids[0].replacing("/m0", with: "/x9"), "Rating: 1"), "isn't in this folder"),
            (Self.reply(ids[0].replacing("/m0", with: "/m1"), "Rating: 1"), "about another answer"),
            (Self.reply(ids[0].replacing("mmhal/1/", with: "mmhal/99/"), "Rating: 1"), "run 99"),
            (#"{"custom_id":"\#(ids[0])","response":{"body":{}}}"#, "status_code"),
            (#"{"response":{"status_code":200}}"#, "custom_id"),
            ("{", "byte 1"),
        ]
        for (line, says) in strangers {
            var copy = sheet
            let error = #expect(throws: EvaluationError.self) {
                try Self.take([Self.reply(ids[1], "Rating: 2"), line], &copy)
            }
            let text = error?.description ?? ""
            #expect(text.hasPrefix("replies.jsonl:2: ") && text.contains(says), "\(text)")
            #expect(copy == sheet)
        }
        var copy = sheet
        #expect(throws: EvaluationError.self) {
            try Self.take([Self.reply(ids[1], "Rating: 2"), Self.reply(ids[1], "Rating: 3")], &copy)
        }
    }

    @Test func theOrderOfTheQuestionsIsTheOfficialOne() throws {
        let swapped = Self.hallQuestions.replacing("\"adversarial\"", with: "\"counting\"")
        let error = #expect(throws: EvaluationError.self) {
            try MMHal().read(path: "t.json", bytes: Array(swapped.utf8))
        }
        #expect(
            error?.description.hasPrefix("t.json:5: ") == true
                && error?.description.contains("counting") == true)
    }

    @Test func reviewsAreARunMore() throws {
        var sheet = try hall()
        func file(_ ratings: [Int]) -> [String] {
            let rows = ratings.map {
                #"{"model":"gpt","choices":[{"message":{"role":"assistant","content":"Rating: \#($0)"}}]}"#
            }
            return ["[\(rows.joined(separator: ",\n"))]"]
        }
        #expect(try Self.take(file([6, 6, 6, 6, 0, 0, 0, 0]), &sheet).new == 8)
        #expect(try Self.take(file([6, 6, 6, 6, 6, 6, 0, 0]), &sheet).new == 8)
        // 3 and 4.5: mean 3.75, population deviation 0.75.
        #expect(try Self.text(MMHal(), sheet).contains(/\nscore +3\.75 +0\.75 +3\.00, 4\.50 +3\.75\n/))
        #expect(try sheet.summary().values["mmhal_score"] == 3.75)
        #expect(throws: EvaluationError.self) { try Self.take(file([1, 2]), &sheet) }
    }

    // MARK: - LLaVA-Bench

    private func bench(caption: String = #"["A tray.","A cup."]"#) throws -> (
        folder: String, sheet: ScoreSheet
    ) {
        let categories = ["conv", "detail", "complex", "conv"]
        func lines(_ body: (Int) -> String) -> String { (0..<4).map { body($0) + "\n" }.joined() }
        let folder = try Self.folder([
            "questions.jsonl": lines {
                #"{"question_id":\#($0),"image":"00\#($0 / 2).jpg","category":"\#(categories[$0])","text":"What is \#($0)?"}"#
            },
            "context.jsonl": (0..<2).map { #"{"image":"00\#($0).jpg","caption":\#(caption)}"# + "\n" }
                .joined(),
            "answers_gpt4.jsonl": lines {
                #"{"question_id":\#($0),"text":"Known \#($0).","answer_id":"g\#($0)"}"#
            },
            "model.jsonl": lines {
                #"{"question_id":\#($0),"prompt":"What is \#($0)?","text":"Said \#($0)."}"#
            },
            "rule.json": "{"
                + categories[1...].map {
                    #""llava_bench_\#($0)":{"role":"Helper","prompt":"Judge \#($0) {answer}."}"#
                }
                .joined(separator: ",") + "}",
        ])
        return (folder, try Self.sheet(LLaVABench(), folder, "questions.jsonl", answers: "model.jsonl"))
    }

    @Test func pairsThatCannotBeReadStayInTheMean() throws {
        var (folder, sheet) = try bench()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let exam = LLaVABench()
        let rule = try JudgePrompt(file: "\(folder)/rule.json")
        let requests = try exam.requests(sheet[exam], judge: "stub", rule, runs: 2, missing: false)
        let ids = try Self.ids(requests)
        #expect(ids.count == 8 && ids[4].hasPrefix("llava-bench/2/1/"))
        let asked = [
            "[Context]", "A tray.", "A cup.", "", "[Question]", "What is 1?", "", "[Helper 1]", "Known 1.",
            "",
            "[End of Helper 1]", "", "[Helper 2]", "Said 1.", "", "[End of Helper 2]", "", "[System]",
            "Judge detail {answer}.", "", "",
        ].joined(separator: #"\n"#)
        #expect(requests[1].contains("\"content\":\"\(asked)\""), "\(requests[1])")
        #expect(requests[1].contains(#""temperature":0.2,"max_tokens":1024"#))
        let said = [
            "8 7.5\nBoth fine.", "9,6", "8, 9\nTwo blanks.", "8 6 \n", "10 10", " 9 9", "Scores: 9 8",
            "9 .5\r\n",
        ]
        #expect(try Self.take(zip(ids, said).map { Self.reply($0, $1) }, &sheet).new == 8)
        // Run 1: 8 7.5, 9 6, −1 −1, −1 −1: 11.5 / 15. Run 2: 10 10, −1 −1, −1 −1, 9 .5: 8.5 / 17.
        let text = try Self.text(exam, sheet)
        #expect(text.contains(/\nall +63\.4 +13\.[34] +76\.7, 50\.0 +66\.7\n/), "\(text)")
        #expect(text.contains(/\nconv +74\.1 +18\.8 +92\.9, 55\.3 +66\.7\n/), "\(text)")
        #expect(text.contains(/not read +4/))
        let value = try #require(try sheet.summary().values["llava_bench"])
        #expect(abs(value - (76.7 + 50) / 2) < 1e-9)
        #expect(!text.contains("ours"))
    }

    /// `'\n'.join` of a text takes it apart.
    @Test func aCaptionThatIsNoListIsTakenApart() throws {
        let (folder, sheet) = try bench(caption: #""A cup""#)
        try? FileManager.default.removeItem(atPath: folder)
        let own = JudgePrompt(ownOf: LLaVABench())
        let request = try LLaVABench().request(sheet[LLaVABench()][0], own, attempt: 1)
        #expect(request.user.hasPrefix("[Context]\nA\n \nc\nu\np\n\n[Question]"))
    }

    @Test func aRuleMustHaveTheCategory() throws {
        let (folder, sheet) = try bench()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try #"{"llava_bench_conv":{"prompt":"x"}}"#.write(
            toFile: "\(folder)/other.json", atomically: true, encoding: .utf8)
        let error = #expect(throws: EvaluationError.self) {
            try LLaVABench().requests(
                sheet[LLaVABench()], judge: "stub", JudgePrompt(file: "\(folder)/other.json"), runs: 1,
                missing: false)
        }
        #expect(error?.description.contains("\"role\" isn't there") == true, "\(error?.description ?? "")")
    }

    // MARK: - MM-Vet

    private func vet() throws -> (folder: String, sheet: ScoreSheet) {
        let capabilities = [#""ocr", "math""#, #""rec""#, #""rec", "ocr""#, #""math", "ocr""#]
        let rows = capabilities.enumerated().map { number, own in
            """
              "v1_\(number)": {"imagename": "v1_\(number % 2).png", "question": "What is \(number)?",
                "answer": "one<AND>two<OR>2", "source": "own", "capability": [\(own)]}
            """
        }
        let folder = try Self.folder([
            "mm-vet.json": "{\n\(rows.joined(separator: ",\n"))\n}\n",
            "model.json": #"{"v1_0":"a {reference}","v1_1":"b","v1_2":"c","v1_3":"d"}"#,
            "llava.jsonl": (0..<4).map {
                #"{"question_id":\#($0),"prompt":"What is \#($0)?","text":"t\#($0)"}"# + "\n"
            }.joined(),
            "prompt.txt": "Few shots.\n{question} | {reference} | {answer} | {again}\nDigit: ",
        ])
        return (folder, try Self.sheet(MMVet(), folder, "mm-vet.json", answers: "model.json"))
    }

    @Test func whatIsNoNumberIsAskedAgainUpToFiveTimes() throws {
        var (folder, sheet) = try vet()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let exam = MMVet()
        #expect(
            try Self.sheet(exam, folder, "mm-vet.json", answers: "llava.jsonl")[exam].map(\.answer) == [
                "t0", "t1", "t2", "t3",
            ])
        let prompt = try JudgePrompt(file: "\(folder)/prompt.txt")
        func asked(_ missing: Bool = true) throws -> [String] {
            try exam.requests(sheet[exam], judge: "stub", prompt, runs: 1, missing: missing)
        }
        let first = try asked(false)
        #expect(first[0].contains(#"Few shots.\nWhat is 0? | one <AND> two <OR> 2 | a {reference} | ""#))
        #expect(first[0].contains(#""temperature":0.0,"max_tokens":3"#))
        let replies = zip(try Self.ids(first), ["0.5", "1.0 (all)", "It is", "1.5"])
        #expect(try Self.take(replies.map { Self.reply($0, $1) }, &sheet).new == 4)
        #expect(exam.missing(sheet[exam]).map(\.id) == ["v1_2", "v1_3"])
        // v1_2 is told at the third time; v1_3 never, and counts 0.
        var temperatures: [Double?] = []
        for attempt in 2...5 {
            let again = try asked()
            #expect(again.count == (attempt < 4 ? 2 : 1))
            temperatures.append(
                again.last?.firstMatch(of: /"temperature":([0-9.]+)/).flatMap { Double($0.1) })
            #expect(again[0].contains(#" | \nDigit: ""#))
            let texts = try Self.ids(again).map { id in
                Self.reply(id, attempt == 3 && id.hasSuffix("v1_2") ? "0.2\n" : " 0.9")
            }
            #expect(try Self.take(texts, &sheet).new == again.count)
        }
        #expect(temperatures == [0, 0.5, 1, 1.5])
        #expect(try asked().isEmpty)
        #expect(sheet[exam][3].replies.map(\.attempt) == [1, 2, 3, 4, 5])
        // 0.5, 1, 0.2, 0: 42.5; read alone 56.7. ocr: 0.5, 0.2, 0; rec: 1, 0.2; math: 0.5, 0.
        let text = try Self.text(exam, sheet)
        #expect(text.contains(/\ntotal +42\.5 +0\.0 +42\.5 +56\.7\n/), "\(text)")
        #expect(
            text.contains(/\nrec +60\.0/) && text.contains(/\nocr +23\.3/) && text.contains(/\nmath +25\.0/))
        #expect(text.contains(/only ocr\+math +25\.0/) && text.contains(/only rec +100\.0/))
        #expect(text.contains(/not read +1/))
        let other = JudgePrompt(ownOf: exam)
        #expect(throws: EvaluationError.self) {
            try exam.requests(sheet[exam], judge: "stub", other, runs: 2, missing: true)
        }
    }

    /// The script counts 0 after the sixth request, whatever its reply says.
    @Test func gradesOfTheScriptCountAsItWroteThem() throws {
        var (folder, sheet) = try vet()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let texts = [["0.5", "0.5"], ["1.0", "1"], ["0.9", "0.3"], ["None", "0.2"]]
        let scores = ["0.5,0.5", "1.0,1.0", "0.0,0.3", "0.0,0.2"]
        let grades = zip(texts, scores).enumerated().map { number, grade in
            #""v1_\#(number)": {"model": ["g","g"], "content": \#(JSON.strings(grade.0).text), "score": [\#(grade.1)]}"#
        }
        let file = FileLines("grade.json", bytes: Array("{\n\(grades.joined(separator: ",\n"))\n}".utf8))
        #expect(try sheet.take(repliesIn: file).new == 8)
        // 1.5 / 4 and 2 / 4.
        let text = try Self.text(MMVet(), sheet)
        #expect(text.contains(/\ntotal +43\.8 +6\.2 +37\.5, 50\.0 +58\.3\n/), "\(text)")
        #expect(text.contains(/not read +2/))
        // Without the questions there are no capabilities.
        let alone = try MMVet().tables(MMVet().scores(ofReviews: [file])).map(\.plainText).joined()
        #expect(alone.contains("37.5, 50.0") && !alone.contains("\nrec"))
    }

    @Test func aPromptMustNameItsPlaces() throws {
        let (folder, sheet) = try vet()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "{question} {answer}".write(toFile: "\(folder)/bad.txt", atomically: true, encoding: .utf8)
        let bad = try JudgePrompt(file: "\(folder)/bad.txt")
        let error = #expect(throws: EvaluationError.self) {
            try MMVet().requests(sheet[MMVet()], judge: "stub", bad, runs: 1, missing: false)
        }
        #expect(error?.description == "\(folder)/bad.txt: {reference} isn't there; say where it belongs")
    }
}
