import JSON

/// A question and its answer that came before the one that is asked.
package struct Turn: Sendable, Equatable {
    package var prompt: String
    package var answer: String

    package init(prompt: String, answer: String) { (self.prompt, self.answer) = (prompt, answer) }

    /// - Throws: `RecordError`, also for an answer that is empty or shows a picture.
    init(_ object: JSONObject) throws {
        prompt = try object.requiredString("prompt")
        answer = try object.requiredAnswer("answer")
    }

    package var json: JSON {
        var object = JSONObject()
        object.set("prompt", .string(prompt))
        object.set("answer", .string(answer))
        return .object(object)
    }
}

extension [Turn] {
    /// As models take them.
    package var texts: [(prompt: String, answer: String)] { map { ($0.prompt, $0.answer) } }
}

extension JSONObject {
    /// The turns before the record's question, oldest first. They stay turns: made one text with the question they
    /// would be in the words of one model's template.
    package func history() throws -> [Turn] { try objects("history", Turn.init) ?? [] }

    /// Sets the turns where they are others than those that stand there.
    mutating func setHistory(_ turns: [Turn]) throws {
        guard try history() != turns else { return }
        set("history", turns.isEmpty ? nil : .array(turns.map(\.json)))
    }

    /// - Parameter reader: who would pass over earlier turns, in an error.
    /// - Throws: `RecordError` for a record that has some.
    package func checkThatNothingWasSaidBefore(reader: String) throws {
        let count = try history().count
        guard count > 0 else { return }
        throw RecordError.invalid(
            key: "history", found: "\(count) earlier turns",
            remedy: "\(reader) is asked single questions; leave it out")
    }

    /// An answer that says something and shows no picture.
    package func requiredAnswer(_ key: String) throws -> String {
        let text = try requiredString(key)
        guard text.contains(where: { !$0.isWhitespace }) else {
            throw RecordError.invalid(
                key: key, found: "empty", remedy: "give the answer, or leave the record out")
        }
        guard !text.contains(ImageMarker.text) else {
            throw RecordError.invalid(
                key: key, found: "an answer with \(ImageMarker.text) in it",
                remedy: "take it out: models would look for a picture there")
        }
        return text
    }
}
