import Records

/// Takes out drawn sentences that are no sentences, as the released code of CSR (`utils.py`, `score.py`) does
/// before it scores.
package struct SentenceFilter: Sendable, Equatable {
    /// What is taken out: `NAME`, or `NAME=LIMIT` for so many and more.
    package struct Rule: Sendable, Equatable, CustomStringConvertible {
        package let description: String
        fileprivate let kind: Kind
    }

    fileprivate enum Kind: Sendable, Equatable {
        case letters([ClosedRange<UInt32>])
        case shorter(Int)
        case newlines(Int)
        case sameWord(Int)
        case sameCharacter(Int)
        case run(of: String, Int)
    }

    package let rules: [Rule]

    package init(_ rules: [Rule]) { self.rules = rules }

    /// The text without characters that are neither of words nor white space nor common punctuation: what the
    /// relevance model and the rules read.
    package static func cleaned(_ text: String) -> String {
        String(
            String.UnicodeScalarView(
                text.unicodeScalars.filter {
                    $0.isOfWord || $0.properties.isWhitespace || ".,;:!?'\"()-".unicodeScalars.contains($0)
                }))
    }

    /// The first rule that speaks against a sentence.
    package func objection(to text: String) -> Rule? {
        let text = Self.cleaned(text)
        return rules.first { $0.rejects(text) }
    }
}

extension SentenceFilter.Rule {
    package static let known = [
        "hangul", "cyrillic", "kana", "shorter=N", "newlines=N", "same-word=N", "same-character=N",
        "run-of:CHARACTERS=N",
    ]

    /// nil for what is no rule.
    package init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1)
        let limit = parts.count == 2 ? Int(parts[1]).flatMap { $0 > 0 ? $0 : nil } : nil
        switch (parts.first, limit) {
        case ("hangul", nil): kind = .letters([0x3130...0x318F, 0xAC00...0xD7AF])
        case ("cyrillic", nil): kind = .letters([0x0400...0x04FF])
        case ("kana", nil): kind = .letters([0x3040...0x30FF])
        case ("shorter", let limit?): kind = .shorter(limit)
        case ("newlines", let limit?): kind = .newlines(limit)
        case ("same-word", let limit?): kind = .sameWord(limit)
        case ("same-character", let limit?): kind = .sameCharacter(limit)
        case (let name?, let limit?) where name.hasPrefix("run-of:") && name.count > 7:
            kind = .run(of: String(name.dropFirst(7)), limit)
        default: return nil
        }
        guard limit != nil || parts.count == 1 else { return nil }
        description = text
    }

    fileprivate func rejects(_ text: String) -> Bool {
        let scalars = text.unicodeScalars
        let marks = scalars.filter { !$0.properties.isWhitespace }
        switch kind {
        case .letters(let ranges):
            return scalars.contains { letter in ranges.contains { $0 ~= letter.value } }
        case .shorter(let limit): return scalars.count < limit
        case .newlines(let limit): return scalars.count { $0 == "\n" } >= limit
        case .sameWord(let limit):
            return longestRun(scalars.split { !$0.isOfWord }.map { String($0) }) >= limit
        case .sameCharacter(let limit): return longestRun(Array(marks)) >= limit
        case .run(let letters, let limit):
            return marks.split { !letters.unicodeScalars.contains($0) }.contains { $0.count >= limit }
        }
    }
}

/// Length of the longest run in which each element is the same as the one before.
private func longestRun(_ elements: [some Equatable]) -> Int {
    var (longest, run) = (0, 0)
    for (index, element) in elements.enumerated() {
        run = index > 0 && elements[index - 1] == element ? run + 1 : 1
        longest = max(longest, run)
    }
    return longest
}

extension Unicode.Scalar {
    fileprivate var isOfWord: Bool { properties.isAlphabetic || properties.numericType != nil || self == "_" }
}

extension Sample {
    /// Takes out the sentences that the filter objects to, all sentences after them, and the answers through
    /// them.
    ///
    /// - Returns: how many sentences fell to each rule, and how many answers with them.
    package mutating func remove(by filter: SentenceFilter) -> [String: Int] {
        var dropped: [String: Int] = [:]
        var kept: [SentenceNode] = []
        // The new index of each node, nil where it fell.
        var places: [Int?] = []
        for var node in nodes {
            let parent = node.parent < 0 ? -1 : places[node.parent]
            let rule = filter.objection(to: node.text)
            if parent != nil, let rule { dropped["sentences by the filter's \(rule)", default: 0] += 1 }
            guard let parent, rule == nil else {
                places.append(nil)
                continue
            }
            node.parent = parent
            places.append(kept.count)
            kept.append(node)
        }
        nodes = kept
        let before = candidates.count
        candidates.removeAll { $0.path.contains { places[$0] == nil } }
        for index in candidates.indices {
            candidates[index].path = candidates[index].path.compactMap { places[$0] }
        }
        if candidates.count < before {
            dropped["answers with a filtered sentence"] = before - candidates.count
        }
        return dropped
    }
}
