/// Reads the little JSON that a safetensors header may hold, from UTF-8 bytes.
///
/// A scanner of our own because Foundation's parsers keep the last of two equal keys without a word,
/// and a header with a name twice is a header that lies.
struct HeaderScanner {
    /// What is wrong, and at which byte of the header.
    struct Fault: Error {
        let finding: String
        let offset: Int
    }

    private let text: [UInt8]
    private(set) var position = 0

    init(_ text: [UInt8]) { self.text = text }

    func fault(_ finding: String) -> Fault { Fault(finding: finding, offset: position) }

    mutating func skipSpace() {
        while position < text.count, [0x20, 0x09, 0x0A, 0x0D].contains(text[position]) { position += 1 }
    }

    /// True, and moves on, where the next character is `character`.
    mutating func take(_ character: Character) -> Bool {
        skipSpace()
        guard position < text.count, text[position] == character.asciiValue else { return false }
        position += 1
        return true
    }

    mutating func expect(_ character: Character) throws {
        guard take(character) else { throw fault("'\(character)' is missing in the header's JSON") }
    }

    mutating func expectEnd() throws {
        skipSpace()
        guard position == text.count else { throw fault("there is text after the header's JSON") }
    }

    /// An object: `visit` reads each value. Two equal keys are a fault.
    mutating func object(_ visit: (inout HeaderScanner, String) throws -> Void) throws {
        try expect("{")
        if take("}") { return }
        var seen: Set<String> = []
        repeat {
            let key = try string()
            guard seen.insert(key).inserted else { throw fault("the name \"\(key)\" occurs twice") }
            try expect(":")
            try visit(&self, key)
        } while take(",")
        try expect("}")
    }

    mutating func integers() throws -> [Int] {
        try expect("[")
        if take("]") { return [] }
        var numbers: [Int] = []
        repeat { numbers.append(try integer()) } while take(",")
        try expect("]")
        return numbers
    }

    mutating func integer() throws -> Int {
        skipSpace()
        var end = position
        while end < text.count, (0x30...0x39).contains(text[end]) { end += 1 }
        guard end > position, let number = Int(String(decoding: text[position..<end], as: UTF8.self)) else {
            throw fault("a whole number from 0 to 2^63 - 1 is missing in the header's JSON")
        }
        position = end
        return number
    }

    mutating func string() throws -> String {
        try expect("\"")
        var bytes: [UInt8] = []
        while position < text.count {
            let byte = text[position]
            position += 1
            switch byte {
            case 0x22: return String(decoding: bytes, as: UTF8.self)
            case 0x5C: bytes += try escape()
            case 0x00..<0x20: throw fault("a control character stands in a string of the header")
            default: bytes.append(byte)
            }
        }
        throw fault("a string of the header does not end")
    }

    private mutating func escape() throws -> [UInt8] {
        guard position < text.count else { throw fault("a string of the header does not end") }
        let byte = text[position]
        position += 1
        switch byte {
        case 0x22, 0x2F, 0x5C: return [byte]
        case 0x62: return [0x08]
        case 0x66: return [0x0C]
        case 0x6E: return [0x0A]
        case 0x72: return [0x0D]
        case 0x74: return [0x09]
        case 0x75: return Array(String(try unicodeEscape()).utf8)
        default: throw fault("an unknown escape stands in a string of the header")
        }
    }

    private mutating func unicodeEscape() throws -> Unicode.Scalar {
        var code = try fourHexDigits()
        if (0xD800..<0xDC00).contains(code), text[position...].starts(with: [0x5C, 0x75]) {
            position += 2
            let low = try fourHexDigits()
            guard (0xDC00..<0xE000).contains(low) else {
                throw fault("half a surrogate pair stands in a string")
            }
            code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(code) else {
            throw fault("half a surrogate pair stands in a string")
        }
        return scalar
    }

    private mutating func fourHexDigits() throws -> UInt32 {
        guard position + 4 <= text.count,
            let code = UInt32(String(decoding: text[position..<position + 4], as: UTF8.self), radix: 16)
        else { throw fault("\\u is not followed by four hexadecimal digits") }
        position += 4
        return code
    }
}
