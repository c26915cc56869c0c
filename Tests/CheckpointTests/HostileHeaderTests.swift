import Checkpoint
import Foundation
import Testing

/// A file of the given header text and as many zero bytes.
func safetensors(header: String, dataByteCount: Int) -> Data {
    safetensors(header: Array(header.utf8), dataByteCount: dataByteCount)
}

func safetensors(header: [UInt8], dataByteCount: Int, claimedLength: UInt64? = nil) -> Data {
    let length = claimedLength ?? UInt64(header.count)
    return withUnsafeBytes(of: length.littleEndian) { Data($0) } + Data(header) + Data(count: dataByteCount)
}

/// Headers that lie, and the words that the refusal has to contain.
struct HostileFile: CustomTestStringConvertible, Sendable {
    let label: String
    let data: Data
    let words: String

    var testDescription: String { label }

    init(_ label: String, _ data: Data, _ words: String) {
        self.label = label
        self.data = data
        self.words = words
    }

    init(_ label: String, header: String, dataByteCount: Int = 0, _ words: String) {
        self.init(label, safetensors(header: header, dataByteCount: dataByteCount), words)
    }

    private static func two(_ first: String, _ second: String) -> String {
        #"{"a":{"dtype":"F32","shape":[1],"data_offsets":\#(first)},"b":{"dtype":"F32","shape":[1],"data_offsets":\#(second)}}"#
    }

    private static func one(_ shape: String, _ offsets: String, type: String = "F32") -> String {
        #"{"a":{"dtype":"\#(type)","shape":\#(shape),"data_offsets":\#(offsets)}}"#
    }

    static let all: [HostileFile] = [
        .init("empty file", Data(), "too few"),
        .init("seven bytes", Data(count: 7), "too few"),
        .init(
            "length beyond the file",
            safetensors(header: Array("{}".utf8), dataByteCount: 0, claimedLength: 99), "claims 99"),
        .init(
            "length beyond 100 MB", safetensors(header: [], dataByteCount: 0, claimedLength: 100_000_001),
            "more than"),
        .init(
            "length of 2^64 - 1", safetensors(header: [], dataByteCount: 0, claimedLength: .max), "more than"),
        .init("length zero", safetensors(header: "", dataByteCount: 0), "an object is expected"),
        .init("not UTF-8", safetensors(header: [0x7B, 0x22, 0xFF, 0x22, 0x7D], dataByteCount: 0), "UTF-8"),
        .init("not JSON", header: "tensor", "an object is expected"),
        .init("a list", header: "[]", "an object is expected"),
        .init("text after the JSON", header: "{} x", "only one value"),
        .init(
            "JSON cut short", header: one("[1]", "[0,4]").dropLastTwo, dataByteCount: 4, "the end of the text"
        ),
        .init("string without end", header: #"{"a"#, "closing quote"),
        .init("half a surrogate", header: #"{"\ud800":1}"#, "surrogate"),
        .init("control character", header: "{\"a\u{1}\":1}", "0x01 in a string"),
        .init("overlap", header: two("[0,4]", "[2,6]"), dataByteCount: 6, "overlap"),
        .init("the same bytes twice", header: two("[0,4]", "[0,4]"), dataByteCount: 4, "overlap"),
        .init("gap", header: two("[0,4]", "[8,12]"), dataByteCount: 12, "gap"),
        .init("gap at the front", header: one("[1]", "[4,8]"), dataByteCount: 8, "gap"),
        .init("bytes that nobody names", header: one("[1]", "[0,4]"), dataByteCount: 5, "follow the last"),
        .init("out of the file", header: one("[2]", "[0,8]"), dataByteCount: 4, "ends at byte"),
        .init(
            "offsets that overflow",
            header: one(
                "[1]",
                "[9223372036854775800,9223372036854775804]"), "data_offsets"),
        .init("offsets beyond 64 bits", header: one("[1]", "[0,99999999999999999999]"), "whole number"),
        .init("begin after end", header: one("[1]", "[4,0]"), dataByteCount: 4, "data_offsets"),
        .init("negative offset", header: one("[1]", "[-4,0]"), dataByteCount: 4, "whole number"),
        .init("one offset", header: one("[1]", "[0]"), dataByteCount: 4, "data_offsets"),
        .init("size not that of the shape", header: one("[3]", "[0,8]"), dataByteCount: 8, "needs 12"),
        .init(
            "size not that of the dtype",
            header: one(
                "[2]",
                "[0,8]", type: "F16"), dataByteCount: 8, "needs 4"),
        .init("shape that overflows", header: one("[4294967296,4294967296]", "[0,0]"), "more elements"),
        .init(
            "shape that overflows in bytes",
            header: one(
                "[2305843009213693952]",
                "[0,0]"), "more elements"),
        .init("fractional shape", header: one("[1.5]", "[0,4]"), dataByteCount: 4, "whole number"),
        .init("unknown dtype", header: one("[4]", "[0,4]", type: "F8_E4M3"), dataByteCount: 4, "F8_E4M3"),
        .init("unknown key", header: #"{"a":{"dtype":"F32","stride":[1]}}"#, "stride"),
        .init("missing key", header: #"{"a":{"dtype":"F32","shape":[1]}}"#, "lacks"),
        .init(
            "a name twice",
            header:
                #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#,
            dataByteCount: 8, "twice"),
        .init(
            "an escaped name twice",
            header: #"{"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"\u0061":{}}"#, "twice"),
        .init("metadata that are not strings", header: #"{"__metadata__":{"a":1}}"#, "a string is expected"),
    ]
}

extension String {
    fileprivate var dropLastTwo: String { String(dropLast(2)) }
}

@Suite struct HostileHeaderTests {
    @Test(arguments: HostileFile.all)
    func liesAreRefused(file: HostileFile) throws {
        let scratch = try ScratchDirectory()
        let url = scratch.file("lie.safetensors")
        try file.data.write(to: url)
        let error = try #require(throws: CheckpointError.self) { try SafetensorsFile(url) }
        #expect(error.description.hasPrefix(url.path + ": ") && error.description.contains("; "))
        #expect(error.description.contains(file.words), "\(error)")
    }

    @Test func aDirectoryAndAMissingFileAreRefused() throws {
        let scratch = try ScratchDirectory()
        #expect(throws: CheckpointError.self) { try SafetensorsFile(scratch.url) }
        #expect(throws: CheckpointError.self) { try SafetensorsFile(scratch.file("absent")) }
    }

    /// Every prefix of a sound file is refused, and none takes the process down.
    @Test func everyTruncationIsRefused() throws {
        let scratch = try ScratchDirectory()
        let url = scratch.file("a")
        try SafetensorsWriter.write([.init("w", shape: [5], as: .f16, values: [1, 2, 3, 4, 5])], to: url)
        let whole = try Data(contentsOf: url)
        for length in 0..<whole.count {
            try whole.prefix(length).write(to: url)
            #expect(throws: CheckpointError.self, "\(length)") { try SafetensorsFile(url) }
        }
    }
}
