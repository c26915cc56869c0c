import Foundation
import Records
import StageKit

/// The text that asks a critic, with places for question and answers.
struct CriticPrompt {
    /// Places that a prompt file may name.
    private enum Place: String, CaseIterable {
        case question, reference
        case answer1 = "answer_1"
        case answer2 = "answer_2"
    }

    private enum Piece {
        case text(String)
        case place(Place)
    }

    /// File name and digest: what a verdict's `critic` says.
    let id: String
    let showsReference: Bool
    private let pieces: [Piece]

    /// - Throws: `StageError` for a file that can't be read, an unknown or missing place, an open section.
    init(file: String, showsReference: Bool) throws {
        let bytes: Data
        do { bytes = try Data(contentsOf: URL(fileURLWithPath: file)) } catch {
            throw StageError.failed("--prompt-file \(file): it can't be read; check the path")
        }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StageError.failed("--prompt-file \(file): not valid UTF-8; convert the file")
        }
        self.showsReference = showsReference
        let name = URL(fileURLWithPath: file).deletingPathExtension().lastPathComponent
        id = "\(name)@\(Digest.of(Array(bytes)).prefix(8))" + (showsReference ? "+reference" : "")
        do {
            pieces = try Self.pieces(
                of: try Self.choosing(sections: text, showsReference).trimmingCharacters(in: .newlines))
        } catch let fault as Fault { throw StageError.failed("--prompt-file \(file): \(fault.text)") }
        let places = pieces.compactMap { if case .place(let place) = $0 { place } else { nil } }
        for needed in [Place.question, .answer1, .answer2] + (showsReference ? [.reference] : [])
        where !places.contains(needed) {
            throw StageError.failed(
                "--prompt-file \(file): no {\(needed.rawValue)} in it; say where it stands")
        }
        if !showsReference, places.contains(.reference) {
            throw StageError.failed(
                "--prompt-file \(file): {reference} stands outside of {#reference} … {/reference}; add --reference"
            )
        }
    }

    private struct Fault: Error { let text: String }

    /// Takes the marks of sections away, and the sections too where nothing would be shown in them.
    private static func choosing(sections text: String, _ isShown: Bool) throws -> String {
        var rest = text[...]
        var result = ""
        while let open = rest.range(of: "{#reference}") {
            guard let close = rest[open.upperBound...].range(of: "{/reference}") else {
                throw Fault(text: "{#reference} has no {/reference}; close it")
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
                throw Fault(text: "{\(match.1)} is unknown; it may hold \(known)")
            }
            pieces.append(.place(place))
            rest = rest[match.range.upperBound...]
        }
        return pieces + [.text(String(rest))]
    }

    /// The prompt about two answers; what is put in is never read as a place itself.
    ///
    /// - Throws: `RecordError` where the reference is to be shown and there is none.
    func text(about prompt: Prompt, _ answers: (String, String)) throws -> String {
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
