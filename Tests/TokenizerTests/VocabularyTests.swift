import Foundation
import Testing
import Tokenizer

/// Vocabularies of vision models' families (Tests/Fixtures/tokenizers/make_vocabularies.py).
@Suite struct VocabularyTests {
    /// Every third of the lines, and the ids of each.
    private func expectations(_ name: String) throws -> [(line: String, ids: [Int32])] {
        let lines = try Fixture.lines().enumerated().filter { $0.offset % 3 == 0 }.map(\.element)
        let ids = try String(decoding: Fixture.data("\(name).few"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { try $0.split(separator: " ").map { try #require(Int32($0)) } }
        try #require(lines.count == ids.count)
        return Array(zip(lines, ids)).map { (line: $0, ids: $1) }
    }

    @Test(arguments: ["smollm", "phi3", "gemma", "siglip2", "unigram"])
    func idsAreThoseOfTheLibrary(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for (line, ids) in try expectations(name) {
            #expect(tokenizer.encode(line, addSpecialTokens: true) == ids, "\(line.debugDescription)")
        }
    }

    /// A SentencePiece model, alone in a folder with what `files` holds.
    private func withModel<Result>(
        _ name: String, as file: String = "tokenizer.model", _ files: [String: String] = [:],
        _ body: (Tokenizer) throws -> Result
    ) throws -> Result {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spm-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        try Fixture.data("\(name).model").write(to: folder.appendingPathComponent(file))
        for (name, text) in files { try Data(text.utf8).write(to: folder.appendingPathComponent(name)) }
        return try body(Tokenizer(directory: folder))
    }

    /// Texts that spell a control token are the one difference: that is the token here, as in transformers.
    @Test(arguments: ["llama", "bpe", "pieces"])
    func idsAreThoseOfSentencePiece(name: String) throws {
        try withModel(name) { tokenizer in
            for (line, ids) in try expectations(name)
            where !["<s>", "</s>", "<unk>"].contains(where: line.contains) {
                #expect(tokenizer.encode(line) == ids, "\(line.debugDescription)")
                if name == "llama", !line.contains("▁"), !line.contains("<0x") {
                    #expect(bytes(tokenizer.decode(ids)) == bytes(line))
                }
            }
            #expect(tokenizer.bos == 1 && tokenizer.eos == 2 && tokenizer.unknown == 0)
            let whole = tokenizer.encode("A car.</s>", addSpecialTokens: true)
            #expect(whole.first == 1 && whole.last == 2)
        }
    }

    @Test func siglipCleansTextsFirst() throws {
        try withModel(
            "siglip", as: "spiece.model",
            ["tokenizer_config.json": #"{"tokenizer_class": "SiglipTokenizer"}"#]
        ) {
            tokenizer in
            for (line, ids) in try expectations("siglip")
            where !["<s>", "</s>", "<unk>", "<pad>", "Σ"].contains(where: line.contains) {
                #expect(tokenizer.encode(line, addSpecialTokens: true) == ids, "\(line.debugDescription)")
            }
        }
    }

    @Test func filesBesideAModelCount() throws {
        let files = [
            "added_tokens.json": #"{"<image>": 900}"#,
            "tokenizer_config.json": #"{"legacy": false, "add_bos_token": false, "pad_token": "<image>"}"#,
        ]
        try withModel("llama", files) { tokenizer in
            #expect(tokenizer.pad == 900 && tokenizer.isSpecial(900))
            let ids = tokenizer.encode("A car<image>\nA", addSpecialTokens: true)
            #expect(ids.contains(900) && ids.first != tokenizer.bos)
            let after = try #require(ids.firstIndex(of: 900)) + 1
            #expect(tokenizer.pieces(Array(ids[after...])) == ["<0x0A>", "A"])
        }
        let legacy = ["added_tokens.json": #"{"<image>": 900}"#]
        try withModel("llama", legacy) { tokenizer in
            #expect(tokenizer.pieces(tokenizer.encode("<image>\nA")) == ["<image>", "▁", "<0x0A>", "A"])
        }
    }

    @Test func aBrokenModelIsSaid() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("spm-\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let whole = try Fixture.data("siglip.model")
        let file = folder.appendingPathComponent("tokenizer.model")
        for broken in [whole.prefix(1000), Data("{}".utf8), Data(), whole.dropFirst(1)] {
            try Data(broken).write(to: file)
            let error = try #require(
                #expect(throws: TokenizerError.self) { try Tokenizer(directory: folder) })
            #expect("\(error)".contains("tokenizer.model: "))
        }
        // Whatever byte of it is another, it is read or refused.
        for place in stride(from: 0, to: whole.count, by: 97) {
            var changed = whole
            changed[changed.startIndex + place] ^= 0xFF
            try changed.write(to: file)
            _ = (try? Tokenizer(directory: folder))?.encode("A ﬁne café.")
        }
    }
}
