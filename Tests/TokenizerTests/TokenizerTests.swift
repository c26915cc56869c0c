import Foundation
import Testing
import Tokenizer

@Suite struct TokenizerTests {
    /// A tokenizer.json with five tokens, with `changes` to its parts.
    private func json(_ change: (inout [String: Any]) -> Void = { _ in }) throws -> Data {
        var whole: [String: Any] = [
            "added_tokens": [],
            "model": ["type": "BPE", "vocab": ["a": 0, "b": 1, "ab": 2], "merges": [["a", "b"]]]
                as [String: Any],
        ]
        change(&whole)
        return try JSONSerialization.data(withJSONObject: whole)
    }

    private func model(_ changes: [String: Any?]) throws -> Data {
        try json { whole in
            var model = whole["model"] as? [String: Any] ?? [:]
            for (key, value) in changes { model[key] = value }
            whole["model"] = model
        }
    }

    private func message(_ data: Data) -> String {
        do {
            _ = try Tokenizer(json: data)
            return "read without error"
        } catch {
            return "\(error)"
        }
    }

    @Test func refusesWhatItCannotRead() throws {
        let cases: [(Data, String)] = [
            (try model(["merges": nil as Any?]), "tokenizer.json: the BPE model has no merges"),
            (try model(["merges": [String]()]), "has no merges"),
            (try model(["merges": [["a", "c"]]]), "merge 0 (a c) uses tokens the vocabulary lacks"),
            (try model(["merges": ["a b c"]]), "merge 0 is not a pair"),
            (try model(["vocab": ["a": "zero"]]), "vocabulary entry \"a\" has no whole number"),
            (try model(["vocab": ["a": -1]]), "vocabulary entry \"a\" has no whole number"),
            (try model(["vocab": [String: Int]()]), "no vocabulary"),
            (try model(["unk_token": "?"]), "unk_token ? is not in the vocabulary"),
            (
                try model(["type": "WordPiece"]),
                "the model type is WordPiece, and only BPE and Unigram are known"
            ),
            (try model(["type": "Unigram"]), "the model has no list of tokens and scores"),
            (
                try model(["type": "Unigram", "vocab": [["a", -1.5]]] as [String: Any?]),
                "unk_id is not the place of a token"
            ),
            (try json { $0["model"] = nil }, "there is no model"),
            (try json { $0["normalizer"] = ["type": "Nmt"] }, "normalizer Nmt is not known"),
            (
                try json {
                    $0["normalizer"] = ["type": "Precompiled", "precompiled_charsmap": "////"]
                }, "precompiled_charsmap is no character map"
            ),
            (try json { $0["pre_tokenizer"] = ["type": "Bert"] }, "pre-tokenizer Bert is not known"),
            (
                try json {
                    $0["pre_tokenizer"] = [
                        "type": "Split", "behavior": "Isolated", "pattern": ["Regex": "[a-f]+"],
                    ]
                }, "regular expression [a-f]+ is not known"
            ),
            (try json { $0["decoder"] = ["type": "CTC"] }, "decoder CTC is not known"),
            (try json { $0["post_processor"] = ["type": "Odd"] }, "post-processor Odd is not known"),
            (try json { $0["added_tokens"] = [["content": "x"]] }, "an added token has no id"),
            (Data("{\"model\": {\"vocab\": {\"a\": 1".utf8), "found the end of the text"),
            (Data("{\"model\": nul}".utf8), "at byte 10: found 'n'"),
            (Data("[\"\u{1}\"]".utf8), "the byte 0x01 in a string"),
            (Data([0x22, 0xFF, 0x22]), "not valid UTF-8"),
            (Data("\"\\ud800\"".utf8), "half of a surrogate pair"),
            (Data(String(repeating: "[", count: 10_000).utf8), "nested deeper"),
        ]
        for (data, expected) in cases {
            #expect(message(data).contains(expected), "\(message(data))")
        }
    }

    @Test func aMissingFileIsNamed() {
        let directory = URL(fileURLWithPath: "/nonexistent")
        #expect {
            try Tokenizer(directory: directory)
        } throws: {
            "\($0)".hasPrefix("/nonexistent/tokenizer.json: there is no such file; ")
        }
    }

    @Test func canonicallyEqualTokensStayApart() throws {
        let text =
            #"{"model": {"type": "BPE", "vocab": {"\u00e9": 0, "e": 1, "\u0301": 2, "e\u0301": 3}, "#
            + #""merges": ["e \u0301"]}}"#
        let tokenizer = try Tokenizer(json: Data(text.utf8))
        #expect(tokenizer.encode("\u{E9}") == [0])
        #expect(tokenizer.encode("e\u{301}") == [3])
        #expect(tokenizer.id(of: "\u{E9}") == 0 && tokenizer.id(of: "e\u{301}") == 3)
    }

    @Test func longLinesTakeLinearTime() throws {
        let tokenizer = try Fixture.tokenizer("metaspace")
        let sentence = "A red car stands on the left 红 "
        let line = String(repeating: sentence, count: 4000)
        let start = ContinuousClock.now
        let ids = tokenizer.encode(line)
        // Quadratic merging of 120,000 symbols takes minutes; the bound is wide for slow machines.
        #expect(ContinuousClock.now - start < .seconds(10))
        #expect(tokenizer.decode(ids) == line)
    }

    @Test func idsOutsideTheVocabularyAreRefusedOnRequest() throws {
        let tokenizer = try Tokenizer(json: json())
        try tokenizer.check([0, 1, 2])
        #expect(throws: TokenizerError.idOutOfRange(id: 3, size: 3)) { try tokenizer.check([0, 3]) }
        #expect(throws: TokenizerError.idOutOfRange(id: -1, size: 3)) { try tokenizer.check([-1]) }
        #expect(tokenizer.pieces([2, 9]) == ["ab", "<id 9?>"])
        #expect(tokenizer.vocabularySize == 3)
    }

    @Test func theConfigurationNamesTokensAndTheirPlaces() throws {
        let plain = try Fixture.data("metaspace.json")
        let configuration = #"""
            {"bos_token": "<s>", "eos_token": {"content": "</s>"}, "pad_token": "<pad>", "unk_token": null,
             "add_bos_token": false, "add_eos_token": true,
             "added_tokens_decoder": {"4000": {"content": "<extra>", "special": true}}}
            """#
        let tokenizer = try Tokenizer(json: plain, configuration: Data(configuration.utf8))
        #expect(tokenizer.bos == 1 && tokenizer.eos == 2 && tokenizer.unknown == 0)
        #expect(tokenizer.pad == tokenizer.id(of: "<pad>") && tokenizer.pad != nil)
        #expect(tokenizer.vocabularySize == 4001)
        #expect(tokenizer.isSpecial(4000) && !tokenizer.isSpecial(300))
        #expect(tokenizer.encode("<extra>", addSpecialTokens: true) == [4000, 2])
        #expect(tokenizer.encode("<extra>") == [4000])
        let wrong = Data(#"{"added_tokens_decoder": {"x": {"content": "y"}}}"#.utf8)
        #expect {
            try Tokenizer(json: plain, configuration: wrong)
        } throws: {
            "\($0)".hasPrefix(
                "tokenizer_config.json: added_tokens_decoder has the key \"x\", which is not an id; ")
        }
    }

    @Test func theDigestFollowsTokensAndMerges() throws {
        let base = try Tokenizer(json: json())
        #expect(base.digest.count == 64)
        #expect(try Tokenizer(json: model(["merges": ["a b"]])).digest == base.digest)
        let more = try Tokenizer(json: model(["vocab": ["a": 0, "b": 1, "ab": 2, "ba": 3]]))
        #expect(more.digest != base.digest)
        let merged = try Tokenizer(
            json: model([
                "vocab": ["a": 0, "b": 1, "ab": 2, "ba": 3], "merges": ["a b", "b a"],
            ]))
        #expect(merged.digest != more.digest)
        let added = try Tokenizer(json: json { $0["added_tokens"] = [["id": 3, "content": "x"]] })
        #expect(added.digest != base.digest)
    }
}
