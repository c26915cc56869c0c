import Foundation
import Testing
import Tokenizer

/// Files that Tests/Fixtures/tokenizers/make_tokenizers.py made with the reference library.
enum Fixture {
    static let directory = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Fixtures/tokenizers")

    static func data(_ name: String) throws -> Data {
        try Data(contentsOf: directory.appendingPathComponent(name))
    }

    static func tokenizer(_ name: String) throws -> Tokenizer { try Tokenizer(json: data("\(name).json")) }

    static func lines() throws -> [String] {
        try JSONDecoder().decode([String].self, from: data("lines.json"))
    }

    static func ids(_ name: String) throws -> [[Int32]] {
        try String(decoding: data("\(name).ids"), as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).dropLast()
            .map { line in try line.split(separator: " ").map { try #require(Int32($0)) } }
    }
}

/// Text is compared by bytes: `String`'s equality would let NFC pass for NFD.
func bytes(_ text: String) -> [UInt8] { Array(text.utf8) }

@Suite struct ReferenceTests {
    static let names = ["llama", "metaspace", "bytelevel", "llama3", "qwen2", "clip", "splits", "words"]

    @Test("ids are the reference's on every line", arguments: names)
    func ids(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let lines = try Fixture.lines()
        let expected = try Fixture.ids(name)
        #expect(lines.count == 1000 && expected.count == 1000)
        for (line, ids) in zip(lines, expected) {
            #expect(tokenizer.encode(line, addSpecialTokens: true) == ids, "\(line.debugDescription)")
        }
    }

    @Test("text is the reference's on every line", arguments: names)
    func texts(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        let differing = try JSONDecoder().decode([String: String].self, from: Fixture.data("\(name).texts"))
        for (number, (line, ids)) in zip(try Fixture.lines(), try Fixture.ids(name)).enumerated() {
            let expected = differing[String(number)] ?? line
            #expect(bytes(tokenizer.decode(ids)) == bytes(expected), "line \(number)")
        }
    }

    @Test("stretches that cut characters in two decode as in the reference", arguments: names)
    func cuts(name: String) throws {
        struct Cut: Decodable {
            var ids: [Int32]
            var text: String
            init(from decoder: any Decoder) throws {
                var list = try decoder.unkeyedContainer()
                ids = try list.decode([Int32].self)
                text = try list.decode(String.self)
            }
        }
        let tokenizer = try Fixture.tokenizer(name)
        let cuts = try JSONDecoder().decode([Cut].self, from: Fixture.data("\(name).cuts"))
        #expect(cuts.count == 100)
        for cut in cuts {
            #expect(
                bytes(tokenizer.decode(cut.ids, skipSpecialTokens: false)) == bytes(cut.text), "\(cut.ids)")
        }
    }

    @Test("spans cut anywhere join to the text of the whole", arguments: names)
    func spans(name: String) throws {
        let tokenizer = try Fixture.tokenizer(name)
        for (number, ids) in try Fixture.ids(name).enumerated() where number % 5 == 4 || number % 5 == 1 {
            for size in [1, 3] {
                var text = ""
                for start in stride(from: 0, to: ids.count, by: size) {
                    let end = min(start + size, ids.count)
                    text += tokenizer.text(of: ids[start..<end], after: Array(ids[..<start]))
                }
                #expect(bytes(text) == bytes(tokenizer.decode(ids)), "line \(number) by \(size)")
            }
        }
    }
}
