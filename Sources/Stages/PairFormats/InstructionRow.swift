import JSON
import Records

/// A row with one answer to each question: LLaVA's `conversations`, `messages` of ms-swift and LLaMA-Factory, TRL's
/// `prompt` with `completion`, Alpaca's `instruction` with `output`.
package struct InstructionRow {
    /// Those that tell such a row.
    static let keys = ["conversations", "messages", "completion", "output"]

    private let row: JSONObject
    private let dialogue: Dialogue
    private let picture: Picture
    /// Whether the row's answer is that to the last question, and what was said before is no more than history.
    private let answersLast: Bool
    /// The keys of the row that dialogue and picture were read from.
    private let read: [String]

    /// - Throws: `UnknownLayout`, `RecordError`.
    package init(_ row: JSONObject, system: SystemRule = .refuse) throws {
        self.row = row
        guard let key = Self.keys.first(where: { row[$0] != nil }) else {
            throw UnknownLayout(keys: row.keys)
        }
        // TRL's and LLaMA-Factory's rows for KTO.
        if let bad = ["label", "kto_tag"].first(where: { row[$0] == .bool(false) }) {
            throw RecordError.invalid(
                key: bad, found: "false, which marks a bad answer", remedy: "leave this row out")
        }
        var dialogue: Dialogue
        var asked: [String] = []
        switch key {
        case "completion":
            asked = ["prompt"]
            dialogue = try Dialogue(row, "prompt").answered(by: row.answer(key))
        case "output":
            asked = Dialogue.instructionKeys
            dialogue = try Dialogue.instructed(row).answered(by: row.answer(key))
        default: dialogue = try Dialogue.whole(row, key)
        }
        try dialogue.settle(system, said: row.string("system"))
        picture = try Picture(row)
        try picture.check(shown: dialogue.markers, key: key)
        self.dialogue = dialogue
        answersLast = !asked.isEmpty
        read = [key, "system"] + asked + picture.keys
    }

    /// A question as a prompt, with its answer as `reference`: of a conversation the first, and later turns are left
    /// out; elsewhere the one that the row answers, with those before it as `history`.
    /// - Throws: `RecordError`.
    package func prompt(id: String) throws -> Record {
        let record = try asked(id: id)
        _ = try Prompt(record)
        return record
    }

    private func asked(id: String) throws -> Record {
        let exchanges = dialogue.exchanges
        let (question, answer) = exchanges[answersLast ? exchanges.count - 1 : 0]
        let history = answersLast ? dialogue.history : []
        var record = JSONObject([
            ("id", .string(id)), ("image", picture.path.map { .string($0) }), ("prompt", .string(question)),
            ("reference", answer.map { .string($0) }),
            ("history", history.isEmpty ? nil : .array(history.map(\.json))),
        ])
        try record.add(row, except: read)
        return record
    }

    /// Every answer as a sample to learn, with what was said before it as `history`.
    /// - Throws: `RecordError`, also for a row whose last question has no answer.
    package func lesson(id: String) throws -> Record {
        var history: [JSON] = []
        var samples: [JSON] = []
        for (question, answer) in dialogue.exchanges {
            guard let answer else {
                throw RecordError.invalid(
                    key: read[0], found: "a question without answer",
                    remedy: "add the answer, take the question out, or use --to prompts")
            }
            var sample = JSONObject([("prompt", .string(question)), ("answer", .string(answer))])
            _ = try RecordError.naming("samples[\(samples.count)]") { try sample.requiredAnswer("answer") }
            let turn = JSON.object(sample)
            if !history.isEmpty { sample.set("history", .array(history)) }
            samples.append(.object(sample))
            history.append(turn)
        }
        var record = JSONObject([
            ("id", .string(id)), ("image", picture.path.map { .string($0) }), ("samples", .array(samples)),
        ])
        // The samples hold what a prompt would say, so the row must not say otherwise beside them.
        _ = try asked(id: id)
        if !read.contains("history"), row.holds("history") { throw RecordError.contradicted("history") }
        try record.add(row, except: read)
        _ = try record.picture()
        return record
    }
}

extension JSONObject {
    /// Adds what a row says beside what was read of it; its id and source are settled.
    /// - Throws: `RecordError` for a key of the record that the row has with another value, which would be lost.
    mutating func add(_ row: JSONObject, except read: [String]) throws {
        for (key, value) in row.entries where !(read + ["id", "source"]).contains(key) {
            guard let own = self[key] else {
                set(key, value)
                continue
            }
            if value != own, row.holds(key) { throw RecordError.contradicted(key) }
        }
    }
}

extension RecordError {
    fileprivate static func contradicted(_ key: String) -> RecordError {
        .invalid(
            key: key, found: "another one than the rest of the row says",
            remedy: "the record has one place for both: rename the key, or take it out")
    }
}
