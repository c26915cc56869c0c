import Exams
import Foundation
import Metrics
import Testing

/// Where published predictions stand; they are not part of the repository.
private let golden = ProcessInfo.processInfo.environment["SIGHTLINE_GOLDEN"]
private let xz = ["/usr/bin/xz", "/bin/xz", "/usr/local/bin/xz"].first(
    where: FileManager.default.isExecutableFile)

/// What a script of CHAIR's writes; the fields of the made-up expectations, or of the script itself.
private struct Official: Decodable {
    struct Sentence: Decodable {
        let image_id: Int
        let truth, generated, hallucinated: [String]?
        let mscoco_gt_words, mscoco_generated_words: [String]?
        let mscoco_hallucinated_words: [[String]]?
    }
    struct Overall: Decodable { let CHAIRs, CHAIRi: Double; let Recall, Len: Double? }

    let sentences: [Sentence]
    let overall_metrics: Overall
}

@Suite struct COCOCHAIRTests {
    private static let labels = ["instances_val2014.json", "captions_val2014.json"].map {
        chairFixture($0).path
    }

    private func scores(_ answers: String) throws -> [CHAIRScore] {
        let questions = chairFixture("captions.jsonl").path
        let read = try CHAIR().read(path: questions, labels: Self.labels)
        #expect(read.labelFiles == Self.labels)
        let asked = read.questions.map(\.asked)
        let file = try AnswerFile(path: chairFixture(answers).path, CHAIR().layouts)
        let texts = try file.texts(of: asked, in: questions, isKnown: Set(asked.map(\.id)).contains)
        return zip(read.questions, texts.texts).map { CHAIR().score($0, answer: $1, ObjectFinder()) }
    }

    /// Figures and words of both scripts, on files of COCO's shape.
    @Test(arguments: ["captions.jsonl", "original.json"])
    func bothScriptsAreMet(answers: String) throws {
        let expected = try JSONDecoder().decode(
            [String: Official].self, from: Data(contentsOf: chairFixture("expected.json")))
        let scores = try scores(answers)
        for variant in CHAIRLexicon.Variant.allCases {
            let official = try #require(expected[variant.rawValue])
            #expect(scores.count == official.sentences.count)
            for (score, sentence) in zip(scores, official.sentences) {
                let named = score[variant].mentions.map(\.object)
                #expect(score.truth[variant].sorted() == sentence.truth, "\(variant) \(score.text)")
                #expect(named == sentence.generated, "\(variant) \(score.text)")
                #expect(
                    named.filter { !score.truth[variant].contains($0) } == sentence.hallucinated,
                    "\(variant) \(score.text)")
            }
            let values = try values(scores)
            let (key, overall) = ("chair_\(variant.rawValue)", official.overall_metrics)
            #expect(values["\(key)_s"] == overall.CHAIRs && values["\(key)_i"] == overall.CHAIRi)
            if let recall = overall.Recall, let length = overall.Len {
                #expect(values["\(key)_recall"] == recall && values["\(key)_len"] == length)
            }
        }
        #expect(try CHAIR().tables(scores).first?.plainText.contains("invented") == true)
    }

    private func values(_ scores: [CHAIRScore]) throws -> [String: Double] {
        var sums = ClusteredSums()
        CHAIR().count(scores, beside: ScoreSheet(), in: &sums)
        let values = sums.values(of: CHAIR().figures.map(\.formula))
        return Dictionary(uniqueKeysWithValues: zip(CHAIR().figures.map(\.key), values.map { $0 ?? .nan }))
    }

    @Test func namesOfFilesAndOwnObjectsWillDo() throws {
        let lines = #"""
            {"image":"val2014/COCO_val2014_000000000025.jpg","prompt":"Describe."}
            {"image_id":"7","objects":["sofa","bus"],"objects_original":["couch"]}
            """#
        let read = try CHAIR().read(path: "q.jsonl", bytes: Array(lines.utf8), labels: Self.labels)
        #expect(read.questions[0].asked.image == "val2014/COCO_val2014_000000000025.jpg")
        #expect(read.questions[1].truth == .init(wordnet: ["couch", "bus"], original: ["couch"]))
        #expect(read.questions[1].asked.image == "COCO_val2014_000000000007.jpg")
    }

    private func message(_ questions: String, labels: [String] = labels) -> String {
        do {
            _ = try CHAIR().read(path: "q.jsonl", bytes: Array(questions.utf8), labels: labels)
            return "none"
        } catch { return "\(error)" }
    }

    @Test func whatIsNotCOCOsIsRefused() throws {
        #expect(
            message("{\"image_id\":9}\n{\"image_id\":10}").contains(
                /q\.jsonl:2: image_id: 10, which none of .*captions_val2014/))
        #expect(
            message("{\"image_id\":9}\n{\"image_id\":9}").contains(
                /q\.jsonl:2: .*which line 1 has too; ids must differ/))
        #expect(message("{\"image_id\":\"nine\"}").contains("write COCO's id or file name"))
        #expect(message("[1]").contains("q.jsonl:1: "))
        #expect(
            message("{\"image_id\":9}", labels: [Self.labels[0]]).contains(
                "no file of COCO's captions is given"))
        #expect(
            message("{\"image_id\":9,\"objects\":[\"unicorn\"]}").contains(
                "name objects as COCO's categories"))
        let folder = FileManager.default.temporaryDirectory.appending(path: "chair-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let whole = try String(contentsOf: chairFixture("instances_val2014.json"), encoding: .utf8)
        let none = folder.appending(path: "none.json")
        try whole.replacing(", \"categories\": [", with: ", \"others\": [").write(
            to: none, atomically: true, encoding: .utf8)
        #expect(
            message("{\"image_id\":9}", labels: [none.path]).contains(
                /none\.json:1: instances, and no categories/))
        let torn = folder.appending(path: "torn.json")
        try String(whole.prefix(3000)).write(to: torn, atomically: true, encoding: .utf8)
        #expect(
            message("{\"image_id\":9}", labels: [torn.path]).contains(
                /torn\.json:1: the file is no whole JSON object/))
        let answers = folder.appending(path: "a.jsonl")
        try "{\"image_id\":9,\"caption\":\"a\"}\n7\n".write(to: answers, atomically: true, encoding: .utf8)
        #expect(throws: EvaluationError.self) { try AnswerFile(path: answers.path, CHAIR().layouts) }
        try "{\"image_id\":9,\"caption\":\"a\"}\n{\"image_id\":9,\"caption\":\"b\"}\n".write(
            to: answers, atomically: true, encoding: .utf8)
        #expect(throws: EvaluationError.self) {
            let file = try AnswerFile(path: answers.path, CHAIR().layouts)
            _ = try file.texts(
                of: [Asked(id: "9", image: "x", prompt: "y")], in: "q.jsonl", isKnown: { $0 == "9" })
        }
    }
}

/// Published captions against what OPERA's script says of them.
@Suite(
    .enabled(
        if: golden != nil && xz != nil,
        "SIGHTLINE_GOLDEN is not set or there is no xz: 1 suite of published captions skipped"))
struct CHAIRGoldenTests {
    private func unpacked(_ name: String) throws -> Data {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(filePath: try #require(xz))
        process.arguments = ["-dc", "\(try #require(golden))/chair/\(name).xz"]
        process.standardOutput = pipe
        try process.run()
        let data = try #require(try pipe.fileHandleForReading.readToEnd())
        process.waitUntilExit()
        return data
    }

    @Test(arguments: [
        ("opera-ours", 223, 464, 3_653, 0.79191128506197), ("deco", 208, 388, 3_821, nil),
    ])
    func meetsTheOfficialWords(
        run: String, inventing: Int, invented: Int, mentions: Int, recall: Double?
    ) throws {
        let official = try JSONDecoder().decode(Official.self, from: unpacked("\(run).official.json"))
        let lines = try official.sentences.map { sentence in
            let objects = try JSONEncoder().encode(sentence.mscoco_gt_words)
            return
                "{\"image_id\":\(sentence.image_id),\"objects\":\(String(decoding: objects, as: UTF8.self))}"
        }
        let read = try CHAIR().read(path: "\(run).jsonl", bytes: Array(lines.joined(separator: "\n").utf8))
        let answers = try AnswerFile(
            path: "\(run).jsonl", bytes: Array(unpacked("\(run).captions.jsonl")), CHAIR().layouts)
        let texts = try answers.texts(
            of: read.questions.map(\.asked), in: "q.jsonl",
            isKnown: Set(read.questions.map(\.asked.id)).contains)
        let scores = zip(read.questions, texts.texts).map { CHAIR().score($0, answer: $1, ObjectFinder()) }
        #expect(scores.count == 500)
        for (score, sentence) in zip(scores, official.sentences) {
            #expect(score.wordnet.mentions.map(\.object) == sentence.mscoco_generated_words, "\(score.text)")
            #expect(
                score.wordnet.mentions.filter { !score.truth.wordnet.contains($0.object) }.map {
                    [$0.word, $0.object]
                } == sentence.mscoco_hallucinated_words, "\(score.text)")
        }
        var sums = ClusteredSums()
        CHAIR().count(scores, beside: ScoreSheet(), in: &sums)
        #expect(sums["chair.wordnet.captions.inventing"] == Double(inventing))
        #expect(sums["chair.wordnet.mentions.invented"] == Double(invented))
        #expect(sums["chair.wordnet.mentions"] == Double(mentions))
        let values = sums.values(of: CHAIR().figures.map(\.formula)).prefix(4)
        let overall = official.overall_metrics
        #expect(Array(values) == [overall.CHAIRs, overall.CHAIRi, overall.Recall, overall.Len])
        if let recall { #expect(abs((values[2] ?? 0) - recall) < 1e-14) }
    }
}
