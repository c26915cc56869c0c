/// Writes JSON for tokenizer files: keys in the given order, UTF-8 as it is.
enum JSONText {
    static func quoted(_ token: Bytes) -> String {
        var result = "\""
        for scalar in token.scalars {
            switch scalar {
            case "\"": result += "\\\""
            case "\\": result += "\\\\"
            case "\n": result += "\\n"
            case "\r": result += "\\r"
            case "\t": result += "\\t"
            case ..<" ":
                let digits = String(scalar.value, radix: 16)
                result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result + "\""
    }

    static func quoted(_ text: String) -> String { quoted(Bytes(text)) }
}
