import Foundation
import Model
import OracleFixtures
import Testing

/// The one check of all programs whether a prompt and what follows it are more than the model reads.
@Suite struct LengthTests {
    private static func model() throws -> VisionLanguageModel {
        try VisionLanguageModel(directory: Oracle.root.appendingPathComponent("llava-grouped"))
    }

    @Test func countsThePromptAndAllThatFollows() throws {
        let model = try Self.model()
        let prompt = model.pictureTokens(.tile) + [5, 6]
        let room = model.context - prompt.count
        try model.checkLength(of: prompt, ["answer": room], remedy: "")
        try model.checkLength(of: prompt, ["answer": room - 3, "turn": 3], remedy: "")
        let error = #expect(throws: PromptError.self) {
            try model.checkLength(of: prompt, ["answer": room - 3, "turn": 4], remedy: "be brief")
        }
        #expect(error?.isTooLong == true)
        #expect(
            error?.description
                == "it takes 257 tokens (prompt \(prompt.count) with \(model.pictureTokens(.tile).count) of the picture, "
                + "answer \(room - 3), turn 4), and the model reads 256; be brief")
    }

    /// Text and picture, a prompt and its longest answer, to the token.
    @Test(arguments: [false, true]) func encodingStopsAtTheContext(hasImage: Bool) throws {
        let model = try Self.model()
        func encode(_ words: Int) throws -> EncodedPrompt {
            try model.encode(
                prompt: "What?", picture: hasImage ? .tile : nil,
                answers: ["A", Array(repeating: "A", count: words).joined(separator: " ")])
        }
        func count(_ encoded: EncodedPrompt) -> Int { encoded.prompt.count + encoded.answers[1].count }
        var words = 1
        var last = try encode(words)
        let error = #expect(throws: PromptError.self) {
            while true {
                last = try encode(words)
                words += 1
            }
        }
        let perWord = try count(encode(3)) - count(encode(2))
        #expect(count(last) <= 256 && count(last) + perWord > 256)
        #expect(error?.isTooLong == true)
        #expect(error?.description.contains("and the model reads 256; shorten") == true)
        #expect(error?.description.contains("of the picture") == hasImage)
        #expect(last.pictureEnd == (hasImage ? last.prompt.lastIndex { $0 < 0 }! + 1 : 0))
    }
}
