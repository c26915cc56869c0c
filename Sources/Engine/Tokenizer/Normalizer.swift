import Foundation
import JSON

/// The rewriting of text before it is split, as tokenizer.json's `normalizer` states it.
indirect enum Normalizer: Sendable {
    case sequence([Normalizer])
    case nfc, nfd, nfkc, nfkd
    case lowercase
    case replace(SplitPattern, [Unicode.Scalar])
    case prepend([Unicode.Scalar])
    case strip(left: Bool, right: Bool)
    /// SentencePiece's character map, as the `tokenizers` library reads it.
    case precompiled(CharacterMap)
    /// The same as SentencePiece reads it, and what it does to spaces then.
    case sentencePiece(CharacterMap?, ExtraSpaces)

    /// Throws ``TokenizerError/unsupported(file:part:found:)`` on a type that is not known.
    init(_ json: JSON, file: String) throws {
        switch json["type"]?.asText {
        case "Sequence":
            self = .sequence(try (json["normalizers"]?.items ?? []).map { try Normalizer($0, file: file) })
        case "NFC": self = .nfc
        case "NFD": self = .nfd
        case "NFKC": self = .nfkc
        case "NFKD": self = .nfkd
        case "Lowercase": self = .lowercase
        case "Replace":
            self = .replace(
                try SplitPattern(json["pattern"], file: file), json["content"]?.asBytes?.scalars ?? [])
        case "Prepend": self = .prepend(json["prepend"]?.asBytes?.scalars ?? [])
        case "Strip":
            self = .strip(left: json["strip_left"]?.flag ?? true, right: json["strip_right"]?.flag ?? true)
        case "Precompiled":
            let blob = json["precompiled_charsmap"]?.asText.flatMap { Data(base64Encoded: $0) }
            guard let map = blob.flatMap({ CharacterMap([UInt8]($0)) }) else {
                throw TokenizerError.malformed(file: file, reason: "precompiled_charsmap is no character map")
            }
            self = .precompiled(map)
        case let type:
            throw TokenizerError.unsupported(file: file, part: "normalizer", found: type ?? "without type")
        }
    }

    func normalize(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        switch self {
        case .sequence(let steps): return steps.reduce(text) { $1.normalize($0) }
        case .nfc: return compose(text, \.precomposedStringWithCanonicalMapping)
        case .nfd: return compose(text, \.decomposedStringWithCanonicalMapping)
        case .nfkc: return compose(text, \.precomposedStringWithCompatibilityMapping)
        case .nfkd: return compose(text, \.decomposedStringWithCompatibilityMapping)
        case .lowercase:
            // Scalar by scalar, as Rust's char::to_lowercase: no final sigma.
            return text.flatMap { scalar -> [Unicode.Scalar] in
                if scalar.value < 0x80 {
                    return (0x41...0x5A).contains(scalar.value)
                        ? [Unicode.Scalar(scalar.value | 0x20)!] : [scalar]
                }
                return Array(scalar.properties.lowercaseMapping.unicodeScalars)
            }
        case .replace(let pattern, let content):
            var result: [Unicode.Scalar] = []
            var end = 0
            for match in pattern.matches(in: text) {
                result += text[end..<match.lowerBound]
                result += content
                end = match.upperBound
            }
            return result + text[end...]
        case .prepend(let prefix): return text.isEmpty ? text : prefix + text
        case .strip(let left, let right):
            var slice = text[...]
            if left { slice = slice.drop { $0.isSpace } }
            if right { while let last = slice.last, last.isSpace { slice.removeLast() } }
            return Array(slice)
        case .precompiled(let map): return map.replaceCharacters(text)
        case .sentencePiece(let map, let spaces):
            return spaces.applied(to: map?.replaceLongest(text) ?? text)
        }
    }

    private func compose(_ text: [Unicode.Scalar], _ form: KeyPath<String, String>) -> [Unicode.Scalar] {
        if text.allSatisfy({ $0.value < 0x80 }) { return text }
        var string = ""
        string.unicodeScalars.append(contentsOf: text)
        return Array(string[keyPath: form].unicodeScalars)
    }
}

/// What SentencePiece does to spaces that stand at the ends of a text or beside each other.
enum ExtraSpaces: Sendable {
    case kept, removed
    /// Removed, but for one at the beginning: the text goes on.
    case removedAfterFirst

    func applied(to text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        if case .kept = self { return text }
        var kept = Array(text.split(separator: " ").joined(separator: [" "]))
        if case .removedAfterFirst = self, text.first == " " { kept.insert(" ", at: 0) }
        // At the end a mark counts as a space, whoever has written it.
        while kept.last == " " || kept.last == "▁" { kept.removeLast() }
        return kept
    }
}
