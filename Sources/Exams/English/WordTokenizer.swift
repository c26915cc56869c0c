/// Words as `nltk.word_tokenize` of 3.9.1 splits text: sentences by Punkt (`SentenceSplitter`, exact in lower case), in
/// each the Penn Treebank's rules (`NLTKWordTokenizer`), one after the other. Only the period at a sentence's end is split off.
package enum WordTokenizer {
    package static func words(_ text: String) -> [String] {
        SentenceSplitter.shared.sentences(Array(text.unicodeScalars)).flatMap { sentence in
            var rewriting = Rewriting(text: Array(sentence))
            rewriting.separate()
            return rewriting.text.split { $0.isSpace }.map(\.string)
        }
    }
}

/// A sentence in which rules put spaces between words.
private struct Rewriting {
    var text: CodePoints

    typealias Rule = (_ text: CodePoints, _ at: Int) -> (end: Int, words: [String])?

    mutating func separate() {
        openQuotes()
        marks()
        text = [" "] + text + [" "]
        closeQuotes()
        contractions()
    }

    /// What a rule matches, from left to right, gives way to words with spaces around each.
    ///
    /// - Parameter needed: what a text must have for the rule to match at all.
    private mutating func rewrite(_ needed: String, _ rule: Rule) {
        let needed = needed.unicodeScalars
        guard text.contains(where: needed.contains) else { return }
        var out: CodePoints = []
        out.reserveCapacity(text.count + 16)
        var at = 0
        while at < text.count {
            if let (end, words) = rule(text, at) {
                for word in words { out += Array(word.unicodeScalars) }
                at = end
            } else {
                out.append(text[at])
                at += 1
            }
        }
        text = out
    }

    /// Spaces around each of these marks.
    private mutating func pad(_ marks: String) {
        let all = marks.unicodeScalars
        rewrite(marks) { text, at in all.contains(text[at]) ? (at + 1, [" \(text[at]) "]) : nil }
    }

    /// Spaces around runs of a mark.
    private mutating func pad(_ mark: Unicode.Scalar, runsFrom least: Int) {
        rewrite(String(mark)) { text, at in
            let end = text.end(from: at) { $0 == mark }
            return end - at >= least ? (end, [" " + text[at..<end].string + " "]) : nil
        }
    }

    private mutating func pad(pairOf mark: Unicode.Scalar) {
        rewrite(String(mark)) { text, at in
            at + 1 < text.count && text[at] == mark && text[at + 1] == mark
                ? (at + 2, [" \(mark)\(mark) "]) : nil
        }
    }

    private mutating func openQuotes() {
        pad("«“‘„")
        pad("`", runsFrom: 1)
        if text.first == "\"" { text.replaceSubrange(0..<1, with: ["`", "`"]) }
        pad(pairOf: "`")
        rewrite("\"'") { text, at in
            guard " ([{<".unicodeScalars.contains(text[at]), at + 1 < text.count else { return nil }
            let isPair = text[(at + 1)...].starts(with: "''".unicodeScalars)
            guard isPair || text[at + 1] == "\"" else { return nil }
            return (at + (isPair ? 3 : 2), ["\(text[at]) `` "])
        }
        // A quote before a single letter that is no ending of a word.
        rewrite("'") { text, at in
            guard text[at] == "'", at + 1 < text.count, text[at + 1].isWordPart,
                !"mtsdnMTSDN".unicodeScalars.contains(text[at + 1]),
                at + 2 == text.count || !text[at + 2].isWordPart
            else { return nil }
            return (at + 2, ["' \(text[at + 1])"])
        }
    }

    private mutating func marks() {
        lastPeriod()
        rewrite(":,") { text, at in
            guard text[at] == ":" || text[at] == "," else { return nil }
            guard at + 1 < text.count else { return (at + 1, [" \(text[at]) "]) }
            return text[at + 1].isDecimal ? nil : (at + 2, [" \(text[at]) \(text[at + 1])"])
        }
        pad(".", runsFrom: 2)
        pad(";@#$%&")
        pad("?!")
        rewrite("'") { text, at in
            guard text[at] != "'", text[(at + 1)...].starts(with: "' ".unicodeScalars) else { return nil }
            return (at + 3, ["\(text[at]) ' "])
        }
        pad("*")
        pad("[](){}<>")
        pad(pairOf: "-")
    }

    /// Splits off the period at the end, behind which only closing marks and spaces may be. The rule that follows in
    /// NLTK finds no other.
    private mutating func lastPeriod() {
        rewrite(".") { text, at in
            guard text[at] != ".", at + 1 < text.count, text[at + 1] == "." else { return nil }
            let end = text.end(from: at + 2) { "])}>\"'»”’ ".unicodeScalars.contains($0) }
            guard text.end(from: end, of: \.isSpace) == text.count else { return nil }
            return (text.count, ["\(text[at]) . \(text[at + 2..<end].string) "])
        }
    }

    private mutating func closeQuotes() {
        pad("»”’")
        pad(pairOf: "'")
        rewrite("\"") { text, at in text[at] == "\"" ? (at + 1, [" '' "]) : nil }
        text = Array(text.split(omittingEmptySubsequences: false) { $0.isSpace }.joined(separator: [" "]))
        for endings in [
            ["'s", "'S", "'m", "'M", "'d", "'D", "'"],
            ["'ll", "'LL", "'re", "'RE", "'ve", "'VE", "n't", "N'T"],
        ] {
            rewrite("'") { text, at in
                guard text[at] != "'", text[at] != " ",
                    let ending = endings.first(where: {
                        text[(at + 1)...].starts(with: "\($0) ".unicodeScalars)
                    })
                else { return nil }
                return (at + 2 + ending.unicodeScalars.count, ["\(text[at]) \(ending) "])
            }
        }
    }

    /// R. MacIntyre's list; a space before the first part belongs to it.
    private static let contractions = [
        ("can", "not"), ("d", "'ye"), ("gim", "me"), ("gon", "na"), ("got", "ta"), ("lem", "me"),
        ("more", "'n"), ("wan", "na"), (" 't", "is"), (" 't", "was"),
    ].map { (first: Array($0.0.unicodeScalars), second: Array($0.1.unicodeScalars)) }

    private mutating func contractions() {
        rewrite("adeitwsADEITWS") { text, at in
            for (first, second) in Self.contractions where Self.isSame(text[at], first[0]) {
                let (middle, end) = (at + first.count, at + first.count + second.count)
                guard text[at...].starts(with: first, by: Self.isSame),
                    text[min(middle, text.count)...].starts(with: second, by: Self.isSame),
                    end == text.count || !text[end].isWordPart,
                    first[0] == " " || at == 0 || !text[at - 1].isWordPart,
                    first != ["w", "a", "n"] || end < text.count && text[end].isSpace
                else { continue }
                return (end, [" \(text[at..<middle].string) \(text[middle..<end].string) "])
            }
            return nil
        }
    }

    /// But for the case of what is written.
    private static func isSame(_ written: Unicode.Scalar, _ meant: Unicode.Scalar) -> Bool {
        written == meant || written.isASCII && written.properties.lowercaseMapping == String(meant)
    }
}
