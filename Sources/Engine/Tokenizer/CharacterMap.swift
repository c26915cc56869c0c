/// SentencePiece's compiled character map: a double-array trie (darts-clone) over what is replaced, and the replacements.
struct CharacterMap: Sendable {
    private let units: [UInt32]
    private let replacements: [UInt8]

    /// - Parameter blob: the trie's size in bytes, the trie, then the replacements, each ended by 0. Nil where it isn't so.
    init?(_ blob: [UInt8]) {
        func unit(at offset: Int) -> UInt32 {
            (0..<4).reduce(0) { $0 | UInt32(blob[offset + $1]) << (8 * UInt32($1)) }
        }
        guard blob.count >= 4 else { return nil }
        let size = Int(unit(at: 0))
        guard size > 0, size % 4 == 0, size <= blob.count - 4 else { return nil }
        units = stride(from: 4, to: 4 + size, by: 4).map(unit)
        replacements = Array(blob[(4 + size)...])
    }

    /// Every beginning of `text` that is replaced, the shortest first.
    func matches(_ text: ArraySlice<UInt8>) -> [(length: Int, replacement: [Unicode.Scalar])] {
        var found: [(length: Int, replacement: [Unicode.Scalar])] = []
        var place = Self.offset(units[0])
        for (index, byte) in text.enumerated() {
            place ^= Int(byte)
            guard byte != 0, units.indices.contains(place) else { break }
            let unit = units[place]
            guard unit & (1 << 31 | 0xFF) == UInt32(byte) else { break }
            place ^= Self.offset(unit)
            guard unit >> 8 & 1 == 1, units.indices.contains(place) else { continue }
            let start = Int(units[place] & (1 << 31 - 1))
            guard start <= replacements.count else { break }
            found.append((index + 1, Bytes(Array(replacements[start...].prefix { $0 != 0 })).scalars))
        }
        return found
    }

    private static func offset(_ unit: UInt32) -> Int { Int((unit >> 10) << ((unit & 0x200) >> 6)) }

    /// As SentencePiece does it: everywhere the longest.
    func replaceLongest(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let bytes = Bytes(scalars: text).storage
        var result: [Unicode.Scalar] = []
        var start = 0
        var done = 0
        for scalar in text {
            defer { start += UTF8.width(scalar) }
            if start < done { continue }
            if let match = matches(bytes[start...]).last {
                result += match.replacement
                done = start + match.length
            } else {
                result.append(scalar)
            }
        }
        return result
    }

    /// As the `tokenizers` library does it: what a reader takes for one character as a whole if it is short, else each of
    /// its parts, by the shortest beginning.
    func replaceCharacters(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var string = ""
        string.unicodeScalars.append(contentsOf: text)
        return string.flatMap { character -> [Unicode.Scalar] in
            let whole = Array(String(character).utf8)
            if whole.count < 6, let match = matches(whole[...]).first { return match.replacement }
            return character.unicodeScalars.flatMap { scalar in
                matches(Bytes(scalars: [scalar]).storage[...]).first?.replacement ?? [scalar]
            }
        }
    }
}
