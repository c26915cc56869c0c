import Foundation

/// The text that has a model grade the answer it has just given. `{reply}` parts the user's words from the
/// beginning of the model's reply, at whose last token the grade is read. What stands between `{#facts}` and
/// `{/facts}` is left out where there are none; `{facts}` in it becomes a line for each.
package struct GradingPrompt: Sendable, Equatable {
    /// As the file has it.
    package let text: String
    /// How the reply begins.
    package let reply: String
    private let question: String

    /// - Parameter place: where the text stands, for errors.
    /// - Throws: `PreferenceError.badValue` for a missing place or an unknown one.
    package init(_ text: String, place: String) throws {
        func refuse(_ found: String, _ remedy: String) -> PreferenceError {
            .badValue(place, found: found, remedy: remedy)
        }
        self.text = text
        let halves = text.components(separatedBy: "{reply}")
        guard halves.count == 2 else {
            throw refuse(
                "{reply} occurs \(halves.count - 1) times in it", "put it once, where the reply begins")
        }
        question = halves[0].trimmingCharacters(in: .whitespacesAndNewlines)
        reply = halves[1].trimmingCharacters(in: .whitespacesAndNewlines)
        guard !question.isEmpty, !reply.isEmpty else {
            throw refuse("nothing on one side of {reply}", "write what is asked and how the reply begins")
        }
        guard let section = question.firstMatch(of: Self.section), section.output.1.contains("{facts}") else {
            throw refuse("no {facts} between {#facts} and {/facts}", "put it there")
        }
        let rest = question.replacing(Self.section) { $0.output.1.replacing("{facts}", with: "") } + reply
        if let stray = rest.firstMatch(of: #/\{[#/]?[a-z_]+\}/#) {
            throw refuse(
                "\(stray.output) is out of place",
                "the prompt may hold {#facts} {facts} {/facts} and {reply}")
        }
    }

    private static var section: Regex<(Substring, Substring)> { #/(?s)\{#facts\}(.*?)\{/facts\}/# }

    /// What the user says after the answer. What is put in is never read as a place itself.
    package func question(facts: [String]) -> String {
        question.replacing(Self.section) { match -> String in
            guard !facts.isEmpty else { return "" }
            let lines = facts.map { "  - \($0)" }.joined(separator: "\n")
            return String(match.output.1.replacing("{facts}", with: lines))
        }
    }
}
