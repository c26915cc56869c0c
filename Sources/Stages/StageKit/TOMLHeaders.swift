/// Looks at the headers of tables before the parser does, which ends the process where a header doesn't begin with a
/// key (toml++ 3.0 asserts that it does).
struct TOMLHeaders {
    private static let keyBeginnings = Set(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_\"'".utf8)

    private let bytes: [UInt8]
    private var at = 0

    /// `line:column` of the first header that doesn't begin with a key; nil where there is none.
    static func fault(in bytes: [UInt8]) -> String? {
        var headers = TOMLHeaders(bytes: bytes)
        while headers.at < bytes.count {
            headers.skip(while: \.isJSONSpace)
            if headers.byte == UInt8(ascii: "["), !headers.takesHeader() { return headers.place }
            headers.skipStatement()
        }
        return nil
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
        if bytes.starts(with: ElementScanner.byteOrderMark) { at = ElementScanner.byteOrderMark.count }
    }

    private var byte: UInt8? { at < bytes.count ? bytes[at] : nil }

    private var place: String {
        let before = bytes[..<at]
        let line = before.count { $0 == UInt8(ascii: "\n") } + 1
        let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
        return "\(line):\(at - start + 1)"
    }

    private mutating func skip(while isSkipped: (UInt8) -> Bool) {
        while let byte, isSkipped(byte) { at += 1 }
    }

    /// Passes `[` or `[[` and blanks.
    /// - Returns: whether a key begins there.
    private mutating func takesHeader() -> Bool {
        at += 1
        if byte == UInt8(ascii: "[") { at += 1 }
        skip { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        return byte.map { Self.keyBeginnings.contains($0) } ?? false
    }

    /// Passes the rest of a header or of a key with its value, which may be an array or a string of many lines.
    private mutating func skipStatement() {
        var depth = 0
        while let byte {
            switch byte {
            case UInt8(ascii: "\n") where depth <= 0: return
            case UInt8(ascii: "#"): skip { $0 != UInt8(ascii: "\n") }
            case UInt8(ascii: "\""), UInt8(ascii: "'"): skipString(byte)
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                at += 1
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
                at += 1
            default: at += 1
            }
        }
    }

    private mutating func skipString(_ quote: UInt8) {
        let isLong = bytes[at...].starts(with: [quote, quote, quote])
        at += isLong ? 3 : 1
        while let byte {
            if isLong ? bytes[at...].starts(with: [quote, quote, quote]) : byte == quote {
                at += isLong ? 3 : 1
                return
            }
            if !isLong, byte == UInt8(ascii: "\n") { return }
            at += byte == UInt8(ascii: "\\") && quote == UInt8(ascii: "\"") ? 2 : 1
        }
    }
}
