/// The two answers that POPE and MME ask for.
package enum YesNo: String, Sendable {
    case yes, no
}

/// How a free text is read as yes or no.
package enum YesNoProfile: String, Sendable, CaseIterable {
    /// POPE's own rule, kept with its quirks so that published numbers are met: see `popeAnswer`.
    case official
    /// The first word must be yes or no, in any case; everything else is unparsed and counts as wrong.
    case strict

    /// - Returns: the answer read from `text`, or nil if the profile can't read it.
    package func answer(in text: String) -> YesNo? {
        switch self {
        case .official: popeAnswer(in: text)
        case .strict: firstWordAnswer(in: text)
        }
    }
}

/// POPE's reading of an answer: cut at the first `.`, drop commas, split at single spaces; *no* if one of
/// the pieces is exactly `No`, `no` or `not`, otherwise *yes*. So `NO`, `Nope`, `No!`, `No\n`, `isn't` and
/// the empty text are all *yes* (`llava/eval/eval_pope.py`, `POPE/evaluate.py`).
package func popeAnswer(in text: String) -> YesNo {
    // Bytes rather than characters: a combining mark after "No" must not glue to it differently than in
    // Python, where the rule was written on code points.
    let sentence = text.utf8.prefix { $0 != UInt8(ascii: ".") }.filter { $0 != UInt8(ascii: ",") }
    let negations = ["No", "not", "no"].map { Array($0.utf8) }
    let words = sentence.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
    return words.contains { word in negations.contains { $0.elementsEqual(word) } } ? .no : .yes
}

/// MME's reading of an answer: only the first four characters of the lower-cased text count; *yes* if they
/// contain `yes`, else *no* if they contain `no`, else neither. So `Not…`, `Know` and `Snow` are *no*, and
/// `The answer is yes` is unread and wrong (`calculation.py` of MME's eval tool).
package func mmeAnswer(in text: String) -> YesNo? {
    let head = Array(text.lowercased().unicodeScalars.prefix(4))
    func contains(_ word: String) -> Bool {
        let letters = Array(word.unicodeScalars)
        guard head.count >= letters.count else { return false }
        return (0...(head.count - letters.count)).contains { start in
            head[start..<(start + letters.count)].elementsEqual(letters)
        }
    }
    return contains("yes") ? .yes : contains("no") ? .no : nil
}

/// Strictly read: the first word is yes or no, whatever stands around it, else it's neither.
package func firstWordAnswer(in text: String) -> YesNo? {
    let word = text.unicodeScalars
        .drop { !$0.properties.isAlphabetic }
        .prefix { $0.properties.isAlphabetic }
    return YesNo(rawValue: String(String.UnicodeScalarView(word)).lowercased())
}
