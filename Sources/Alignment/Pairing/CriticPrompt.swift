import Foundation
import Records
import Rewards

/// The text that asks a critic, with places for question and answers: `{question}`, `{answer_1}`, `{answer_2}`
/// and, where a ground-truth answer is shown, `{reference}`. What stands between `{#reference}` and
/// `{/reference}` is left out where none is shown, and likewise with `{#metrics}`.
package struct CriticPrompt: Sendable {
    /// Parts that a prompt may be asked without.
    package enum Section: String, CaseIterable, Sendable {
        /// The ground-truth answer.
        case reference
        /// What to compare by: SIMA's three vision metrics, objects, relations and attributes.
        case metrics
    }

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

    private let pieces: [Piece]

    /// - Parameters:
    ///   - text: the prompt with its places; line ends around it don't count.
    ///   - place: where it stands, for errors.
    ///   - shown: the sections that stay.
    /// - Throws: `PreferenceError.badValue` for an unknown or missing place, an open section, or no metrics
    ///   to leave out.
    package init(_ text: String, place: String, showing shown: Set<Section>) throws {
        func refuse(_ found: String, _ remedy: String) -> PreferenceError {
            .badValue(place, found: found, remedy: remedy)
        }
        do {
            pieces = try Self.pieces(
                of: try Self.choosing(shown, of: text).trimmingCharacters(in: .newlines))
        } catch let fault as Fault { throw refuse(fault.found, fault.remedy) }
        let places = pieces.compactMap { if case .place(let place) = $0 { place } else { nil } }
        for needed in [Place.question, .answer1, .answer2] + (shown.contains(.reference) ? [.reference] : [])
        where !places.contains(needed) {
            throw refuse("no {\(needed.rawValue)} in it", "put it in")
        }
        if !shown.contains(.reference), places.contains(.reference) {
            throw refuse(
                "{reference} is outside {#reference} … {/reference}",
                "put it inside, or show the reference")
        }
    }

    private struct Fault: Error {
        let found: String
        let remedy: String
    }

    /// Takes the marks of sections away, and the sections too where nothing would be shown in them.
    private static func choosing(_ shown: Set<Section>, of text: String) throws -> String {
        if !shown.contains(.metrics), !text.contains("{#metrics}") {
            throw Fault(found: "no {#metrics} in it to leave out", remedy: "mark where they are")
        }
        return try Section.allCases.reduce(text) { text, section in
            var rest = text[...]
            var result = ""
            while let open = rest.range(of: "{#\(section.rawValue)}") {
                guard let close = rest[open.upperBound...].range(of: "{/\(section.rawValue)}") else {
                    throw Fault(
                        found: "{#\(section.rawValue)} has no {/\(section.rawValue)}", remedy: "close it")
                }
                result += rest[..<open.lowerBound]
                if shown.contains(section) { result += rest[open.upperBound..<close.lowerBound] }
                rest = rest[close.upperBound...]
            }
            return result + rest
        }
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

    /// The prompt about two answers; what is put in is never read as a place itself. Its line ends become spaces:
    /// lines belong to the prompt, whose blocks they part.
    ///
    /// - Throws: `RecordError` where the reference is to be shown and there is none.
    package func text(about prompt: Prompt, _ answers: (String, String)) throws -> String {
        try pieces.map { piece in
            switch piece {
            case .text(let text): return text
            case .place(.question): return Self.line(prompt.prompt)
            case .place(.answer1): return Self.line(answers.0)
            case .place(.answer2): return Self.line(answers.1)
            case .place(.reference):
                guard let reference = prompt.reference else { throw RecordError.missing(key: "reference") }
                return Self.line(reference)
            }
        }.joined()
    }

    private static func line(_ text: String) -> String {
        text.split(whereSeparator: \.isNewline).joined(separator: " ")
    }
}
