import JSON

/// A stretch of text on its way to the model.
struct Piece: Sendable {
    var scalars: [Unicode.Scalar]
    /// Whether it begins where the whole text begins; Metaspace's scheme `first` asks.
    var opensText: Bool
}

/// Where Metaspace puts its mark in front.
enum PrependScheme: String, Sendable {
    case first, always, never

    /// Reads the new form (`prepend_scheme`) and the old one (`add_prefix_space`).
    init(_ json: JSON, file: String) throws {
        guard let name = json["prepend_scheme"]?.asText else {
            self = json["add_prefix_space"]?.flag ?? true ? .always : .never
            return
        }
        guard let scheme = PrependScheme(rawValue: name) else {
            throw TokenizerError.unsupported(file: file, part: "prepend_scheme", found: name)
        }
        self = scheme
    }
}

/// The splitting of normalised text into words, as tokenizer.json's `pre_tokenizer` states it.
indirect enum PreTokenizer: Sendable {
    case sequence([PreTokenizer])
    case metaspace(mark: Unicode.Scalar, scheme: PrependScheme, splits: Bool)
    /// Spaces become the mark, and one more stands in front, wherever the scheme wants it.
    case mark(Unicode.Scalar, scheme: PrependScheme)
    case byteLevel(addsPrefixSpace: Bool, splits: Bool)
    case split(SplitPattern, SplitBehavior, inverted: Bool)
    case digits(individually: Bool)

    /// Throws ``TokenizerError/unsupported(file:part:found:)`` on a type that is not known.
    init(_ json: JSON, file: String) throws {
        switch json["type"]?.asText {
        case "Sequence":
            self = .sequence(
                try (json["pretokenizers"]?.items ?? []).map { try PreTokenizer($0, file: file) })
        case "Metaspace":
            self = .metaspace(
                mark: try Self.mark(json, file: file), scheme: try PrependScheme(json, file: file),
                splits: json["split"]?.flag ?? true)
        case "ByteLevel":
            self = .byteLevel(
                addsPrefixSpace: json["add_prefix_space"]?.flag ?? true,
                splits: json["use_regex"]?.flag ?? true)
        case "Split":
            let name = json["behavior"]?.asText ?? ""
            guard let behavior = SplitBehavior(rawValue: name) else {
                throw TokenizerError.unsupported(file: file, part: "split behavior", found: name)
            }
            self = .split(
                try SplitPattern(json["pattern"], file: file), behavior,
                inverted: json["invert"]?.flag ?? false)
        case "Digits": self = .digits(individually: json["individual_digits"]?.flag ?? false)
        case let type:
            throw TokenizerError.unsupported(file: file, part: "pre-tokenizer", found: type ?? "without type")
        }
    }

    /// The one character that stands for a space in Metaspace's pre-tokenizer and decoder.
    static func mark(_ json: JSON, file: String) throws -> Unicode.Scalar {
        guard let scalars = json["replacement"]?.asBytes?.scalars else { return "▁" }
        guard scalars.count == 1 else {
            throw TokenizerError.malformed(file: file, reason: "Metaspace's replacement is not one character")
        }
        return scalars[0]
    }

    func split(_ pieces: [Piece]) -> [Piece] {
        switch self {
        case .sequence(let steps): return steps.reduce(pieces) { $1.split($0) }
        case .metaspace(let mark, let scheme, let splits):
            return pieces.flatMap { piece -> [Piece] in
                var scalars = piece.scalars.map { $0 == " " ? mark : $0 }
                let marks = scheme == .always || scheme == .first && piece.opensText
                if marks, scalars.first != mark { scalars.insert(mark, at: 0) }
                let marked = Piece(scalars: scalars, opensText: piece.opensText)
                return splits
                    ? cut(marked, .mergedWithNext, SplitPattern.literal([mark]).matches(in: scalars))
                    : [marked]
            }
        case .mark(let mark, let scheme):
            return pieces.filter { !$0.scalars.isEmpty }.map { piece in
                let scalars = piece.scalars.map { $0 == " " ? mark : $0 }
                let marks = scheme == .always || scheme == .first && piece.opensText
                return Piece(scalars: marks ? [mark] + scalars : scalars, opensText: piece.opensText)
            }
        case .byteLevel(let addsPrefixSpace, let splits):
            return pieces.flatMap { piece -> [Piece] in
                var piece = piece
                if addsPrefixSpace, piece.scalars.first != " " { piece.scalars.insert(" ", at: 0) }
                let words =
                    splits ? cut(piece, .isolated, SplitPattern.gpt2.matches(in: piece.scalars)) : [piece]
                return words.map { word in
                    Piece(
                        scalars: Bytes(scalars: word.scalars).storage.map { ByteAlphabet.scalars[Int($0)] },
                        opensText: word.opensText)
                }
            }
        case .split(let pattern, let behavior, let inverted):
            return pieces.flatMap {
                cut($0, behavior, pattern.matches(in: $0.scalars), inverted: inverted)
            }
        case .digits(let individually):
            return pieces.flatMap { piece -> [Piece] in
                let matches = piece.scalars.indices.filter { piece.scalars[$0].isNumber }.map { $0..<$0 + 1 }
                return cut(piece, individually ? .isolated : .contiguous, matches)
            }
        }
    }

    private func cut(
        _ piece: Piece, _ behavior: SplitBehavior, _ matches: [Range<Int>], inverted: Bool = false
    ) -> [Piece] {
        behavior.cut(piece.scalars.count, matches: matches, inverted: inverted).map {
            Piece(
                scalars: Array(piece.scalars[$0]), opensText: piece.opensText && $0.lowerBound == 0)
        }
    }
}
