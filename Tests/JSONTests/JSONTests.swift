import JSON
import Records
import Testing

@Suite struct JSONTests {
    /// Lines that must come back byte for byte, whatever is set beside them.
    @Test(arguments: [
        #"{"n":9007199254740993,"a":1.0,"b":-0.0,"c":1e400,"d":1E-5}"#,
        #"{ "b" : 1 ,  "a":[ 1, 2.50 ], "\u0063":"\u00e9\/\ud83d\ude00" }"#,
        #"{"\#u{E9}":1,"e\#u{301}":2,"z":{"y":null,"x":[true,false,{}]}}"#,
        #"{"":"","K":1,"\#u{212A}":2}"#,
    ])
    func untouchedMembersKeepTheirBytes(line: String) throws {
        var record = try Record(parsing: line)
        #expect(record.text == line)
        record.set("new", .string("x"))
        #expect(record.text == String(line.dropLast()) + #","new":"x"}"#)
        record.set("new", .int(7))
        #expect(record.text == String(line.dropLast()) + #","new":7}"#)
        record.remove("new")
        #expect(record.text == line)
    }

    @Test func replacementStaysInPlace() throws {
        var record = try Record(parsing: #"{"a":1 , "b" : [1] ,"c":3}"#)
        record.set("b", .array([]))
        #expect(record.text == #"{"a":1 , "b" : [] ,"c":3}"#)
        record.set("a", try JSON(parsing: "1"))
        #expect(record.text == #"{"a":1 , "b" : [] ,"c":3}"#)
        #expect(record.rawValue("c").map(Array.init) == Array("3".utf8))
    }

    @Test func emptyObjectKeepsItsSpace() throws {
        #expect(try Record(parsing: "{ }").text == "{ }")
        var record = try Record(parsing: "{ }")
        record.set("a", JSON.null)
        #expect(record.text == #"{"a":null}"#)
    }

    @Test(arguments: [
        ("", 0), ("{", 1), ("{}x", 2), ("{} {}", 3), ("[1,]", 3), (#"{"a":1,}"#, 7), (#"{"a" 1}"#, 5),
        (#"{a:1}"#, 1), ("{'a':1}", 1), ("01", 1), ("+1", 0), (".5", 0), ("1.", 2), ("1e", 2), ("-", 1),
        ("NaN", 0), ("Infinity", 0), ("-Infinity", 1), ("nul", 0), ("tru", 0), ("True", 0),
        (#"{"a":1,"a":2}"#, 7), (#"{"a":1,"\u0061":2}"#, 7), (#""abc"#, 0), ("\"a\tb\"", 2),
        (#""\x""#, 2), (#""\u12g4""#, 5), (#""\ud800""#, 3), (#""\udc00""#, 3), (#""\ud800\u0041""#, 3),
        ("[1 2]", 3), ("// c\n1", 0), ("\u{FEFF}1", 0), ("\u{00A0}1", 0),
    ])
    func refuses(text: String, offset: Int) {
        do {
            let value = try JSON(parsing: text)
            Issue.record("\(text) was read as \(value)")
        } catch JSONError.malformed(let found, _, _) {
            #expect(found == offset, "in \(text)")
        } catch { Issue.record("\(error)") }
    }

    @Test(
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF4, 0x90, 0x80, 0x80], [0xC3]] as [[UInt8]])
    func refusesInvalidUTF8(bytes: [UInt8]) {
        #expect(throws: JSONError.self) { try JSON(parsing: ([0x22] + bytes + [0x22])[...]) }
    }

    @Test func offsetsCountFromTheLineAndNotItsBuffer() throws {
        let buffer = Array(#"xxxx{"a":?}"#.utf8)
        do {
            _ = try JSON(parsing: buffer[4...])
            Issue.record("read")
        } catch JSONError.malformed(let offset, _, _) { #expect(offset == 5) }
    }

    @Test func depthIsBounded() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: "[", count: depth) + String(repeating: "]", count: depth)
        }
        #expect(try JSON(parsing: nested(128)).text == nested(128))
        #expect(throws: JSONError.self) { try JSON(parsing: nested(100_000)) }
    }

    @Test func manyKeysAreReadOnceAndDuplicatesFound() throws {
        let members = (0..<20_000).map { #""k\#($0)":\#($0)"# }.joined(separator: ",")
        #expect(try Record(parsing: "{\(members)}").int("k19999") == 19_999)
        #expect(throws: RecordError.self) { try Record(parsing: "{\(members),\"k7\":0}") }
    }

    @Test func floatsPrintTheFewestDigitsThatReadBack() throws {
        let values: [Double] = [
            0.1, 1, -0.0, 1e21, .leastNonzeroMagnitude, 1.7976931348623157e308, 0.1 + 0.2, 2.0 / 3,
            9_007_199_254_740_994,
        ]
        for value in values {
            let text = try JSON.double(value).text
            let back = try #require(Double(text))
            #expect(back.bitPattern == value.bitPattern, "\(text)")
            #expect(try JSON(parsing: text).text == text)
        }
        #expect(try JSON.double(0.1).text == "0.1")
        #expect(try JSON.float(0.1).text == "0.1")
        #expect(try JSON.float(1 / 3).text == "0.33333334")
        var bits: UInt32 = 1
        for _ in 0..<10_000 {
            bits = bits &* 1_664_525 &+ 1_013_904_223
            let value = Float(bitPattern: bits)
            guard value.isFinite else { continue }
            #expect(Float(try JSON.float(value).text)?.bitPattern == bits)
        }
    }

    @Test func nothingIsWrittenForNumbersThatAreNone() {
        for value in [Double.nan, .infinity, -.infinity] {
            #expect(throws: JSONError.notFinite("\(value)")) { try JSON.double(value) }
            #expect(throws: JSONError.notFinite("\(value)")) { try JSON.float(Float(value)) }
        }
    }

    @Test func stringsAreEscapedAsLittleAsTheGrammarAllows() throws {
        let text = "\"\\/\u{08}\t\n\u{0C}\r\u{01}\u{1F}\u{7F}é😀\u{2028}"
        #expect(JSON.string(text).text == #""\"\\/\b\t\n\f\r\u0001\u001f"# + "\u{7F}é😀\u{2028}\"")
        #expect(try JSON(parsing: JSON.string(text).bytes[...]) == .string(text))
    }

    /// A caller that reads piece by piece holds what it wants, and meets the same refusals.
    @Test func readsPieceByPiece() throws {
        var reader = JSONReader(Array(#" {"a": [1, 2 ], "b":"x", "c": {"d":null}} "#.utf8)[...])
        var seen: [String] = []
        try reader.object { reader, key in
            switch key {
            case "a": try reader.array { seen.append(try $0.number().raw) }
            case "b": seen.append(try reader.string())
            default: seen.append(try reader.value().text)
            }
        }
        try reader.end()
        #expect(seen == ["1", "2", "x", #"{"d":null}"#])
        for text in ["[]", #"{"a":1,"a":2}"#, #"{"a" 1}"#, #"{"a":1"#, "{,}"] {
            var reader = JSONReader(Array(text.utf8)[...])
            #expect(throws: JSONError.self, "\(text)") {
                try reader.object { reader, _ in _ = try reader.value() }
            }
        }
    }
}
