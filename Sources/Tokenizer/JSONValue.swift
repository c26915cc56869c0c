/// A JSON value whose strings and keys are bytes. Foundation's parsers hand out `String` keys, under which two
/// canonically equal vocabulary entries would fall together.
enum JSONValue: Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case string(Bytes)
    case array([JSONValue])
    case object([(key: Bytes, value: JSONValue)])

    /// The value under `key`, nil when this is no object, the key is missing or its value is null.
    /// Of a repeated key the last counts, as in the reference's parser.
    subscript(_ key: String) -> JSONValue? {
        guard case .object(let entries) = self else { return nil }
        let wanted = Bytes(key)
        guard let value = entries.last(where: { $0.key == wanted })?.value else { return nil }
        if case .null = value { return nil }
        return value
    }

    var bytes: Bytes? {
        if case .string(let value) = self { value } else { nil }
    }

    var text: String? { bytes?.text }

    var flag: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    var items: [JSONValue]? {
        if case .array(let value) = self { value } else { nil }
    }

    var entries: [(key: Bytes, value: JSONValue)]? {
        if case .object(let value) = self { value } else { nil }
    }

    /// A whole number from 0 to 2³¹−1.
    var id: Int32? {
        guard case .number(let value) = self, value >= 0, value <= 2_147_483_647 else { return nil }
        return Int32(exactly: value)
    }

    /// Parses a whole document (RFC 8259). Throws ``TokenizerError/malformed(file:reason:)`` with the byte offset.
    static func parse(_ data: [UInt8], file: String) throws -> JSONValue {
        var parser = JSONParser(bytes: data, file: file)
        return try parser.document()
    }
}

private struct JSONParser {
    let bytes: [UInt8]
    let file: String
    var position = 0

    /// Deeper than any tokenizer file nests; a guard against exhausting the stack on hostile input.
    static let deepest = 200

    init(bytes: [UInt8], file: String) {
        self.bytes = bytes
        self.file = file
    }

    func failure(_ what: String) -> TokenizerError {
        .malformed(file: file, reason: "at byte \(position): \(what)")
    }

    mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x0A, 0x0D, 0x09].contains(bytes[position]) { position += 1 }
    }

    mutating func peek() throws -> UInt8 {
        skipSpace()
        guard position < bytes.count else { throw failure("the file ends early") }
        return bytes[position]
    }

    mutating func expect(_ byte: UInt8) throws {
        guard try peek() == byte else {
            throw failure("'\(Character(Unicode.Scalar(byte)))' was expected")
        }
        position += 1
    }

    mutating func document() throws -> JSONValue {
        let result = try value(depth: 0)
        skipSpace()
        guard position == bytes.count else { throw failure("more follows after the JSON value") }
        return result
    }

    mutating func value(depth: Int) throws -> JSONValue {
        guard depth < Self.deepest else { throw failure("nested deeper than \(Self.deepest)") }
        switch try peek() {
        case UInt8(ascii: "{"): return try object(depth: depth)
        case UInt8(ascii: "["): return try array(depth: depth)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "t"): return try literal("true", .bool(true))
        case UInt8(ascii: "f"): return try literal("false", .bool(false))
        case UInt8(ascii: "n"): return try literal("null", .null)
        default: return try number()
        }
    }

    mutating func literal(_ word: StaticString, _ value: JSONValue) throws -> JSONValue {
        let end = position + word.utf8CodeUnitCount
        guard end <= bytes.count,
            word.withUTF8Buffer({ bytes[position..<end].elementsEqual($0) })
        else { throw failure("no JSON value") }
        position = end
        return value
    }

    mutating func number() throws -> JSONValue {
        let start = position
        while position < bytes.count, "+-.eE0123456789".utf8.contains(bytes[position]) { position += 1 }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        guard let value = Double(text), value.isFinite else {
            position = start
            throw failure("no JSON value")
        }
        return .number(value)
    }

    mutating func array(depth: Int) throws -> JSONValue {
        try expect(UInt8(ascii: "["))
        var items: [JSONValue] = []
        if try peek() == UInt8(ascii: "]") {
            position += 1
            return .array(items)
        }
        while true {
            items.append(try value(depth: depth + 1))
            if try peek() == UInt8(ascii: ",") {
                position += 1
            } else {
                try expect(UInt8(ascii: "]"))
                return .array(items)
            }
        }
    }

    mutating func object(depth: Int) throws -> JSONValue {
        try expect(UInt8(ascii: "{"))
        var entries: [(key: Bytes, value: JSONValue)] = []
        if try peek() == UInt8(ascii: "}") {
            position += 1
            return .object(entries)
        }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw failure("a key was expected") }
            let key = try string()
            try expect(UInt8(ascii: ":"))
            entries.append((key, try value(depth: depth + 1)))
            if try peek() == UInt8(ascii: ",") {
                position += 1
            } else {
                try expect(UInt8(ascii: "}"))
                return .object(entries)
            }
        }
    }

    mutating func string() throws -> Bytes {
        position += 1
        var result: [UInt8] = []
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case UInt8(ascii: "\""):
                guard String(validating: result, as: UTF8.self) != nil else {
                    throw failure("no valid UTF-8")
                }
                return Bytes(result)
            case UInt8(ascii: "\\"): result.append(scalar: try escape())
            case ..<0x20: throw failure("a bare control character in a string")
            default: result.append(byte)
            }
        }
        throw failure("a string without end")
    }

    mutating func escape() throws -> Unicode.Scalar {
        guard position < bytes.count else { throw failure("the file ends early") }
        let byte = bytes[position]
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): return Unicode.Scalar(byte)
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{C}"
        case UInt8(ascii: "u"): return try unicodeEscape()
        default: throw failure("an unknown escape")
        }
    }

    mutating func unicodeEscape() throws -> Unicode.Scalar {
        let first = try hexadecimal()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, position + 1 < bytes.count, bytes[position] == UInt8(ascii: "\\"),
            bytes[position + 1] == UInt8(ascii: "u")
        else { throw failure("half of a surrogate pair") }
        position += 2
        let second = try hexadecimal()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + (first - 0xD800) << 10 + (second - 0xDC00))
        else { throw failure("half of a surrogate pair") }
        return scalar
    }

    mutating func hexadecimal() throws -> UInt32 {
        guard position + 4 <= bytes.count,
            let value = UInt32(String(decoding: bytes[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw failure("no \\u escape") }
        position += 4
        return value
    }
}
