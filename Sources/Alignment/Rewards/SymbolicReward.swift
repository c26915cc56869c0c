/// What can be said of an answer without a model, as Fact-RLHF adds it to the learned reward.
package struct SymbolicReward: Sendable, Equatable {
    /// Times `correctness`.
    package var correct: Double
    /// Taken off for an answer of `lengthLimit` tokens; shorter ones lose their share.
    package var length: Double
    package var lengthLimit: Int
    /// Penalty for an answer that was cut off before its end token.
    package var unfinished: Double

    package init(correct: Double, length: Double, lengthLimit: Int, unfinished: Double) {
        (self.correct, self.length, self.lengthLimit) = (correct, length, lengthLimit)
        self.unfinished = unfinished
    }

    /// - Parameter isFinished: nil where nobody knows.
    package func value(_ text: String, answer: String?, tokens: Int, isFinished: Bool?) -> Double {
        correct * (answer.map { Self.correctness(of: text, answer: $0) } ?? 0)
            - length * Double(tokens) / Double(lengthLimit)
            - (isFinished == false ? unfinished : 0)
    }

    /// The released rule. An option A–D is right where the text begins with "B." or holds "correct option is
    /// B."; where "no" is right, "No" earns a half and "Yes" costs one; "yes" earns nothing, because a model
    /// says it anyway.
    package static func correctness(of text: String, answer: String) -> Double {
        switch answer.uppercased() {
        case "A", "B", "C", "D":
            let option = answer.uppercased() + "."
            return text.hasPrefix(option) || text.contains("correct option is \(option)") ? 1 : 0
        case "NO": return text.hasPrefix("No") ? 0.5 : text.hasPrefix("Yes") ? -0.5 : 0
        default: return 0
        }
    }
}
