import CEnglish

/// Punkt (Kiss and Strunk 2006) with the parameters for English of NLTK, as `nltk.sent_tokenize` of 3.9.1 splits text
/// in lower case. Without capitals only this remains of its rules: an abbreviation ends no sentence; neither does an
/// initial or a number before a word in lower case; and there are collocations. Text with capitals is split by the same
/// rules; what Punkt knows of words that are seldom capitalized is left out, so that an abbreviation ends no sentence
/// there either, and an initial or a number before a capital does.
package struct SentenceSplitter: Sendable {
    package static let shared = SentenceSplitter()

    private var abbreviations: Set<String> = []
    private var collocations: Set<String> = []
    /// The words that may begin a sentence in lower case.
    private var starters: Set<String> = []

    private init() {
        for line in tableLines(english_punkt) {
            let words = line.split(separator: " ", maxSplits: 1)
            guard words.count == 2 else { continue }
            let word = String(words[1])
            switch words[0] {
            case "abbreviation": abbreviations.insert(word)
            case "collocation": collocations.insert(word)
            default: starters.insert(word)
            }
        }
    }

    package func sentences(_ text: String) -> [String] {
        sentences(Array(text.unicodeScalars)).map(\.string)
    }

    func sentences(_ text: CodePoints) -> [ArraySlice<Unicode.Scalar>] {
        realigned(slices(of: text), text).map { text[$0] }
    }

    // MARK: - Where a sentence may end

    /// A mark that may end a sentence.
    private struct Candidate {
        let at: Int
        /// The word before it.
        var word: Range<Int>
        /// What is behind it: one mark, or space and a word.
        let after: Range<Int>
        /// Where that word begins.
        let next: Int?
    }

    private static func isEnd(_ scalar: Unicode.Scalar) -> Bool {
        scalar == "." || scalar == "?" || scalar == "!"
    }

    /// What is never in a word.
    private static func isNoWord(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar {
        case ")", "\"", ";", "}", "]", "*", ":", "@", "'", "(", "{", "[", "?", "!": true
        default: false
        }
    }

    /// Candidates whose words don't overlap with the next one's.
    private func candidates(in text: CodePoints) -> [Candidate] {
        var found: [Candidate] = []
        var previous: Candidate?
        for at in text.indices where Self.isEnd(text[at]) && at + 1 < text.count {
            let after: Range<Int>
            var next: Int?
            if Self.isNoWord(text[at + 1]) {
                after = at + 1..<at + 2
            } else {
                let start = text.end(from: at + 1) { $0.isSpace }
                guard start > at + 1, start < text.count else { continue }
                next = start
                after = at + 1..<text.end(from: start) { !$0.isSpace }
            }
            let before = previous?.word ?? 0..<0
            // A space that is the first thing isn't found.
            let space = text[before.upperBound..<at].lastIndex {
                $0 == " " || (0x09...0x0D).contains($0.value)
            }
            let start = space.flatMap { $0 > before.upperBound ? $0 + 1 : nil } ?? before.lowerBound
            if let previous, before.upperBound <= start { found.append(previous) }
            previous = Candidate(at: at, word: start..<at, after: after, next: next)
        }
        return found + (previous.map { [$0] } ?? [])
    }

    private func slices(of text: CodePoints) -> [Range<Int>] {
        var slices: [Range<Int>] = []
        var start = 0
        for candidate in candidates(in: text)
        where hasBreak(Array(text[candidate.word.lowerBound..<candidate.after.upperBound])) {
            slices.append(start..<candidate.at + 1)
            start = candidate.next ?? candidate.at + 1
        }
        let end = (text.lastIndex { !$0.isSpace } ?? -1) + 1
        return slices + [start..<max(start, end)]
    }

    /// Gives closing quotes and brackets behind a sentence's end to it.
    private func realigned(_ slices: [Range<Int>], _ text: CodePoints) -> [Range<Int>] {
        var sentences: [Range<Int>] = []
        var taken = 0
        for (index, slice) in slices.enumerated() {
            let own = min(slice.lowerBound + taken, slice.upperBound)..<slice.upperBound
            taken = 0
            if index + 1 < slices.count, let closing = closing(text[slices[index + 1]]) {
                sentences.append(own.lowerBound..<closing.mark)
                taken = closing.end - slices[index + 1].lowerBound
            } else if !own.isEmpty {
                sentences.append(own)
            }
        }
        return sentences
    }

    /// Quotes and brackets that begin a sentence, before space, `--` or an end.
    ///
    /// - Returns: where they end, and where the space behind them does.
    private func closing(_ sentence: ArraySlice<Unicode.Scalar>) -> (mark: Int, end: Int)? {
        var at = sentence.startIndex
        while at < sentence.endIndex, "\"')]}".unicodeScalars.contains(sentence[at]) {
            at += 1
            if at == sentence.endIndex { return (at, at) }
            if sentence[at].isSpace {
                return (at, sentence[at...].firstIndex { !$0.isSpace } ?? sentence.endIndex)
            }
            if sentence[at...].starts(with: "--".unicodeScalars) { return (at, at) }
        }
        return nil
    }

    // MARK: - Whether it does

    private struct Token {
        let text: ArraySlice<Unicode.Scalar>
        var isBreak = false
    }

    /// Whether a sentence ends before the last word.
    private func hasBreak(_ text: CodePoints) -> Bool {
        var tokens: [Token] = []
        for line in text.split(separator: "\n") {
            tokens += words(Array(line)).map { Token(text: $0, isBreak: isBreak($0)) }
        }
        return zip(tokens, tokens.dropFirst()).contains { $0.isBreak && staysBreak($0, before: $1) }
    }

    /// By the word alone.
    private func isBreak(_ token: ArraySlice<Unicode.Scalar>) -> Bool {
        if token.count == 1, let mark = token.first { return Self.isEnd(mark) }
        guard token.last == ".", token.dropLast().last != "." else { return false }
        let stem = token.dropLast()
        let last = stem.split(separator: "-", omittingEmptySubsequences: false).last ?? stem
        return !abbreviations.contains(stem.string.lowercased())
            && !abbreviations.contains(last.string.lowercased())
    }

    private func staysBreak(_ token: Token, before next: Token) -> Bool {
        guard token.text.last == "." else { return true }
        let number = "##number##"
        let type = Self.isNumber(token.text) ? number : withoutPeriod(token.text).string.lowercased()
        let nextType =
            Self.isNumber(next.text)
            ? number : (next.isBreak ? withoutPeriod(next.text) : next.text).string.lowercased()
        if collocations.contains("\(type) \(nextType)") { return false }
        let isInitial =
            token.text.count == 2 && token.text.first.map { $0.isWordPart && !$0.isDecimal } ?? false
        guard isInitial || type == number, let first = next.text.first else { return true }
        if next.text.count == 1, ";:,.!?".unicodeScalars.contains(first) { return false }
        return !first.properties.isLowercase || starters.contains(nextType)
    }

    private func withoutPeriod(_ token: ArraySlice<Unicode.Scalar>) -> ArraySlice<Unicode.Scalar> {
        token.count > 1 && token.last == "." ? token.dropLast() : token
    }

    private static func isNumber(_ token: ArraySlice<Unicode.Scalar>) -> Bool {
        var rest = token
        if rest.first == "-" { rest = rest.dropFirst() }
        if rest.first == "." || rest.first == "," { rest = rest.dropFirst() }
        guard let first = rest.first, first.isDecimal else { return false }
        return rest.allSatisfy { $0.isDecimal || $0 == "," || $0 == "." || $0 == "-" }
    }

    // MARK: - Punkt's own words

    private func words(_ line: CodePoints) -> [ArraySlice<Unicode.Scalar>] {
        var words: [ArraySlice<Unicode.Scalar>] = []
        var at = 0
        while at < line.count {
            if line[at].isSpace {
                at += 1
                continue
            }
            var end = at + 1
            if let marks = Self.marks(line, at) {
                end = marks
            } else if !"(\"`{[:;&#*@)}]-,".unicodeScalars.contains(line[at]) {
                while !Self.endsWord(line, end) { end += 1 }
            }
            words.append(line[at..<end])
            at = end
        }
        return words
    }

    /// Where dashes, dots or dots with spaces between them end.
    private static func marks(_ line: CodePoints, _ at: Int) -> Int? {
        let mark = line[at]
        guard mark == "-" || mark == "." else { return nil }
        let end = line.end(from: at) { $0 == mark }
        if end > at + 1 { return end }
        guard mark == "." else { return nil }
        var last = at
        while last + 2 < line.count, line[last + 1].isSpace, line[last + 2] == "." { last += 2 }
        return last >= at + 4 ? last + 1 : nil
    }

    private static func endsWord(_ line: CodePoints, _ at: Int) -> Bool {
        func endsHere(_ at: Int) -> Bool {
            at == line.count || line[at].isSpace || isNoWord(line[at]) || marks(line, at) != nil
        }
        return endsHere(at) || line[at] == "," && endsHere(at + 1)
    }
}
