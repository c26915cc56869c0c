/// A strict reader of JSON (RFC 8259) over bytes: of a whole value by `value`, or piece by piece, so that nothing is
/// held but what the caller keeps.
///
/// Refused, with the byte offset: anything after the value, duplicate keys, invalid UTF-8, unpaired surrogates, raw
/// control characters, NaN and Infinity, numbers such as `01`, `+1` or `.5`, and nesting deeper than `maximumDepth`.
/// Every error is a `JSONError.malformed`.
package struct JSONReader {
    /// Deep enough for every record, shallow enough for the stack of any thread.
    package static let maximumDepth = 128

    private let input: ArraySlice<UInt8>
    private var at: Int
    /// Arrays and objects that are open.
    private var depth = 0

    package init(_ input: ArraySlice<UInt8>) {
        self.input = input
        at = input.startIndex
    }

    /// How many bytes have been read.
    package var offset: Int { at - input.startIndex }

    /// The end of the text; white space may come before it.
    package mutating func end() throws {
        skipSpace()
        guard at == input.endIndex else { throw fault("found \(here)", "only one value is allowed here") }
    }

    // MARK: - Values

    /// The next value, whatever it is.
    package mutating func value() throws -> JSON {
        skipSpace()
        guard depth <= Self.maximumDepth else {
            throw fault("nested deeper than \(Self.maximumDepth) levels", "flatten the value")
        }
        guard let byte = peek else { throw fault("the text ends", "a value is expected here") }
        switch byte {
        case UInt8(ascii: "{"): return .object(try object())
        case UInt8(ascii: "["):
            var items: [JSON] = []
            try array { reader in items.append(try reader.value()) }
            return .array(items)
        case UInt8(ascii: "\""): return .string(try string())
        case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return .number(try number())
        case UInt8(ascii: "t"): return try word("true", .bool(true))
        case UInt8(ascii: "f"): return try word("false", .bool(false))
        case UInt8(ascii: "n"): return try word("null", .null)
        default: throw fault("found \(here)", "a value is expected here")
        }
    }

    private mutating func word(_ word: StaticString, _ value: JSON) throws -> JSON {
        let isThere = word.withUTF8Buffer { input[at...].starts(with: $0) }
        guard isThere else { throw fault("found \(here)", "\(word) or another value is expected here") }
        at += word.utf8CodeUnitCount
        return value
    }

    /// An object of which `visit` reads each value.
    package mutating func object(_ visit: (_ reader: inout JSONReader, _ key: String) throws -> Void) throws {
        try open("{", "an object")
        if take("}") { return depth -= 1 }
        var seen = KeySet()
        repeat {
            let key = try key(&seen)
            try visit(&self, key)
        } while try goesOn(until: "}")
    }

    /// An array of which `visit` reads each item.
    package mutating func array(_ visit: (_ reader: inout JSONReader) throws -> Void) throws {
        try open("[", "an array")
        if take("]") { return depth -= 1 }
        repeat {
            skipSpace()
            try visit(&self)
        } while try goesOn(until: "]")
    }

    /// An object with the bytes of its members.
    private mutating func object() throws -> JSONObject {
        var rawStart = at + 1
        try open("{", "an object")
        if take("}") {
            depth -= 1
            return JSONObject(members: [], emptyBody: input[rawStart..<at - 1])
        }
        var members: [JSONObject.Member] = []
        var seen = KeySet()
        while true {
            let key = try key(&seen)
            let valueStart = at
            let value = try value()
            let valueRange = valueStart..<at
            skipSpace()
            members.append(
                JSONObject.Member(key: key, value: value, raw: input[rawStart..<at], valueRange: valueRange))
            guard try goesOn(until: "}") else { return JSONObject(members: members) }
            rawStart = at
        }
    }

    private mutating func open(_ bracket: Unicode.Scalar, _ kind: String) throws {
        skipSpace()
        guard take(bracket) else { throw fault("found \(here)", "\(kind) is expected here") }
        depth += 1
        skipSpace()
    }

    /// Moves over the comma before another member, or the bracket that closes.
    private mutating func goesOn(until bracket: Unicode.Scalar) throws -> Bool {
        skipSpace()
        if take(",") { return true }
        guard take(bracket) else { throw fault("found \(here)", "a comma or \(bracket) is expected here") }
        depth -= 1
        return false
    }

    /// A key that hasn't been seen in this object, and the colon.
    private mutating func key(_ seen: inout KeySet) throws -> String {
        skipSpace()
        let start = at
        guard peek == UInt8(ascii: "\"") else {
            throw fault("found \(here)", "a quoted key is expected here")
        }
        let key = try string()
        guard seen.insert(key) else {
            at = start
            throw fault("the key \"\(key)\" occurs twice", "keep one of the two")
        }
        skipSpace()
        guard take(":") else { throw fault("found \(here)", "a colon is expected after the key") }
        skipSpace()
        return key
    }

    package mutating func number() throws -> JSONNumber {
        skipSpace()
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

    package mutating func string() throws -> String {
        skipSpace()
        let opening = at
        guard take("\"") else { throw fault("found \(here)", "a string is expected here") }
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
                try escape(into: &decoded)
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

    private mutating func escape(into out: inout [UInt8]) throws {
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
            let scalar = try unicodeEscape()
            out += Array(String(Character(scalar)).utf8)
        default:
            at -= 1
            throw fault("found \(here) after a backslash", "JSON has no such escape")
        }
    }

    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        let offset = at
        let first = try fourHexDigits()
        if let scalar = Unicode.Scalar(first) { return scalar }
        if (0xD800..<0xDC00).contains(first), take("\\"), take("u") {
            let second = try fourHexDigits()
            if (0xDC00..<0xE000).contains(second),
                let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
            {
                return scalar
            }
        }
        at = offset
        throw fault("a \\u escape that is half of a surrogate pair", "write both halves")
    }

    private mutating func fourHexDigits() throws -> UInt32 {
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

    /// What the caller finds wrong with what was read, at this place.
    package func fault(_ found: String, _ remedy: String = "") -> JSONError {
        .malformed(offset: offset, found: found, remedy: remedy)
    }
}

/// The keys of one object, for finding a second one of the same bytes.
/// A few keys are compared one by one; many go into a set, so that no object takes quadratic time.
private struct KeySet {
    private struct Key: Hashable {
        let text: String

        static func == (a: Key, b: Key) -> Bool { a.text.hasSameBytes(as: b.text) }

        func hash(into hasher: inout Hasher) {
            var text = text
            text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        }
    }

    private var few: [String] = []
    private var many: Set<Key> = []

    mutating func insert(_ key: String) -> Bool {
        if many.isEmpty {
            if few.contains(where: { $0.hasSameBytes(as: key) }) { return false }
            if few.isEmpty { few.reserveCapacity(8) }
            few.append(key)
            if few.count == 16 { many = Set(few.map(Key.init)) }
            return true
        }
        return many.insert(Key(text: key)).inserted
    }
}
