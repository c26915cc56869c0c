/// One word of a text with what clings to it: `before + raw + after` restores the text between two spaces.
package struct Word: Sendable, Equatable {
    package let before: String
    package var raw: String
    package let after: String
    /// Lower case, letters and digits only.
    package let core: String

    var text: String { before + raw + after }
    /// A comma or the like behind the word ends its noun phrase.
    var endsPhrase: Bool { !after.isEmpty }
}

package enum Lexer {
    /// Words parted by white space; punctuation at their ends is kept aside. Bytes beyond ASCII count as letters.
    package static func words(of text: String) -> [Word] {
        text.utf8.split(whereSeparator: isSpace).map { bytes in
            let isLetter = { (byte: UInt8) in
                (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte)
                    || byte >= 128
            }
            guard let first = bytes.firstIndex(where: isLetter), let last = bytes.lastIndex(where: isLetter)
            else { return Word(before: String(decoding: bytes, as: UTF8.self), raw: "", after: "", core: "") }
            let raw = String(decoding: bytes[first...last], as: UTF8.self)
            return Word(
                before: String(decoding: bytes[bytes.startIndex..<first], as: UTF8.self), raw: raw,
                after: String(decoding: bytes[bytes.index(after: last)...], as: UTF8.self),
                core: raw.lowercased())
        }
    }

    /// The sentences of a text, trimmed, each with its closing mark. Nothing of the text but space is lost.
    package static func sentences(of text: String) -> [String] {
        var result: [String] = []
        var current: [UInt8] = []
        func flush() {
            let trimmed = current.drop(while: isSpace)
            let end =
                trimmed.lastIndex { !isSpace($0) }.map { trimmed.index(after: $0) } ?? trimmed.startIndex
            if end > trimmed.startIndex {
                result.append(String(decoding: trimmed[trimmed.startIndex..<end], as: UTF8.self))
            }
            current = []
        }
        for byte in text.utf8 {
            let isMark = byte == UInt8(ascii: ".") || byte == UInt8(ascii: "!") || byte == UInt8(ascii: "?")
            if byte != 10 { current.append(byte) }
            if isMark || byte == 10 { flush() }
        }
        flush()
        return result
    }

    private static func isSpace(_ byte: UInt8) -> Bool {
        byte == 32 || (9...13).contains(byte)
    }
}

/// What single words mean to the judge. Wider than what captions say, since models say more.
enum Lexicon {
    static let categories: [String: Category] = Dictionary(
        uniqueKeysWithValues: Category.allCases.flatMap { category in category.synonyms.map { ($0, category) }
        })

    static let colours: [String: Colour] = {
        var table = Dictionary(uniqueKeysWithValues: Colour.allCases.map { ($0.rawValue, $0) })
        table["violet"] = .purple
        return table
    }()

    static let sizes: [String: Size] = [
        "small": .small, "little": .small, "tiny": .small, "medium": .medium, "large": .large,
        "big": .large,
    ]

    static let counts: [String: Int] = [
        "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5,
    ]

    static let contexts: [String: Context] = Dictionary(
        uniqueKeysWithValues: Context.allCases.map { ($0.rawValue, $0) })

    static let rows: [String: Row] = [
        "top": .top, "upper": .top, "middle": .middle, "bottom": .bottom, "lower": .bottom,
    ]

    static let columns: [String: Column] = [
        "left": .left, "center": .center, "centre": .center, "right": .right,
    ]

    static let relations: [String: Relation] = [
        "above": .above, "over": .above, "below": .below, "under": .below, "beneath": .below,
        "underneath": .below,
    ]

    static let frames: Set<String> = ["image", "picture", "photo", "scene"]
}
