import Exams
import Foundation
import Metrics
import Testing

@Suite struct YesNoExamTests {
    @Test func repope() throws {
        let sheet = try OfficialScripts.sheet(
            RePOPE(), POPESplit.allCases.map { "repope/coco_repope_\($0.rawValue).json" },
            answers: "repope/answers.jsonl")
        let expected = try OfficialScripts.expected(
            "repope/expected.json", as: [String: [String: Double]].self)
        let figures = try sheet.allFigures()
        let names = [
            "ACC": "accuracy", "F1": "f1", "Precision": "precision", "Recall": "recall",
            "Yes Ratio": "yes_ratio",
        ]
        for (split, values) in expected {
            for (name, key) in names {
                #expect(
                    abs((figures["repope_\(split)_\(key)"] ?? -1) - (values[name] ?? 0)) < 1e-12,
                    "\(split) \(name)")
            }
        }
        #expect(try sheet.report().contains(/RePOPE answers unread, not counted +6\n/))
        #expect(
            repopeAnswer(in: "eyes") == .yes && repopeAnswer(in: "KNOW") == .no && repopeAnswer(in: "") == nil
        )
    }

    @Test func amber() throws {
        let sheet = try OfficialScripts.sheet(
            AMBER(), ["amber/query_all.json"], answers: "amber/answers.json")
        let expected = try OfficialScripts.expected("amber/expected.json", as: [String: [Double]].self)
        let figures = try sheet.allFigures()
        let parts = ["all", "existence", "attribute", "state", "number", "action", "relation"]
        let keys = parts.flatMap { part in ["accuracy", "precision", "recall", "f1"].map { "\(part)_\($0)" } }
        for (reading, start) in [("official", "amber"), ("first_word", "amber_first_word")] {
            let own = keys.map { (1000 * (figures["\(start)_\($0)"] ?? -1)).rounded() / 10 }
            #expect(own == expected[reading], "\(reading)")
        }
        #expect(sheet[AMBER()].count == 90)
    }

    @Test func hallusionBench() throws {
        let sheet = try OfficialScripts.sheet(
            HallusionBench(), ["hallusionbench/HallusionBench.json"], answers: "hallusionbench/results.json")
        let expected = try OfficialScripts.expected(
            "hallusionbench/expected.json", as: [String: [Double]].self)
        let figures = try sheet.allFigures()
        for (key, counts) in expected {
            #expect(figures["hallusionbench_\(key)"] == counts[0] / counts[1], "\(key)")
        }
        for (text, answer) in [
            ("Yes.", YesNo.yes), ("yes/no", nil), ("no-one", .no), ("Yes, no doubt", nil), ("NO", .no),
            ("nope", nil),
            ("It is so, yes", .yes),
        ] { #expect(ruleAnswer(in: text) == answer, "\(text)") }
    }

    @Test func naturalBench() throws {
        let sheet = try OfficialScripts.sheet(
            NaturalBench(), ["naturalbench/naturalbench.json"], answers: "naturalbench/answers.jsonl")
        let expected = try OfficialScripts.expected("naturalbench/expected.json", as: [String: Double].self)
        let figures = try sheet.allFigures()
        for (name, value) in expected {
            #expect(abs((figures["naturalbench_\(name.lowercased())"] ?? -1) - value) < 1e-12, "\(name)")
        }
        var broken = sheet
        broken[NaturalBench()].remove(at: 1)
        #expect(throws: MetricsError.self) { try broken.figures() }
        let table = try ComparisonTable(
            runs: [("base", [sheet]), ("other", [sheet])], bootstrap: PairedBootstrap(resamples: 50))
        #expect(table.rows.contains { $0.name == "naturalbench_g_acc" })
    }

    /// A file of all splits whose ids begin anew in each, as its answers' do: they are met by place.
    @Test func popeInOneFile() throws {
        let lines = POPESplit.allCases.flatMap { split in
            (1...2).map { id in
                #"{"question_id":\#(id),"image":"\#(id).jpg","text":"Is there a cup in the image?","label":"\#(id == 1 ? "yes" : "no")","category":"\#(split.rawValue)"}"#
            }
        }
        let questions = try POPE().read(path: "q.jsonl", bytes: Array(lines.joined(separator: "\n").utf8))
            .questions
        #expect(questions.map(\.id) == ["1", "2", "1#2", "2#2", "1#3", "2#3"])
        #expect(
            questions.map(\.task) == ["random", "random", "popular", "popular", "adversarial", "adversarial"])
        func texts(_ said: [(id: Int, text: String)]) throws -> [String] {
            let lines = said.map {
                #"{"question_id":\#($0.id),"prompt":"Is there a cup in the image?","text":"\#($0.text)"}"#
            }
            let file = try AnswerFile(path: "a.jsonl", bytes: Array(lines.joined(separator: "\n").utf8))
            return try file.texts(of: questions.map(\.asked), in: "q.jsonl") { _ in true }.texts
        }
        let said = [(1, "a"), (2, "b"), (1, "c"), (2, "d"), (1, "e"), (2, "f")]
        #expect(try texts(said) == ["a", "b", "c", "d", "e", "f"])
        #expect(throws: EvaluationError.self) { try texts([said[1], said[0]] + said[2...]) }
        #expect(throws: EvaluationError.self) { try texts(said.dropLast()) }
        let twice = POPE().complaint("q.jsonl", lines[0] + "\n" + lines[0])
        #expect(twice?.hasPrefix("q.jsonl:2: ") == true)
        // SEEM's files are arrays.
        let array = "[\n" + lines[..<2].joined(separator: ",\n") + "]"
        #expect(
            try POPE().read(path: "aokvqa_pope_seem_random.json", bytes: Array(array.utf8)).questions.count
                == 2)
    }

    @Test func brokenFilesAreNamed() {
        let amber = ["\(OfficialScripts.folder)/amber/annotations.json"]
        let row =
            #""category":"VD","subcategory":"ocr","set_id":"0","figure_id":"0","question_id":"0","visual_input":"1","question":"x""#
        let cases: [(any Exam, String, [String], String)] = [
            (AMBER(), #"[{"id":1,"image":"a","query":"x"}]"#, [], "give that file with --labels"),
            (AMBER(), "[\n" + #"{"id":5000,"image":"a","query":"x"}]"#, amber, "q.json:2: "),
            (HallusionBench(), "[{\(row),\"gt_answer\":\"2\"}]", [], "gt_answer"),
            (
                HallusionBench(), "[{\(row),\"gt_answer\":\"1\"},\n{\(row),\"gt_answer\":\"1\"}]", [],
                "q.json:2: "
            ),
            (NaturalBench(), #"[{"Question_Type":"open"}]"#, [], "Question_Type"),
            (NaturalBench(), #"[{"Question_Type":"yes_no"}]"#, [], "Image_0"),
            (
                RePOPE(), #"{"question_id":1,"image":"a","text":"x","label":"maybe","split":"random"}"#, [],
                "label"
            ),
        ]
        for (exam, text, labels, words) in cases {
            let complaint = exam.complaint("q.json", text, labels: labels)
            #expect(complaint?.contains(words) == true, "\(exam.name): \(complaint ?? "nothing")")
        }
    }
}

@Suite(
    .enabled(
        if: Golden.folder != nil && Golden.hasXZ,
        "SIGHTLINE_GOLDEN is not set, or there is no xz: 1 suite of published predictions skipped"))
struct YesNoGoldenTests {
    private func sheet<E: Exam>(
        _ exam: E, _ questions: String, answers: String, labels: String? = nil
    ) throws -> [E.Score] {
        let folder = FileManager.default.temporaryDirectory.path + "/golden-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        func unpack(_ path: String) throws -> String {
            let name = "\(folder)/\(path.replacing("/", with: "-").replacing(".xz", with: ""))"
            try Data(#require(try Golden.unpacked(path))).write(to: URL(filePath: name))
            return name
        }
        let own = try exam.read(
            path: try unpack(questions), labels: try labels.map { [try unpack($0)] } ?? []
        ).questions
        let file = try AnswerFile(path: try unpack(answers), exam.layouts)
        // The sample answers a part of the questions.
        let asked =
            exam.name == "hallusionbench"
            ? own.filter { (try? file.texts(of: [$0.asked], in: questions) { _ in true }) != nil } : own
        let texts = try file.texts(of: asked.map(\.asked), in: questions) { _ in true }.texts
        return zip(asked, texts).map { exam.score($0, answer: $1, ObjectFinder()) }
    }

    /// LLaVA-1.5-7B before and after DPO on RLHF-V's data, by POPE's rules.
    @Test(arguments: [
        ("baseline", [0.798, 0.862333, 0.895667], [0.818018, 0.868346, 0.896938] as [Double?], 0.861101),
        ("rlhfv", [0.838, 0.881667, 0.902], [nil, nil, nil], 0.871796),
    ])
    func popeOfOneFile(run: String, accuracies: [Double], f1s: [Double?], mean: Double) throws {
        let scores = try sheet(POPE(), "pope-dpo/questions.jsonl.xz", answers: "pope-dpo/\(run).jsonl.xz")
        #expect(scores.count == 9_000)
        let score = try POPEScore(scores)
        for (index, split) in [POPESplit.adversarial, .popular, .random].enumerated() {
            let metrics = try #require(score.counts[split]).metrics
            #expect(abs(metrics.accuracy - accuracies[index]) < 1e-6, "\(split) \(metrics.accuracy)")
            if let f1 = f1s[index] { #expect(abs(metrics.f1 - f1) < 1e-6, "\(split) \(metrics.f1)") }
        }
        #expect(abs(score.mean.f1 - mean) < 1e-6)
    }

    /// Sentences: nothing of them for the official script, which begin with these words.
    @Test func amberIsReadByItsFirstWords() throws {
        let scores = try sheet(
            AMBER(), "amber/query.jsonl.xz", answers: "amber/baseline.jsonl.xz",
            labels: "amber/annotations.json.xz")
        let words = scores.map { firstWordAnswer(in: $0.answer) }
        #expect(scores.count == 14_216)
        #expect(words.count { $0 == .yes } == 7_957 && words.count { $0 == .no } == 6_245)
        #expect(words.count { $0 == nil } == 14)
    }

    @Test func hallusionBenchsSampleIsRead() throws {
        let scores = try sheet(
            HallusionBench(), "hallusionbench/HallusionBench.json.xz",
            answers: "hallusionbench/HallusionBench_result_sample.json.xz")
        #expect(scores.count == 254)
        var sheet = ScoreSheet(ExamList([HallusionBench()]))
        sheet[HallusionBench()] = scores
        // The official counts of what the rule finds right, in these figures.
        let figures = try sheet.allFigures()
        #expect(figures["hallusionbench_aAcc"] == 155.0 / 254 && figures["hallusionbench_qAcc"] == 40.0 / 117)
        #expect(figures["hallusionbench_fAcc"] == 14.0 / 69)
    }
}
