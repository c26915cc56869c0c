/// A strict reader of JSON (RFC 8259) over bytes.
///
/// Refused, with the byte offset: anything after the value, duplicate keys, invalid UTF-8,
/// unpaired surrogates, raw control characters, NaN and Infinity, numbers such as `01`, `+1`
/// or `.5`, and nesting deeper than `maximumDepth`.
struct JSONParser {
    /// Deep enough for every record, shallow enough for the stack of any thread.
    static let maximumDepth = 128

    private let input: ArraySlice<UInt8>
    private var at: Int

    init(_ input: ArraySlice<UInt8>) {
        self.input = input
        at = input.startIndex
    }

    mutating func parseDocument() throws -> JSON {
        skipSpace()
        let value = try parseValue(depth: 0)
        skipSpace()
        guard at == input.endIndex else { throw fault("found \(here)", "only one value may stand here") }
        return value
    }

    // MARK: - Values

    private mutating func parseValue(depth: Int) throws -> JSON {
        guard depth <= Self.maximumDepth else {
            throw fault("nested deeper than \(Self.maximumDepth) levels", "flatten the value")
        }
        guard at < input.endIndex else { throw fault("the text ends", "a value is expected here") }
        switch input[at] {
        case UInt8(ascii: "{"): return .object(try parseObject(depth: depth))
        case UInt8(ascii: "["): return .array(try parseArray(depth: depth))
        case UInt8(ascii: "\""): return .string(try parseString())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try parseNumber())
        case UInt8(ascii: "t"): return try parseWord("true", .bool(true))
        case UInt8(ascii: "f"): return try parseWord("false", .bool(false))
        case UInt8(ascii: "n"): return try parseWord("null", .null)
        default: throw fault("found \(here)", "a value is expected here")
        }
    }

    private mutating func parseWord(_ word: StaticString, _ value: JSON) throws -> JSON {
        let expected = word.withUTF8Buffer { Array($0) }
        guard input[at...].starts(with: expected) else {
            throw fault("found \(here)", "\(word) or another value is expected here")
        }
        at += expected.count
        return value
    }

    private mutating func parseObject(depth: Int) throws -> JSONObject {
        at += 1
        let bodyStart = at
        skipSpace()
        if take("}") { return JSONObject(members: [], emptyBody: input[bodyStart..<at - 1]) }
        var members: [JSONObject.Member] = []
        var seen = KeySet()
        var rawStart = bodyStart
        while true {
            skipSpace()
            let keyOffset = at
            guard peek == UInt8(ascii: "\"") else {
                throw fault("found \(here)", "a quoted key is expected here")
            }
            let key = try parseString()
            guard seen.insert(key, among: members) else {
                at = keyOffset
                throw fault("the key \"\(key)\" stands twice", "keep one of the two")
            }
            skipSpace()
            guard take(":") else { throw fault("found \(here)", "a colon is expected after the key") }
            skipSpace()
            let valueStart = at
            let value = try parseValue(depth: depth + 1)
            let valueRange = valueStart..<at
            skipSpace()
            members.append(
                JSONObject.Member(key: key, value: value, raw: input[rawStart..<at], valueRange: valueRange))
            if take("}") { return JSONObject(members: members) }
            guard take(",") else { throw fault("found \(here)", "a comma or } is expected here") }
            rawStart = at
        }
    }

    private mutating func parseArray(depth: Int) throws -> [JSON] {
        at += 1
        skipSpace()
        if take("]") { return [] }
        var items: [JSON] = []
        while true {
            skipSpace()
            items.append(try parseValue(depth: depth + 1))
            skipSpace()
            if take("]") { return items }
            guard take(",") else { throw fault("found \(here)", "a comma or ] is expected here") }
        }
    }

    private mutating func parseNumber() throws -> JSONNumber {
        let start = at
        _ = take("-")
        if take("0") {
            if isDigit { throw fault("a number starts with 0", "write it without leading zeros") }
        } else {
            try takeDigits()
        }
        if take(".") { try takeDigits() }
        if take("e") || take("E") {
            if !take("+") { _ = take("-") }
            try takeDigits()
        }
        return JSONNumber(trusted: String(decoding: input[start..<at], as: UTF8.self))
    }

    private mutating func takeDigits() throws {
        guard isDigit else { throw fault("found \(here) in a number", "a digit is expected here") }
        while isDigit { at += 1 }
    }

    // MARK: - Strings

    private mutating func parseString() throws -> String {
        let opening = at
        at += 1
        let start = at
        while at < input.endIndex, input[at] != UInt8(ascii: "\""), input[at] != UInt8(ascii: "\\") {
            try refuseControlCharacter()
            at += 1
        }
        if peek == UInt8(ascii: "\"") {
            at += 1
            return try validated(input[start..<at - 1], from: start)
        }
        var decoded = Array(input[start..<at])
        while at < input.endIndex, input[at] != UInt8(ascii: "\"") {
            if take("\\") {
                try parseEscape(into: &decoded)
            } else {
                try refuseControlCharacter()
                decoded.append(input[at])
                at += 1
            }
        }
        guard take("\"") else {
            at = opening
            throw fault("a string without its closing quote", "the line may be torn; write it again")
        }
        return try validated(decoded[...], from: start)
    }

    private func refuseControlCharacter() throws {
        if input[at] < 0x20 { throw fault("found \(here) in a string", "write it as an escape") }
    }

    private mutating func validated(_ bytes: ArraySlice<UInt8>, from start: Int) throws -> String {
        guard let string = String(validating: bytes, as: UTF8.self) else {
            at = start
            throw fault("a string that is not valid UTF-8", "convert the file to UTF-8")
        }
        return string
    }

    private mutating func parseEscape(into out: inout [UInt8]) throws {
        guard at < input.endIndex else { throw fault("the text ends in an escape", "the line may be torn") }
        let letter = input[at]
        at += 1
        switch letter {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(letter)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"):
            let scalar = try parseUnicodeEscape()
            out += Array(String(Character(scalar)).utf8)
        default:
            at -= 1
            throw fault("found \(here) after a backslash", "JSON has no such escape")
        }
    }

    private mutating func parseUnicodeEscape() throws -> Unicode.Scalar {
        let offset = at
        let first = try parseHex4()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if (0xD800..<0xDC00).contains(first), take("\\"), take("u") {
            let second = try parseHex4()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            {
                return scalar
            }
        }
        at = offset
        throw fault("a \\u escape that is half of a surrogate pair", "write both halves")
    }

    private mutating func parseHex4() throws -> UInt32 {
        var value: UInt32 = 0
        for _ in 0..<4 {
            guard let byte = peek, let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw fault("found \(here) in a \\u escape", "four hexadecimal digits are expected")
            }
            value = value << 4 | UInt32(digit)
            at += 1
        }
        return value
    }

    // MARK: - Bytes

    private var peek: UInt8? { at < input.endIndex ? input[at] : nil }

    private var isDigit: Bool {
        at < input.endIndex && input[at] >= UInt8(ascii: "0") && input[at] <= UInt8(ascii: "9")
    }

    private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
        guard at < input.endIndex, input[at] == UInt8(ascii: scalar) else { return false }
        at += 1
        return true
    }

    private mutating func skipSpace() {
        while at < input.endIndex {
            switch input[at] {
            case 0x20, 0x09, 0x0A, 0x0D: at += 1
            default: return
            }
        }
    }

    /// The byte at the cursor as an error shows it.
    private var here: String {
        guard let byte = peek else { return "the end of the text" }
        if byte > 0x20, byte < 0x7F { return "'\(Character(Unicode.Scalar(byte)))'" }
        let hex = String(byte, radix: 16, uppercase: true)
        return "the byte 0x\(hex.count < 2 ? "0" : "")\(hex)"
    }

    private func fault(_ found: String, _ remedy: String) -> RecordError {
        .malformed(offset: at - input.startIndex, found: found, remedy: remedy)
    }
}

/// The keys of one object, for finding a second one of the same bytes.
/// A few keys are compared one by one; many go into a set, so that no object takes quadratic time.
private struct KeySet {
    private var set: Set<[UInt8]> = []

    mutating func insert(_ key: String, among members: [JSONObject.Member]) -> Bool {
        if members.count < 16 { return !members.contains { $0.key.hasSameBytes(as: key) } }
        if set.isEmpty { set = Set(members.map { Array($0.key.utf8) }) }
        return set.insert(Array(key.utf8)).inserted
    }
}
