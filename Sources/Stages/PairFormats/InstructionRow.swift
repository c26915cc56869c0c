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
    /// The keys of the row that dialogue and picture were read from.
    private let read: [String]

    /// - Throws: `UnknownLayout`, `RecordError`.
    package init(_ row: JSONObject, system: SystemRule = .refuse) throws {
        self.row = row
        guard let key = Self.keys.first(where: { row[$0] != nil }) else {
            throw UnknownLayout(keys: row.keys)
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
        read = [key, "system"] + asked + picture.keys
    }

    /// The first question as a prompt, with its answer as `reference`. Later turns are left out.
    /// - Throws: `RecordError`.
    package func prompt(id: String) throws -> Record {
        let (question, answer) = dialogue.exchanges[0]
        var record = JSONObject([
            ("id", .string(id)), ("image", picture.path.map { .string($0) }), ("prompt", .string(question)),
            ("reference", answer.map { .string($0) }),
        ])
        record.add(row, except: read)
        _ = try Prompt(record)
        return record
    }

    /// Every answer as a sample to learn, with what was said before it as `history`.
    /// - Throws: `RecordError`, also for a row without any answer.
    package func lesson(id: String) throws -> Record {
        var history: [JSON] = []
        var samples: [JSON] = []
        for (question, answer) in dialogue.exchanges {
            guard let answer else { break }
            var sample = JSONObject([("prompt", .string(question)), ("answer", .string(answer))])
            _ = try RecordError.naming("samples[\(samples.count)]") { try sample.requiredAnswer("answer") }
            let turn = JSON.object(sample)
            if !history.isEmpty { sample.set("history", .array(history)) }
            samples.append(.object(sample))
            history.append(turn)
        }
        guard !samples.isEmpty else {
            throw RecordError.invalid(
                key: read[0], found: "a question without answer",
                remedy: "add the answer, or use --to prompts")
        }
        var record = JSONObject([
            ("id", .string(id)), ("image", picture.path.map { .string($0) }), ("samples", .array(samples)),
        ])
        record.add(row, except: read)
        return record
    }
}

extension JSONObject {
    /// Adds what a row says beside what was read of it.
    mutating func add(_ row: JSONObject, except read: [String]) {
        for key in row.keys where self[key] == nil && !read.contains(key) { set(key, row[key]) }
    }
}
