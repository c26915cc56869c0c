import Records

/// The two answers that POPE and MME ask for.
package enum YesNo: String, Sendable {
    case yes, no

    /// As files write labels, in any case.
    ///
    /// - Throws: `RecordError` for another word.
    init(label word: String) throws {
        guard let label = YesNo(rawValue: word.lowercased()) else {
            throw RecordError.invalid(key: "label", found: "\"\(word)\"", remedy: "write yes or no")
        }
        self = label
    }
}

extension QuestionScore {
    /// - Throws: `EvaluationError` for a label that is neither yes nor no.
    func truth() throws -> YesNo {
        guard let truth = YesNo(rawValue: label) else {
            throw EvaluationError("scores of \(id): the label \"\(label)\"; score again")
        }
        return truth
    }
}

/// Strictly read: the first word is yes or no, whatever stands around it, else it's neither.
package func firstWordAnswer(in text: String) -> YesNo? {
    let word = text.unicodeScalars
        .drop { !$0.properties.isAlphabetic }
        .prefix { $0.properties.isAlphabetic }
    return YesNo(rawValue: String(String.UnicodeScalarView(word)).lowercased())
}
