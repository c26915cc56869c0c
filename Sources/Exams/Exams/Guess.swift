/// Answers that need no picture, the cheapest there are: what a model's figures are worth shows beside theirs.
package enum Guess: String, Sendable, CaseIterable {
    /// Always yes.
    case yes
    /// The most frequent right answer to the questions of a file that begin with the same two words ("What color"), and
    /// nothing where no one answer is right, as for captions.
    case majority

    /// - Parameter questions: those of one file.
    package func answers(to questions: [ExamRequest]) -> [String] {
        guard self == .majority else { return questions.map { _ in "Yes" } }
        func beginning(_ question: ExamRequest) -> String {
            question.prompt.split(separator: " ").prefix(2).joined(separator: " ")
        }
        let usual = Dictionary(grouping: questions, by: beginning).mapValues {
            $0.compactMap(\.solution).mostFrequent ?? ""
        }
        return questions.map { $0.solution == nil ? "" : usual[beginning($0)] ?? "" }
    }
}

extension Sequence<String> {
    /// Of several the first in the order of letters; nil where there is nothing.
    var mostFrequent: String? {
        let counts = reduce(into: [:]) { $0[$1, default: 0] += 1 }
        return counts.max { ($0.value, $1.key) < ($1.value, $0.key) }?.key
    }
}
