import JSON

/// A token that stands outside the model: it is cut out of the text before anything else is done to it.
struct AddedToken: Sendable {
    var id: Int32
    var content: Bytes
    var isSpecial: Bool
    /// Looked for in normalised text, by its own normalised form.
    var isNormalized: Bool
    /// Counts only where no word character touches it.
    var isSingleWord: Bool
    /// Takes the white space on that side with it.
    var stripsLeft: Bool
    var stripsRight: Bool

    /// One that is found as it is written.
    init(id: Int32, content: Bytes, isSpecial: Bool) {
        (self.id, self.content, self.isSpecial) = (id, content, isSpecial)
        (isNormalized, isSingleWord, stripsLeft, stripsRight) = (false, false, false, false)
    }

    /// Reads an entry of tokenizer.json's `added_tokens` or of the configuration's `added_tokens_decoder`.
    init(_ json: JSON, id: Int32?, file: String) throws {
        guard let id = id ?? json["id"]?.id, let content = json["content"]?.asBytes else {
            throw TokenizerError.malformed(file: file, reason: "an added token has no id or no content")
        }
        self.id = id
        self.content = content
        isSpecial = json["special"]?.flag ?? false
        isNormalized = json["normalized"]?.flag ?? !isSpecial
        isSingleWord = json["single_word"]?.flag ?? false
        stripsLeft = json["lstrip"]?.flag ?? false
        stripsRight = json["rstrip"]?.flag ?? false
    }
}

/// Finds added tokens in text: at each place the longest, from left to right.
struct AddedTokenMatcher: Sendable {
    private let candidates: [Unicode.Scalar: [(form: [Unicode.Scalar], token: AddedToken)]]

    /// `form` gives the text by which a token is found.
    init(_ tokens: [AddedToken], form: (AddedToken) -> [Unicode.Scalar]) {
        var candidates: [Unicode.Scalar: [(form: [Unicode.Scalar], token: AddedToken)]] = [:]
        for token in tokens {
            let form = form(token)
            guard let first = form.first else { continue }
            candidates[first, default: []].append((form, token))
        }
        // A stable order: of two tokens with one form the earlier one is found.
        self.candidates = candidates.mapValues { list in
            list.enumerated().sorted {
                ($1.element.form.count, $0.offset) < ($0.element.form.count, $1.offset)
            }
            .map(\.element)
        }
    }

    /// Cuts `text` into stretches, each with the id of the added token that it is, or nil.
    func split(_ text: [Unicode.Scalar]) -> [(range: Range<Int>, id: Int32?)] {
        guard !candidates.isEmpty else { return text.isEmpty ? [] : [(text.indices, nil)] }
        var result: [(range: Range<Int>, id: Int32?)] = []
        var done = 0
        var i = 0
        while i < text.count {
            guard
                let (form, token) = candidates[text[i]]?.first(where: { text.continues(with: $0.form, at: i) }
                )
            else {
                i += 1
                continue
            }
            var start = i
            var end = i + form.count
            i = end
            if token.isSingleWord {
                let touchesLeft = start > 0 && text[start - 1].isWordCharacter
                let touchesRight = end < text.count && text[end].isWordCharacter
                if touchesLeft || touchesRight { continue }
            }
            if token.stripsLeft {
                while start > 0, text[start - 1].isSpace { start -= 1 }
                start = max(start, done)
            }
            if token.stripsRight { end = text.run(from: end) { $0.isSpace } }
            if done < start { result.append((done..<start, nil)) }
            // A token of white space may lie inside what an earlier one has stripped: it still counts.
            result.append((min(start, end)..<end, token.id))
            done = end
        }
        if done < text.count { result.append((done..<text.count, nil)) }
        return result
    }
}
