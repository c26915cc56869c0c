import JSON

/// The way from tokens back to text, as tokenizer.json's `decoder` states it. Works on bytes, since a token may
/// hold part of a character.
indirect enum TokenDecoder: Sendable {
    case sequence([TokenDecoder])
    case replace([UInt8], [UInt8])
    case byteFallback
    case fuse
    case strip(Unicode.Scalar, start: Int, stop: Int)
    case byteLevel
    case metaspace(mark: Unicode.Scalar, scheme: PrependScheme)
    case suffix([UInt8])

    /// Throws ``TokenizerError/unsupported(file:part:found:)`` on a type that is not known.
    init(_ json: JSON, file: String) throws {
        switch json["type"]?.asText {
        case "Sequence":
            self = .sequence(try (json["decoders"]?.items ?? []).map { try TokenDecoder($0, file: file) })
        case "Replace":
            guard case .literal(let pattern) = try SplitPattern(json["pattern"], file: file) else {
                throw TokenizerError.unsupported(file: file, part: "decoder", found: "Replace by expression")
            }
            self = .replace(Bytes(scalars: pattern).storage, json["content"]?.asBytes?.storage ?? [])
        case "ByteFallback": self = .byteFallback
        case "Fuse": self = .fuse
        case "Strip":
            guard let content = json["content"]?.asBytes?.scalars, content.count == 1 else {
                throw TokenizerError.malformed(
                    file: file, reason: "the Strip decoder's content is not one character")
            }
            self = .strip(content[0], start: Int(json["start"]?.id ?? 0), stop: Int(json["stop"]?.id ?? 0))
        case "ByteLevel": self = .byteLevel
        case "Metaspace":
            self = .metaspace(
                mark: try PreTokenizer.mark(json, file: file), scheme: try PrependScheme(json, file: file))
        case "BPEDecoder": self = .suffix(json["suffix"]?.asBytes?.storage ?? Array("</w>".utf8))
        case let type:
            throw TokenizerError.unsupported(file: file, part: "decoder", found: type ?? "without type")
        }
    }

    /// Decodes a chain of tokens. With `dropsIncompleteTail`, bytes at the very end that only begin a character
    /// are left out instead of becoming U+FFFD.
    func decode(_ tokens: [[UInt8]], dropsIncompleteTail: Bool) -> [[UInt8]] {
        switch self {
        case .sequence(let steps):
            return steps.reduce(tokens) { $1.decode($0, dropsIncompleteTail: dropsIncompleteTail) }
        case .replace(let pattern, let content):
            return tokens.map { $0.replacing(bytes: pattern, with: content) }
        case .byteFallback: return decodeByteTokens(tokens, dropsIncompleteTail: dropsIncompleteTail)
        case .fuse: return [Array(tokens.joined())]
        case .strip(let content, let start, let stop):
            return tokens.map { token in
                var scalars = Bytes(token).scalars[...]
                var left = start
                while left > 0, scalars.first == content {
                    scalars.removeFirst()
                    left -= 1
                }
                var right = stop
                while right > 0, scalars.last == content {
                    scalars.removeLast()
                    right -= 1
                }
                return Bytes(scalars: scalars).storage
            }
        case .byteLevel:
            var bytes = tokens.flatMap { token -> [UInt8] in
                let scalars = Bytes(token).scalars
                let mapped = scalars.compactMap { ByteAlphabet.bytes[$0] }
                return mapped.count == scalars.count ? mapped : token
            }
            if dropsIncompleteTail { bytes.removeLast(bytes.incompleteTailCount) }
            return [Array(String(decoding: bytes, as: UTF8.self).utf8)]
        case .metaspace(let mark, let scheme):
            return tokens.enumerated().map { i, token in
                let opening = i == 0 && scheme != .never
                return token.replacing(bytes: Bytes(scalars: [mark]).storage, with: opening ? [] : [0x20])
            }
        case .suffix(let suffix):
            return tokens.enumerated().map { i, token in
                token.replacing(bytes: suffix, with: i == tokens.count - 1 ? [] : [0x20])
            }
        }
    }

    /// A run of byte tokens is text when it is valid UTF-8, else one U+FFFD for each of its bytes.
    private func decodeByteTokens(_ tokens: [[UInt8]], dropsIncompleteTail: Bool) -> [[UInt8]] {
        var result: [[UInt8]] = []
        var run: [UInt8] = []
        func finishRun() {
            guard !run.isEmpty else { return }
            if String(validating: run, as: UTF8.self) != nil {
                result.append(run)
            } else {
                result += run.map { _ in Array("\u{FFFD}".utf8) }
            }
            run = []
        }
        for token in tokens {
            if let byte = ByteToken.byte(token) {
                run.append(byte)
            } else {
                finishRun()
                result.append(token)
            }
        }
        if dropsIncompleteTail { run.removeLast(run.incompleteTailCount) }
        finishRun()
        return result
    }
}
