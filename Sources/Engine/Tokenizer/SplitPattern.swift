import JSON

/// What a Split or Replace step looks for: a literal, or one of the regular expressions that published
/// tokenizers use, each as a matcher written for it. There is no general regular expression engine here.
enum SplitPattern: Sendable {
    case literal([Unicode.Scalar])
    case spaces
    /// Spaces proper, at least that many.
    case spaceRun(atLeast: Int)
    /// Any of these.
    case oneOf(Set<Unicode.Scalar>)
    /// GPT-2's, which ByteLevel carries as its own.
    case gpt2
    /// Llama 3's (up to three digits) and Qwen2's (one digit).
    case tiktoken(digits: Int)
    /// CLIP's, in newer files with its two special tokens as alternatives in front.
    case clip(specials: [[Unicode.Scalar]])

    private static let contractions = "'s|'t|'re|'ve|'m|'ll|'d"
    private static let clipTail = contractions + #"|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"#
    private static let tiktokenTail = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    private static let tiktokenHead = "(?i:" + contractions + #")|[^\r\n\p{L}\p{N}]?\p{L}+|"#

    /// The matcher for a regular expression's text, nil when it is none of the known ones.
    init?(expression: String) {
        switch expression {
        case #"\s+"#: self = .spaces
        case " {2,}": self = .spaceRun(atLeast: 2)
        case Self.contractions + #"| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#: self = .gpt2
        case Self.tiktokenHead + #"\p{N}{1,3}"# + Self.tiktokenTail: self = .tiktoken(digits: 3)
        case Self.tiktokenHead + #"\p{N}"# + Self.tiktokenTail: self = .tiktoken(digits: 1)
        case Self.clipTail: self = .clip(specials: [])
        case #"<\|startoftext\|>|<\|endoftext\|>|"# + Self.clipTail:
            self = .clip(specials: ["<|startoftext|>", "<|endoftext|>"].map { Array($0.unicodeScalars) })
        default:
            guard let set = Self.characters(of: expression) else { return nil }
            self = .oneOf(set)
        }
    }

    /// ASCII's, as Python's `string.punctuation`.
    static let punctuation = SplitPattern.oneOf(
        Set((0x21...0x7E).map { Unicode.Scalar(UInt8($0)) }.filter { !$0.isLetter && !$0.isNumber }))

    /// The information separators, which are white space to Python alone.
    static let separators = SplitPattern.oneOf(["\u{1C}", "\u{1D}", "\u{1E}", "\u{1F}"])

    /// The characters of an expression `[…]` that lists them one by one, each as it is or after a backslash.
    private static func characters(of expression: String) -> Set<Unicode.Scalar>? {
        var rest = Array(expression.unicodeScalars)[...]
        guard rest.popFirst() == "[", rest.popLast() == "]", let first = rest.first, first != "^" else {
            return nil
        }
        var characters: Set<Unicode.Scalar> = []
        while let scalar = rest.popFirst() {
            if scalar == "\\" {
                guard let escaped = rest.popFirst(), !escaped.isLetter, !escaped.isNumber else { return nil }
                characters.insert(escaped)
            } else {
                // a range, a class, or a set in a set
                if ["-", "[", "]", "&"].contains(scalar) { return nil }
                characters.insert(scalar)
            }
        }
        return characters
    }

    /// Reads `{"String": …}` or `{"Regex": …}`. Throws on an expression that is not known.
    init(_ json: JSON?, file: String) throws {
        if let text = json?["String"]?.asBytes {
            self = .literal(text.scalars)
        } else if let expression = json?["Regex"]?.asText {
            guard let known = SplitPattern(expression: expression) else {
                throw TokenizerError.unsupported(file: file, part: "regular expression", found: expression)
            }
            self = known
        } else {
            throw TokenizerError.malformed(file: file, reason: "a pattern is neither String nor Regex")
        }
    }

    /// All matches in `text`, left to right without overlap.
    func matches(in text: [Unicode.Scalar]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var i = 0
        while i < text.count {
            let end = matchEnd(text, i)
            if end > i {
                result.append(i..<end)
                i = end
            } else {
                i += 1
            }
        }
        return result
    }

    /// Where the match that begins at `i` ends; `i` itself when there is none.
    private func matchEnd(_ text: [Unicode.Scalar], _ i: Int) -> Int {
        switch self {
        case .literal(let literal):
            return text.continues(with: literal, at: i) ? i + literal.count : i
        case .spaces:
            return text.run(from: i) { $0.isSpace }
        case .spaceRun(let least):
            let end = text.run(from: i) { $0 == " " }
            return end - i >= least ? end : i
        case .oneOf(let characters): return characters.contains(text[i]) ? i + 1 : i
        case .gpt2:
            return gpt2End(text, i)
        case .tiktoken(let digits):
            return tiktokenEnd(text, i, digits: digits)
        case .clip(let specials):
            for special in specials where text.continues(with: special, at: i) { return i + special.count }
            if let end = contractionEnd(text, i, ignoringCase: false) { return end }
            if text[i].isLetter { return text.run(from: i) { $0.isLetter } }
            if text[i].isNumber { return i + 1 }
            return text.run(from: i) { $0.isOther }
        }
    }

    private func gpt2End(_ text: [Unicode.Scalar], _ i: Int) -> Int {
        if let end = contractionEnd(text, i, ignoringCase: false) { return end }
        let start = text[i] == " " ? i + 1 : i
        if start < text.count {
            if text[start].isLetter { return text.run(from: start) { $0.isLetter } }
            if text[start].isNumber { return text.run(from: start) { $0.isNumber } }
            if text[start].isOther { return text.run(from: start) { $0.isOther } }
        }
        return spacesEnd(text, i)
    }

    private func tiktokenEnd(_ text: [Unicode.Scalar], _ i: Int, digits: Int) -> Int {
        if let end = contractionEnd(text, i, ignoringCase: true) { return end }
        if text[i].isLetter { return text.run(from: i) { $0.isLetter } }
        if !text[i].isLineBreak, !text[i].isNumber, i + 1 < text.count, text[i + 1].isLetter {
            return text.run(from: i + 1) { $0.isLetter }
        }
        if text[i].isNumber { return min(text.run(from: i) { $0.isNumber }, i + digits) }
        let start = text[i] == " " ? i + 1 : i
        if start < text.count, text[start].isOther {
            let end = text.run(from: start) { $0.isOther }
            return text.run(from: end) { $0.isLineBreak }
        }
        // `\s*[\r\n]+` gives back spaces until a line break follows: it ends after the run's last line break.
        let run = text.run(from: i) { $0.isSpace }
        if let last = text[i..<run].lastIndex(where: { $0.isLineBreak }) { return last + 1 }
        return spacesEnd(text, i)
    }

    /// `\s+(?!\S)|\s+`: a run of spaces before a word leaves its last space to that word.
    private func spacesEnd(_ text: [Unicode.Scalar], _ i: Int) -> Int {
        let end = text.run(from: i) { $0.isSpace }
        return end < text.count && end - i > 1 ? end - 1 : end
    }

    /// `'s|'t|'re|'ve|'m|'ll|'d`. Without regard to case the long s (U+017F) counts as an s.
    private func contractionEnd(_ text: [Unicode.Scalar], _ i: Int, ignoringCase: Bool) -> Int? {
        guard text[i] == "'", i + 1 < text.count else { return nil }
        func letter(_ j: Int) -> Unicode.Scalar? {
            guard j < text.count else { return nil }
            let scalar = text[j]
            guard ignoringCase else { return scalar }
            if scalar.value == 0x17F { return "s" }
            return (0x41...0x5A).contains(scalar.value) ? Unicode.Scalar(scalar.value | 0x20) : scalar
        }
        switch (letter(i + 1), letter(i + 2)) {
        case ("s", _), ("t", _), ("m", _), ("d", _): return i + 2
        case ("r", "e"), ("v", "e"), ("l", "l"): return i + 3
        default: return nil
        }
    }
}

extension [Unicode.Scalar] {
    func run(from start: Int, while belongs: (Unicode.Scalar) -> Bool) -> Int {
        var i = start
        while i < count, belongs(self[i]) { i += 1 }
        return i
    }

    func continues(with other: [Unicode.Scalar], at i: Int) -> Bool {
        guard i + other.count <= count else { return false }
        for j in 0..<other.count where self[i + j] != other[j] { return false }
        return true
    }
}

/// What becomes of the matches of a Split step.
enum SplitBehavior: String, Sendable {
    case removed = "Removed"
    case isolated = "Isolated"
    case mergedWithPrevious = "MergedWithPrevious"
    case mergedWithNext = "MergedWithNext"
    case contiguous = "Contiguous"

    /// Cuts `0..<count` at `matches`; `inverted` swaps matches and what lies between them.
    func cut(_ count: Int, matches: [Range<Int>], inverted: Bool) -> [Range<Int>] {
        var spans: [(range: Range<Int>, isMatch: Bool)] = []
        var end = 0
        for match in matches {
            if end < match.lowerBound { spans.append((end..<match.lowerBound, inverted)) }
            spans.append((match, !inverted))
            end = match.upperBound
        }
        if end < count { spans.append((end..<count, inverted)) }
        switch self {
        case .removed: return spans.filter { !$0.isMatch }.map(\.range)
        case .isolated: return spans.map(\.range)
        case .mergedWithPrevious: return merge(spans) { $0.isMatch && !$1 }
        case .mergedWithNext:
            let mirrored = spans.reversed().map {
                (-$0.range.upperBound..<(-$0.range.lowerBound), $0.isMatch)
            }
            return merge(mirrored) { $0.isMatch && !$1 }.reversed().map { -$0.upperBound..<(-$0.lowerBound) }
        case .contiguous: return merge(spans) { $0.isMatch == $1 }
        }
    }

    private func merge(
        _ spans: [(range: Range<Int>, isMatch: Bool)],
        joins: ((range: Range<Int>, isMatch: Bool), Bool) -> Bool
    ) -> [Range<Int>] {
        var result: [Range<Int>] = []
        var previousIsMatch = false
        for span in spans {
            if let last = result.last, joins(span, previousIsMatch) {
                result[result.count - 1] = last.lowerBound..<span.range.upperBound
            } else {
                result.append(span.range)
            }
            previousIsMatch = span.isMatch
        }
        return result
    }
}
