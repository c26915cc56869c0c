import Foundation
import Records

/// The text that asks a critic, with places for question and answers: `{question}`, `{answer_1}`, `{answer_2}`
/// and, where a ground-truth answer is shown, `{reference}`. What stands between `{#reference}` and
/// `{/reference}` is left out where none is.
package struct CriticPrompt: Sendable {
    /// Places that a prompt may name.
    private enum Place: String, CaseIterable, Sendable {
        case question, reference
        case answer1 = "answer_1"
        case answer2 = "answer_2"
    }

    private enum Piece: Sendable {
        case text(String)
        case place(Place)
    }

    package let showsReference: Bool
    private let pieces: [Piece]

    /// - Parameters:
    ///   - text: the prompt with its places; line ends around it don't count.
    ///   - file: where it stands, for errors.
    /// - Throws: `PreferenceError.badOption` for an unknown or missing place, or an open section.
    package init(_ text: String, file: String, showsReference: Bool) throws {
        self.showsReference = showsReference
        func refuse(_ found: String, _ remedy: String) -> PreferenceError {
            .badOption("--prompt-file \(file)", found: found, remedy: remedy)
        }
        do {
            pieces = try Self.pieces(
                of: try Self.choosing(sections: text, showsReference).trimmingCharacters(in: .newlines))
        } catch let fault as Fault { throw refuse(fault.found, fault.remedy) }
        let places = pieces.compactMap { if case .place(let place) = $0 { place } else { nil } }
        for needed in [Place.question, .answer1, .answer2] + (showsReference ? [.reference] : [])
        where !places.contains(needed) {
            throw refuse("no {\(needed.rawValue)} in it", "say where it stands")
        }
        if !showsReference, places.contains(.reference) {
            throw refuse("{reference} stands outside of {#reference} … {/reference}", "add --reference")
        }
    }

    private struct Fault: Error {
        let found: String
        let remedy: String
    }

    /// Takes the marks of sections away, and the sections too where nothing would be shown in them.
    private static func choosing(sections text: String, _ isShown: Bool) throws -> String {
        var rest = text[...]
        var result = ""
        while let open = rest.range(of: "{#reference}") {
            guard let close = rest[open.upperBound...].range(of: "{/reference}") else {
                throw Fault(found: "{#reference} has no {/reference}", remedy: "close it")
            }
            result += rest[..<open.lowerBound] + (isShown ? rest[open.upperBound..<close.lowerBound] : "")
            rest = rest[close.upperBound...]
        }
        return result + rest
    }

    /// `{name}` is a place; braces around anything else than lower-case letters and digits are text.
    private static func pieces(of text: String) throws -> [Piece] {
        var pieces: [Piece] = []
        var rest = text[...]
        while let match = rest.firstMatch(of: #/\{([#/]?[a-z_0-9]+)\}/#) {
            pieces.append(.text(String(rest[..<match.range.lowerBound])))
            guard let place = Place(rawValue: String(match.1)) else {
                let known = Place.allCases.map { "{\($0.rawValue)}" }.joined(separator: ", ")
                throw Fault(found: "{\(match.1)} is unknown", remedy: "it may hold \(known)")
            }
            pieces.append(.place(place))
            rest = rest[match.range.upperBound...]
        }
        return pieces + [.text(String(rest))]
    }

    /// The prompt about two answers; what is put in is never read as a place itself.
    ///
    /// - Throws: `RecordError` where the reference is to be shown and there is none.
    package func text(about prompt: Prompt, _ answers: (String, String)) throws -> String {
        try pieces.map { piece in
            switch piece {
            case .text(let text): return text
            case .place(.question): return prompt.prompt
            case .place(.answer1): return answers.0
            case .place(.answer2): return answers.1
            case .place(.reference):
                guard let reference = prompt.reference else { throw RecordError.missing(key: "reference") }
                return reference
            }
        }.joined()
    }
}
