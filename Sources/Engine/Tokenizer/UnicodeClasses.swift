/// The character classes of the regular expressions that tokenizers split with, by Unicode general category
/// and property, as Oniguruma and Rust's `regex` define them.
extension Unicode.Scalar {
    /// `\p{L}`
    var isLetter: Bool {
        if value < 0x80 { return (value | 0x20) &- 0x61 < 26 }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter:
            isKnownToReference
        default: false
        }
    }

    /// `\p{N}`
    var isNumber: Bool {
        if value < 0x80 { return value &- 0x30 < 10 }
        return switch properties.generalCategory {
        case .decimalNumber, .letterNumber, .otherNumber: isKnownToReference
        default: false
        }
    }

    /// The reference's expressions are built on Unicode 16, to which younger characters are unassigned.
    private var isKnownToReference: Bool { (properties.age?.major ?? .max) <= 16 }

    /// `\s`
    var isSpace: Bool {
        if value < 0x80 { return value == 0x20 || (0x09...0x0D).contains(value) }
        return properties.isWhitespace
    }

    /// `[^\s\p{L}\p{N}]`
    var isOther: Bool { !isSpace && !isLetter && !isNumber }

    /// `[\r\n]`
    var isLineBreak: Bool { value == 0x0A || value == 0x0D }

    /// `\w` of Rust's `regex` (UTS #18 Annex C).
    var isWordCharacter: Bool {
        if properties.isAlphabetic || properties.isJoinControl { return true }
        return switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: false
        }
    }
}

/// GPT-2's map between bytes and printable characters: printable Latin-1 bytes stand for themselves, the other
/// 68 for U+0100 upwards, in byte order.
enum ByteAlphabet {
    static let scalars: [Unicode.Scalar] = {
        var next: UInt32 = 0x100
        return (0..<256).map { byte in
            if (0x21...0x7E).contains(byte) || (0xA1...0xAC).contains(byte) || byte >= 0xAE {
                return Unicode.Scalar(UInt8(byte))
            }
            defer { next += 1 }
            return Unicode.Scalar(next)!
        }
    }()

    static let bytes: [Unicode.Scalar: UInt8] = Dictionary(
        uniqueKeysWithValues: scalars.enumerated().map { ($1, UInt8($0)) })
}
