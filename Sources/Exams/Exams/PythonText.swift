import JSON
import Tables

/// Texts as the methods of Python's `str` take them, code point by code point, which official scripts are written with.
typealias CodePoints = [Unicode.Scalar]

extension CodePoints {
    init(_ text: String) { self = Array(text.unicodeScalars) }

    var text: String { String(String.UnicodeScalarView(self)) }

    /// `str.lower`: full mappings, and a sigma at the end of a word in its own form.
    var lowercased: CodePoints {
        indices.flatMap { index -> CodePoints in
            if self[index] == "Σ" { return [isFinal(index) ? "ς" : "σ"] }
            return CodePoints(self[index].properties.lowercaseMapping)
        }
    }

    private func isFinal(_ index: Int) -> Bool {
        let before = self[..<index].last { !$0.properties.isCaseIgnorable }
        let after = self[(index + 1)...].first { !$0.properties.isCaseIgnorable }
        return before?.properties.isCased == true && after?.properties.isCased != true
    }

    /// `str.split()`.
    var words: [CodePoints] { split(whereSeparator: \.isPythonSpace).map(CodePoints.init) }

    /// `str.strip()`.
    var stripped: CodePoints {
        let start = self.drop(while: \.isPythonSpace)
        return CodePoints(start[..<((start.lastIndex { !$0.isPythonSpace } ?? start.startIndex - 1) + 1)])
    }
}

extension Unicode.Scalar {
    /// `str.isspace`, which takes the separators of files and records too.
    var isPythonSpace: Bool { properties.isWhitespace || (0x1C...0x1F).contains(value) }
    /// `\w` of `re` on a `str`.
    var isPythonWord: Bool {
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: true
        default: self == "_" || properties.numericType != nil
        }
    }
    /// `\d` of `re` on a `str`.
    var isDecimalDigit: Bool { properties.generalCategory == .decimalNumber }
}

/// `round(value, decimals)`.
func rounded(_ value: Double, _ decimals: Int) -> Double { Double(fixed(value, decimals)) ?? value }

/// What `json.dump` writes for an array of objects of strings and numbers, in ASCII.
func pythonJSON(_ rows: [KeyValuePairs<String, JSON>]) -> [UInt8] {
    func written(_ value: JSON) -> String {
        guard case .string(let text) = value else { return String(decoding: value.bytes, as: UTF8.self) }
        return "\"" + text.utf16.map(escaped).joined() + "\""
    }
    func escaped(_ unit: UInt16) -> String {
        switch unit {
        case 0x22: "\\\""
        case 0x5C: "\\\\"
        case 0x0A: "\\n"
        case 0x0D: "\\r"
        case 0x09: "\\t"
        case 0x08: "\\b"
        case 0x0C: "\\f"
        case 0x20...0x7E, 0x7F: String(UnicodeScalar(UInt8(unit)))
        default:
            "\\u" + String(repeating: "0", count: 4 - String(unit, radix: 16).count) + String(unit, radix: 16)
        }
    }
    var bytes: [UInt8] = [UInt8(ascii: "[")]
    for (index, row) in rows.enumerated() {
        let members = row.map { "\"\($0)\": " + written($1) }
        bytes += ((index == 0 ? "" : ", ") + "{" + members.joined(separator: ", ") + "}").utf8
    }
    return bytes + [UInt8(ascii: "]")]
}
