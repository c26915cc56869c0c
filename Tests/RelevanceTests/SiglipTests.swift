import Foundation
import Imaging
import OracleFixtures
import Relevance
import Testing

/// What transformers makes of pictures and texts (Tests/Fixtures/oracle/make_siglip.py).
private struct SiglipExpectation: Decodable {
    let texts: [String]
    let logits: [[Double]]
    let cosines: [[Double]]
}

private func picture(_ number: Int) -> PictureFile {
    PictureFile(Oracle.root.appendingPathComponent("pictures/picture-\(number).png").path)
}

@Suite(.serialized) struct SiglipTests {
    /// From picture files and texts to transformers' numbers: resizing, cleaning, padding and truncation are its own too.
    private func check(_ model: RelevanceModel, _ name: String) throws {
        let expected: SiglipExpectation = try Oracle.json(name)
        for (image, (logits, cosines)) in zip(expected.logits, expected.cosines).enumerated() {
            let scores = try model.scores(image: picture(image), texts: expected.texts)
            for (text, score) in scores.enumerated() {
                let score = try #require(score)
                #expect(abs(score.cosine - cosines[text]) < 1e-4, "\(image) \(text)")
                #expect(abs(try #require(score.logit) - logits[text]) < 1e-4, "\(image) \(text)")
            }
        }
        // The second is longer than sixteen tokens; it is read again for every picture, and counted.
        #expect(model.cutTexts >= expected.logits.count)
    }

    @Test(arguments: ["siglip-fixed", "siglip-flexible"])
    func scoresAreThoseOfTransformers(_ name: String) throws {
        try check(open(Oracle.root.appendingPathComponent(name)), name)
    }

    private func open(_ folder: URL, capacity: Int = 64) throws -> RelevanceModel {
        try RelevanceModel(directory: folder, compute: .f32, capacity: capacity)
    }

    private func withCopy(_ name: String, _ body: (URL) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("siglip-\(UUID())")
        try FileManager.default.copyItem(at: Oracle.root.appendingPathComponent(name), to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        try body(folder)
    }

    /// Replaces a word of a file.
    private func change(_ file: URL, _ old: String, _ new: String) throws {
        let text = try String(contentsOf: file, encoding: .utf8)
        #expect(text.contains(old))
        try Data(text.replacingOccurrences(of: old, with: new).utf8).write(to: file)
    }

    @Test func paddingIsMaskedWhereTheFileSaysSo() throws {
        try withCopy("siglip-fixed") { folder in
            let file = folder.appendingPathComponent("tokenizer_config.json")
            try change(file, #""input_ids""#, #""input_ids", "attention_mask""#)
            try check(open(folder), "siglip-masked")
        }
    }

    /// To the bit: alone, together, in another order.
    @Test(arguments: ["siglip-fixed", "siglip-flexible"])
    func neighborsDoNotShow(_ name: String) throws {
        let folder = Oracle.root.appendingPathComponent(name)
        let texts = ["A large blue house.", "two cups", "A.", "the small RED dog stands on the left"]
        let queries = (0..<4).map { RelevanceModel.Query(image: picture($0), texts: texts) }
        let together = try open(folder).scores(queries).map { try $0.get() }
        let small = try open(folder, capacity: 1)
        for number in (0..<4).reversed() {
            #expect(
                try small.scores(image: picture(number), texts: texts.reversed()).reversed()
                    == together[number])
        }
    }

    @Test func whatDoesNotFitIsSaid() throws {
        try withCopy("siglip-fixed") { folder in
            try change(folder.appendingPathComponent("preprocessor_config.json"), "30", "31")
            #expect {
                try open(folder)
            } throws: {
                "\($0)".contains("it makes pictures of 31×31 and the vision tower reads 30×30")
            }
        }
        try withCopy("siglip-flexible") { folder in
            let config = folder.appendingPathComponent("config.json")
            try change(config, #""num_patches": 36"#, #""num_patches": 35"#)
            #expect {
                try open(folder)
            } throws: {
                "\($0)".contains("num_patches is 35, which is no square")
            }
        }
    }
}
