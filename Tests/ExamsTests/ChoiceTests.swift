import Exams
import Foundation
import Metrics
import Testing

/// Answers to an exam's questions, scored: the sums that its figures follow from.
private func figures<E: Exam>(_ exam: E, _ questions: [E.Question], _ answers: [String]) throws -> [String:
    Double]
{
    var sheet = ScoreSheet()
    sheet[exam] = zip(questions, answers).map { exam.score($0, answer: $1, ObjectFinder()) }
    return try sheet.summary().values
}

/// A picture in base64.
private let picture =
    FileManager.default.contents(atPath: "\(OfficialScripts.folder)/../oracle/pictures/picture-0.png")?
    .base64EncodedString() ?? ""

@Suite struct ChoiceTests {
    private static let kites = Choices(["red kite", "blue kite", "a kite"])

    /// Expected is what VLMEvalKit's `can_infer` (its rules at d21c5e96) gives for these choices.
    @Test(
        arguments: [
            ("B", "B"), ("(B).", "B"), ("b", nil), ("A or B", nil), ("B because it is so", nil),
            ("B is what I see", nil), ("The correct answer is **b**", "B"), ("Z", "Z"),
            ("Cannot determine the answer", "Z"), ("It is Blue Kite", "B"), ("kite", nil), ("", nil),
            ("D", nil),
            ("Failed to obtain answer via API B", nil), ("C it is, yes", "C"),
        ] as [(String, String?)])
    func answersAreInferredAsOfficially(_ answer: String, _ letter: String?) {
        #expect(Self.kites.inferred(answer) == letter)
    }

    @Test func strictReadsALoneLetter() {
        let said = [" B\n", "B.", "(B)", "B) blue", "b", "D", "", "The answer is B"]
        #expect(said.map(Self.kites.strict) == ["B", "B", "B", nil, nil, nil, nil, nil])
    }

    /// By hand from LLaVA's `convert_seed_for_submission.py` at 524a75b: text == answer, nothing mended.
    @Test func seedTakesEqualLettersOnly() throws {
        func item(_ id: String, _ type: Int, _ kind: String, _ answer: String) -> String {
            #"{"answer":"\#(answer)","choice_a":"w","choice_b":"x","choice_c":"y","choice_d":"z","data_id":"p\#(id)","#
                + #""data_type":"\#(kind)","question":"Which?","question_id":"\#(id)","question_type_id":\#(type)}"#
        }
        let items = [
            item("101", 1, "image", "A"), item("102", 1, "image", "B"), item("103", 5, "image", "C"),
            item("v1", 10, "video", "D"),
        ]
        func file(_ items: [String]) -> [UInt8] {
            Array((#"{"question_type":{},"questions":["# + items.joined(separator: ",\n") + "]}").utf8)
        }
        let read = try SEEDBench().read(path: "seed.json", bytes: file(items)).questions
        #expect(read[0].asked.prompt == "Which?\nA. w\nB. x\nC. y\nD. z\n" + Choices.suffix)
        #expect(read.map(\.asked.image).last == "SEED-Bench-video-image/v1.png")
        let found = try figures(SEEDBench(), read, ["A", "B.", " C", "D"])
        #expect(found["seed_all"] == 0.5 && found["seed_video"] == 1)
        #expect(found["seed_image"] == 1.0 / 3 && found["seed_type_1"] == 0.5 && found["seed_type_5"] == 0)
        let ranked = try SEEDBench(.likelihood).read(path: "seed.json", bytes: file(items)).questions
        #expect(ranked[0].asked.prompt == "Which?" && ranked[0].ranked == Choices(["w", "x", "y", "z"]))
        let likeliest = try figures(SEEDBench(.likelihood), ranked, ["A", "A", "C", "D"])
        #expect(likeliest["seed_likelihood_all"] == 0.75 && likeliest["seed_likelihood_type_1"] == 0.5)
        #expect(likeliest["seed_all"] == nil)
        for (bad, line) in [
            (item("101", 1, "image", "A"), 2), (item("9", 13, "image", "A"), 2),
            (item("9", 1, "sound", "A"), 2), (item("9", 1, "image", "E"), 2),
        ] {
            let error = #expect(throws: EvaluationError.self) {
                try SEEDBench().read(path: "seed.json", bytes: file([items[0], bad]))
            }
            #expect(error?.description.hasPrefix("seed.json:\(line): ") == true)
        }
    }

    /// What LLaVA's `eval_science_qa.py` at c121f04 parsed of these when it was run; nil where it says FAILED.
    @Test(
        arguments: [
            ("A", "A"), ("E", "E"), ("F", nil), ("B. because", "B"), ("B.", nil), ("B.x", nil),
            ("The answer is C.", "C"), ("The answer is C", nil), ("The answer is C\n", nil),
            ("So The answer is C, The answer is D.", nil), ("the answer is C.", nil), ("", nil),
            ("The answer is Q.", "Q"),
        ] as [(String, String?)])
    func scienceQAReadsInOrder(_ answer: String, _ letter: String?) {
        #expect(ScienceQA.letter(in: answer) == letter)
    }

    @Test func scienceQACountsPicturesAndAll() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/sqa-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func write(_ name: String, _ text: String) throws {
            try text.write(toFile: "\(folder)/\(name)", atomically: true, encoding: .utf8)
        }
        let problem =
            #"{"choices":["x","y"],"answer":1,"hint":"","grade":"grade2","subject":"social science"}"#
        let other =
            #"{"choices":["x","y"],"answer":0,"hint":"So.","grade":"grade8","subject":"natural science"}"#
        try write("problems.json", #"{"1":\#(problem),"2":\#(other),"3":\#(problem)}"#)
        try write("pid_splits.json", #"{"train":["9"],"test":["1","2","3"]}"#)
        func line(_ id: String, _ image: String) -> String {
            #"{"id":"\#(id)",\#(image)"conversations":[{"from":"human","value":"<image>\nWhich?\nA. x\nB. y"}]}"#
        }
        let lines = [line("1", #""image":"1/image.png","#), line("2", ""), line("3", "")]
        let path = "\(folder)/llava_test_CQM-A.json"
        try write("llava_test_CQM-A.json", "[" + lines.joined(separator: ",\n") + "]")
        let read = try ScienceQA().read(path: path).questions
        #expect(read[0].asked.prompt == "Which?\nA. x\nB. y\n" + Choices.suffix)
        let found = try figures(ScienceQA(), read, ["B", "The answer is A.", "C"])
        #expect(found["scienceqa_img"] == 1 && found["scienceqa_total"] == 2.0 / 3)
        #expect(found["scienceqa_social"] == 0.5 && found["scienceqa_none"] == 0)
        #expect(found["scienceqa_text"] == 1 && found["scienceqa_7_12"] == 1)
        try write("llava_test_CQM-A.json", "[" + lines[..<2].joined(separator: ",\n") + "]")
        #expect(throws: EvaluationError.self) { try ScienceQA().read(path: path) }
    }

    private static let head = "index\tquestion\thint\tA\tB\tC\tD\tanswer\tcategory\tl2-category\timage\n"

    private static let mmbench =
        head
        + "1\t\"Is it \"\"red\"\",\n\nor not?\"\tLook.\tred\tblue\tNA\t\tA\tcolor\tcoarse_perception\t\(picture)\n"
        + "1000001\t\"Is it \"\"red\"\",\n\nor not?\"\tnan\tblue\tred\t\t\tB\tcolor\tcoarse_perception\t1\n"
        + "2\tWhere?\t\tleft\tright\t\t\tB\tplace\tlogic_reasoning\t1000003\n"
        + "1000002\tWhere?\t\tright\tleft\t\t\tA\tplace\tlogic_reasoning\t2\n"
        + "1000003\tAlone?\t\tyes\tno\t\t\tA\tplace\tlogic_reasoning\t\(picture)\n"

    /// By hand from `mcq_circular_eval` (028a6e7): group 1 right in both, group 2 in one, 1000003 has no unrotated row.
    @Test func mmbenchIsRightAllAroundOrWrong() throws {
        let read = try MMBench().read(path: "m.tsv", bytes: Array(Self.mmbench.utf8)).questions
        #expect(
            read[0].asked.prompt == "Look.\nIs it \"red\",\n\nor not?\nA. red\nB. blue\n" + Choices.suffix)
        #expect(read[1].asked.image == "1.jpg" && read[2].place == "m.tsv:8")
        #expect(read.allSatisfy { $0.asked.embedded == "data:;base64," + picture })
        // Question 2 has the picture of the row below it, and its rotation has question 2's.
        #expect(read[2].asked.image == "3.jpg" && read[3].asked.image == "3.jpg")
        let found = try figures(MMBench(), read, ["A", "It is red", "B", "B", "A"])
        #expect(found["mmbench"] == 0.5 && found["mmbench_cp"] == 1 && found["mmbench_lr"] == 0)
        let scores = zip(read, ["A", "B", "?", "A", "A"]).map {
            MMBench().score($0, answer: $1, ObjectFinder())
        }
        #expect(MMBench().remarks(scores)[0][1] == "1")
        #expect(MMBench().trials(scores)[0].trials.map(\.isRight) == [true, false])
    }

    @Test(arguments: [
        ("1\t\"open\tx", 2), ("1\tq\t\ta\tb\n", 2), ("x\tq\t\ta\tb\t\t\tA\tc\tl\ti\n", 2),
        ("1\tq\t\ta\tb\t\t\tC\tc\tl\ti\n", 2),
        ("1\tq\t\ta\tb\t\t\tA\tc\tl\ti\n1\tq\t\ta\tb\t\t\tA\tc\tl\ti\n", 3),
        // No picture; the index of no row; that of a row without one; no base64; base64 of no picture.
        ("1\tq\t\ta\tb\t\t\tA\tc\tl\t\n", 2),
        ("1\t\"q\n\"\t\ta\tb\t\t\tA\tc\tl\t\(picture)\n5\tq\t\ta\tb\t\t\tA\tc\tl\t7\n", 4),
        ("1\tq\t\ta\tb\t\t\tA\tc\tl\t2\n2\tq\t\ta\tb\t\t\tA\tc\tl\t1\n", 2),
        ("1\tq\t\ta\tb\t\t\tA\tc\tl\t\(picture.dropLast(5))\n", 2),
        ("1\tq\t\ta\tb\t\t\tA\tc\tl\t\(String(repeating: "AAAA", count: 20))\n", 2),
    ])
    func brokenTablesNameTheLine(_ rows: String, _ line: Int) {
        let error = #expect(throws: EvaluationError.self) {
            try MMBench().read(path: "m.tsv", bytes: Array((Self.head + rows).utf8))
        }
        #expect(error?.description.hasPrefix("m.tsv:\(line): ") == true)
    }

    /// By hand from `mcq_vanilla_eval` without a judge (028a6e7): answers of ten characters and more stay unread.
    @Test func mmstarReadsShortAnswers() throws {
        let rest = "q\t\tred\tblue\tgreen\tgray\tB\tmath\tgeometry\t"
        let head = Self.head.replacingOccurrences(of: "l2-", with: "l2_")
        let text = head + "0\t\(rest)\(picture)\n1\t\(rest)0\n2\t\(rest)\(picture)\n"
        let read = try MMStar().read(path: "s.tsv", bytes: Array(text.utf8)).questions
        #expect(read.map(\.asked.image) == ["0.jpg", "0.jpg", "2.jpg"])
        let answers = ["B.", "The answer is B", "blue"]
        let found = try figures(MMStar(), read, answers)
        #expect(found["mmstar"] == 2.0 / 3 && found["mmstar_5"] == 2.0 / 3)
        let scores = zip(read, answers).map { MMStar().score($0, answer: $1, ObjectFinder()) }
        #expect(MMStar().tables(scores).map(\.plainText).joined().contains(/geometry +66\.67 +3/))
    }

    /// What LLaVA's `convert_mmbench_for_submission.py` (524a75b) has for these, by hand. The workbook has the bytes of one
    /// from Python's `zipfile`, but for the files' modes; pandas 3.1 reads these cells of it.
    @Test func mmbenchsTestIsHandedIn() throws {
        let text =
            "index\tquestion\thint\tA\tB\tC\tD\tcategory\tsource\tl2-category\tcomment\tsplit\n"
            + "7\t\"Is it <b> & \"\"c\"\",\nor not?\"\tLook.\tred\tNA\t\t\tcolor\ts\tlogic_reasoning\t\ttest\n"
            + "1000007\tIs it?\t\tyes\tno\t\t\tcolor\ts\tlogic_reasoning\t\ttest\n"
        let read = try MMBench().read(path: "t.tsv", bytes: Array(text.utf8)).questions
        #expect(read[0].asked.image == "7.jpg" && read[0].asked.embedded == nil)
        let scores = zip(read, ["A", " _x0041_\u{7}"]).map { MMBench().score($0, answer: $1, ObjectFinder()) }
        let handed = try #require(MMBench().submission(of: scores))
        #expect(handed.name == "mmbench-submission.xlsx")
        let expected = FileManager.default.contents(
            atPath: "\(OfficialScripts.folder)/mmbench/submission.xlsx")
        #expect(Data(handed.bytes) == expected)
    }

    @Test func mmvpCountsPairs() throws {
        let text = """
            Index,Question,Options,Correct Answer
            1,"Open, or not?",(a) Open (b) Shut,(a)
            2,"Open, or not?",(a) Open (b) Shut,(b)
            99,Up?,(a) Yes (b) No,(a)
            100,Up?,(a) Yes (b) No,(b)

            """
        let read = try MMVP().read(path: "q.csv", bytes: Array(text.utf8)).questions
        #expect(read[0].asked.prompt == "Open, or not? (a) Open (b) Shut\n" + Choices.suffix)
        let answers = ["(A) Open", "b", "(b)", "a."]
        let found = try figures(MMVP(), read, answers)
        #expect(found["mmvp"] == 0.5 && found["mmvp_questions"] == 0.5)
        var sheet = ScoreSheet()
        sheet[MMVP()] = zip(read, answers).map { MMVP().score($0, answer: $1, ObjectFinder()) }
        #expect(try sheet.report().contains(/corrected.*100\.0/))
        #expect(throws: MetricsError.self) { try figures(MMVP(), Array(read[..<3]), answers) }
    }
}
