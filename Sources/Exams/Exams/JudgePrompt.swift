import Crypto
import Foundation

/// A text that asks a judge, with places named in braces: `{question}`, `{reference}`, `{answer}`, `{context}`. What
/// stands behind `{again}` is only said where a reply couldn't be read.
package struct JudgePrompt: Sendable {
    /// The file; nil for words of our own.
    package let file: String?
    package let text: String

    /// - Throws: `EvaluationError` where the file can't be read or is no UTF-8.
    package init(file: String) throws {
        guard let text = String(validating: try EvaluationError.reading(file), as: UTF8.self) else {
            throw EvaluationError("\(file): not valid UTF-8; convert the file")
        }
        (self.file, self.text) = (file, text)
    }

    package init(ownOf exam: some JudgedExam) { (file, text) = (nil, exam.ownPrompt) }

    /// The beginning of its SHA-256.
    package var digest: String { Self.digest(text, 12) }

    static func digest(_ text: String, _ digits: Int) -> String {
        let hex = SHA256.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined()
        return String(hex.prefix(digits))
    }

    /// The text with its places filled; what is filled in is not searched for places.
    ///
    /// - Throws: `EvaluationError` where a place isn't there.
    func filled(_ places: KeyValuePairs<String, String>, again: Bool = false) throws -> String {
        let marked = text.components(separatedBy: "{again}")
        guard marked.count < 3 else { throw misfit("{again} stands there twice; keep one") }
        for (name, _) in places where !marked[0].contains("{\(name)}") {
            throw misfit("{\(name)} isn't there; say where it belongs")
        }
        var rest = Substring(again ? marked.joined() : marked[0])
        var filled = ""
        while let brace = rest.firstIndex(of: "{") {
            filled += rest[..<brace]
            rest = rest[brace...]
            if let (name, value) = places.first(where: { rest.hasPrefix("{\($0.key)}") }) {
                filled += value
                rest = rest.dropFirst(name.count + 2)
            } else {
                filled.append(rest.removeFirst())
            }
        }
        return filled + rest
    }

    func misfit(_ finding: String) -> EvaluationError {
        EvaluationError("\(file ?? "the judge's prompt"): \(finding)")
    }
}
