/// Choices of a question under their letters, as benchmarks ask and read them.
package struct Choices: Sendable, Equatable {
    /// In the order of their letters, which may have gaps.
    package let all: [(letter: String, text: String)]

    package var texts: [String] { all.map(\.text) }

    package init(_ all: [(letter: String, text: String)]) { self.all = all }

    /// From A on.
    package init(_ texts: [String]) {
        all = zip("ABCDEFGHIJKLMNOPQRSTUVWXYZ", texts).map { (String($0), $1) }
    }

    package var letters: [String] { all.map(\.letter) }

    /// LLaVA's wording: a line for each choice, and one that asks for the letter.
    package func asked(_ question: String) -> String {
        ([question] + all.map { "\($0.letter). \($0.text)" } + [Self.suffix]).joined(separator: "\n")
    }

    package static let suffix = "Answer with the option's letter from the given choices directly."

    package static func == (a: Choices, b: Choices) -> Bool {
        a.letters == b.letters && a.all.map(\.text) == b.all.map(\.text)
    }

    /// The letter that is the whole answer but for space around it and one sign behind it (`B`, `B.`, `(B)`), and is a
    /// choice's. Anything else is unread.
    package func strict(_ answer: String) -> String? {
        var rest = CodePoints(answer).stripped[...]
        if rest.first == "(", rest.last == ")" { rest = rest.dropFirst().dropLast() }
        if rest.count == 2, let last = rest.last, [".", ")", ":"].contains(last) { rest = rest.dropLast() }
        return letters.first { CodePoints($0).elementsEqual(rest) }
    }

    /// VLMEvalKit's reading without a judge (`can_infer`, `vlmeval/utils/matching_util.py` at d21c5e96): a refusal or a
    /// lone Z is Z; else the one letter that stands as a word of its own, with at most three behind it; else what follows
    /// "answer is", A to D, in whatever case; else the one choice whose text the answer has, where the answer isn't
    /// longer than twice all of them.
    ///
    /// - Returns: nil where it stays unread.
    package func inferred(_ answer: String) -> String? {
        inferredLetter(answer) ?? inferredText(CodePoints(answer).lowercased)
    }

    private static let failed = "Failed to obtain answer via API"
    private static let refusals = [
        "Sorry, I can't help with images of people yet.", "I can't process this file.",
        "I'm sorry, but without the image provided", "Cannot determine the answer",
    ]

    private func inferredLetter(_ answer: String) -> String? {
        let points = CodePoints(answer)
        if points.place(of: CodePoints(Self.failed)) != nil { return nil }
        if Self.refusals.contains(where: { points.place(of: CodePoints($0)) != nil }) { return "Z" }
        let signs = CodePoints(".()[],:;!*#{}")
        let words = CodePoints(points.map { signs.contains($0) ? " " : $0 }).words.map(\.text)
        let named = letters.filter(words.contains)
        if named.count == 1, let place = words.firstIndex(of: named[0]), place > words.count - 5 {
            return named[0]
        }
        if named.isEmpty, words.contains("Z") { return "Z" }
        let found = answer.firstMatch(
            of: /(?i)answer\s+is\s+\**([ABCD])/.matchingSemantics(.unicodeScalar))
        return found.map { $0.1.uppercased() }.flatMap { letters.contains($0) ? $0 : nil }
    }

    private func inferredText(_ answer: CodePoints) -> String? {
        let texts = all.map { CodePoints($0.text) }
        guard answer.count <= 2 * texts.reduce(0, { $0 + $1.count }) else { return nil }
        let found = zip(letters, texts).filter { answer.place(of: $1.lowercased) != nil }
        return found.count == 1 ? found[0].0 : nil
    }
}

extension CodePoints {
    /// Where `part` begins first.
    func place(of part: CodePoints) -> Int? {
        guard count >= part.count else { return nil }
        return (0...(count - part.count)).first { self[$0..<($0 + part.count)].elementsEqual(part) }
    }
}
