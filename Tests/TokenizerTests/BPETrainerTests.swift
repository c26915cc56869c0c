import Foundation
import Testing
import Tokenizer

@Suite struct BPETrainerTests {
    static let lines = (0..<40).flatMap { i in
        [
            "A small red triangle stands on the left of the picture.",
            "Is there a large blue square? Yes, there is, at \(i).",
        ]
    }

    @Test func frequentWordsAreSingleTokens() throws {
        let trained = try BPETrainer(family: .llama, vocabularySize: 600).train(Self.lines)
        let tokenizer = try trained.tokenizer(maximumLength: 512)
        #expect(trained.vocabularySize <= 600 && tokenizer.vocabularySize == trained.vocabularySize)
        for word in ["▁A", "▁triangle", "▁picture", "▁there", "▁square"] {
            #expect(tokenizer.id(of: word) != nil)
        }
        let ids = tokenizer.encode("A red triangle, 12 squares.", addSpecialTokens: true)
        #expect(
            tokenizer.pieces(ids)
                == ["<s>", "▁A", "▁red", "▁triangle", ",", "▁", "1", "2", "▁square", "s", "."])
        #expect(
            ["<unk>", "<s>", "</s>", "<image>", "<pad>", "<0x00>"].map(tokenizer.id(of:)) == [
                0, 1, 2, 3, 4, 5,
            ])
        #expect(tokenizer.bos == 1 && tokenizer.eos == 2 && tokenizer.pad == 4 && tokenizer.unknown == 0)
        for text in ["A red triangle, 12 squares.", "née 红\n\t👍🏽 é"] {
            #expect(bytes(tokenizer.decode(tokenizer.encode(text))) == bytes(text))
        }
        #expect(tokenizer.pieces(tokenizer.encode("<image>\nIs")) == ["<image>", "<0x0A>", "Is"])
    }

    @Test func clipWordsEndInTheirSuffix() throws {
        let trained = try BPETrainer(family: .clip, vocabularySize: 700).train(Self.lines)
        let tokenizer = try trained.tokenizer(maximumLength: 77)
        let ids = tokenizer.encode("A Red\n TRIANGLE 12", addSpecialTokens: true)
        #expect(
            tokenizer.pieces(ids)
                == ["<|startoftext|>", "a</w>", "red</w>", "triangle</w>", "1</w>", "2</w>", "<|endoftext|>"])
        // The end token has the highest id, which older CLIP configurations rely on to find it.
        #expect(Int(tokenizer.eos ?? 0) == tokenizer.vocabularySize - 1)
        #expect(tokenizer.decode(ids) == "a red triangle 1 2")
    }

    @Test func theSameLinesGiveTheSameFiles() throws {
        func files() throws -> [Data] {
            let directory = FileManager.default.temporaryDirectory.appendingPathComponent("bpe-\(UUID())")
            defer { try? FileManager.default.removeItem(at: directory) }
            let trained = try BPETrainer(family: .llama, vocabularySize: 450).train(Self.lines)
            try trained.write(to: directory, maximumLength: 512)
            let read = try Tokenizer(directory: directory)
            #expect(try read.digest == trained.tokenizer(maximumLength: 512).digest)
            return try ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"].map {
                try Data(contentsOf: directory.appendingPathComponent($0))
            }
        }
        #expect(try files() == files())
    }

    @Test func aVocabularyWithoutRoomIsRefused() {
        #expect(throws: TokenizerError.vocabularyTooSmall(asked: 100, needed: 356)) {
            try BPETrainer(family: .llama, vocabularySize: 100).train(["red", "blue"])
        }
    }
}
