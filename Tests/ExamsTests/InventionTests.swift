import Exams
import Foundation
import Metrics
import Testing

/// Benchmarks of what captions invent, beside CHAIR.
@Suite struct InventionTests {
    private static let amber = "amber-captions/query_all.json"

    /// AMBER's own script on made-up captions, with the pairs of similar words and without any.
    @Test func amberCaptions() throws {
        let sheet = try OfficialScripts.sheet(
            AMBERCaptions(), [Self.amber], answers: "amber-captions/answers.json")
        let nouns = try OfficialScripts.expected("amber-captions/nouns.json", as: [[String]].self)
        #expect(sheet[AMBERCaptions()].map(\.nouns) == nouns)
        let figures = try sheet.allFigures()
        let expected = try OfficialScripts.expected(
            "amber-captions/expected.json", as: [String: [Double]].self)
        for (reading, start) in [("official", "amber"), ("same_words", "amber_same_words")] {
            let own = ["chair", "cover", "hal", "cog"].map {
                (1000 * (figures["\(start)_\($0)"] ?? -1)).rounded() / 10
            }
            #expect(own == expected[reading], "\(reading)")
        }
        #expect(try !sheet.report().contains("similar_words.json"))
    }

    /// Without the file of similar words there are no official figures, which is said.
    @Test func amberWithoutVectors() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/amber-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        for name in ["annotations.json", "relation.json", "safe_words.txt"] {
            try FileManager.default.copyItem(
                atPath: "\(OfficialScripts.folder)/amber-captions/\(name)", toPath: "\(folder)/\(name)")
        }
        let file = ExamFile(
            "\(OfficialScripts.folder)/\(Self.amber)", labels: ["\(folder)/annotations.json"])
        let sheet = try OfficialScripts.sheet(
            AMBERCaptions(), [file], answers: "\(OfficialScripts.folder)/amber-captions/answers.json")
        let figures = try sheet.allFigures()
        #expect(figures["amber_chair"] == nil && figures["amber_same_words_chair"] != nil)
        #expect(try sheet.report().contains("no similar_words.json: no word is taken for another"))
        try FileManager.default.removeItem(atPath: "\(folder)/relation.json")
        let missing = #expect(throws: EvaluationError.self) { try AMBERCaptions().read(file) }
        #expect(missing?.description.hasPrefix("\(folder)/relation.json: it can't be read") == true)
        try #"{"sky": ["air"],"#.appending("\n\"ship\": \"boat\"}").write(
            toFile: "\(folder)/relation.json", atomically: true, encoding: .utf8)
        let broken = #expect(throws: EvaluationError.self) { try AMBERCaptions().read(file) }
        #expect(broken?.description.hasPrefix("\(folder)/relation.json:2: ") == true)
        try #"{"sky": ["air"]}"#.write(
            toFile: "\(folder)/relation.json", atomically: true, encoding: .utf8)
        let strange = #expect(throws: EvaluationError.self) { try AMBERCaptions().read(file) }
        #expect(
            strange?.description.contains("annotations.json:2: ") == true, "\(strange?.description ?? "")")
    }

    private struct RuleFigures: Decodable {
        let figures: [String: Double]
        /// Of each answer what is there and what is named.
        let sentences: [[[String]]]
    }

    /// Object HalBench's own script without a judge, on pictures whose truth stands in files of COCO's shape.
    @Test func objectHalBench() throws {
        let exam = ObjectHalBench()
        let questions = "\(OfficialScripts.folder)/object-halbench/obj_halbench_300_with_image.jsonl"
        let labels = ["instances", "captions"].map { chairFixture("\($0)_val2014.json").path }
        let file = ExamFile(questions, labels: labels)
        let sheet = try OfficialScripts.sheet(
            exam, [file], answers: "\(OfficialScripts.folder)/object-halbench/answers.jsonl")
        let expected = try OfficialScripts.expected("object-halbench/expected.json", as: RuleFigures.self)
        #expect(sheet[exam].map { [$0.truth, $0.mentions.map(\.object)] } == expected.sentences)
        let figures = try sheet.allFigures()
        let names = [
            "response": "CHAIRs_refine", "object": "CHAIRi", "recall": "obj_rec", "length": "avg_word_len",
            "all": "CHAIRs",
        ]
        for (key, name) in names {
            #expect(figures["object_halbench_rule_\(key)"] == expected.figures[name], "\(name)")
        }
        let read = try exam.read(file).questions.map(\.asked)
        #expect(read[0].image == "9.jpg" && read[0].embedded == nil)
        #expect(read[1].image == "COCO_val2014_000000000025.jpg" && read[1].embedded != nil)
        let cases = [
            (#"{"image_id": "x", "question": "?"}"#, "q.json:1: "),
            (#"{"image_id": 632, "question": "?"}"#, "q.json:1: image_id: 632"),
            (
                #"{"image_id": 9, "question": "?", "image": "\#(String(repeating: "?", count: 101))"}"#,
                "base64"
            ),
            (
                #"{"image_id": 9, "question": "?"}"# + "\n" + #"{"image_id": 9, "question": "!"}"#,
                "q.json:2: "
            ),
        ]
        for (text, says) in cases {
            let complaint = exam.complaint("q.json", text, labels: labels)
            #expect(complaint?.contains(says) == true, "\(complaint ?? "nothing")")
        }
    }
}
