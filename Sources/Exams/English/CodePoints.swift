/// What Python's strings and regular expressions say of a code point.
extension Unicode.Scalar {
    /// `\s`, `str.isspace`.
    var isSpace: Bool {
        switch value {
        case 0x09...0x0D, 0x1C...0x20, 0x85, 0xA0, 0x1680, 0x2000...0x200A, 0x2028, 0x2029, 0x202F, 0x205F,
            0x3000:
            true
        default: false
        }
    }

    /// `\w`: letters, numbers of any kind and the underscore.
    var isWordPart: Bool {
        if isASCII { return isASCIILetter || isASCIIDigit || self == "_" }
        switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: return true
        default: return properties.numericType != nil
        }
    }

    /// `\d`.
    var isDecimal: Bool {
        isASCII ? isASCIIDigit : properties.generalCategory == .decimalNumber
    }

    /// `str.isdigit`, which knows superscripts too.
    var isDigit: Bool {
        if isASCII { return isASCIIDigit }
        return properties.numericType == .decimal || properties.numericType == .digit
    }

    private var isASCIIDigit: Bool { (0x30...0x39).contains(value) }
    private var isASCIILetter: Bool { (0x61...0x7A).contains(value | 0x20) }
}

typealias CodePoints = [Unicode.Scalar]

extension Sequence<Unicode.Scalar> {
    var string: String {
        var text = String.UnicodeScalarView()
        text.append(contentsOf: self)
        return String(text)
    }
}

extension CodePoints {
    /// The first index from `start` at which there is none of these.
    func end(from start: Int, of isMeant: (Unicode.Scalar) -> Bool) -> Int {
        var end = start
        while end < count, isMeant(self[end]) { end += 1 }
        return end
    }
}
