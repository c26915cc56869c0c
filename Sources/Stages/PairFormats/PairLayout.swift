import JSON
import Records

/// A layout in which others keep preference pairs.
package enum PairLayout: String, Sendable, CaseIterable {
    case trl
    case msSwift = "ms-swift"
    case llamafactory
    case alpaca
    case llava
    case sima
    case rlhfV = "rlhf-v"
    case llavaRLHF = "llava-rlhf"

    /// What tells each layout; the first that fits counts.
    private static let signs: [(layout: PairLayout, keys: [String])] = [
        (.llavaRLHF, ["conversations", "output_1", "output_2"]),
        (.llava, ["conversations", "rejected_conversations"]),
        (.llamafactory, ["conversations", "chosen", "rejected"]),
        (.llamafactory, ["messages", "chosen", "rejected"]),
        (.alpaca, ["instruction", "chosen", "rejected"]),
        (.msSwift, ["messages", "rejected_response"]),
        (.msSwift, ["messages", "rejected_messages"]),
        (.trl, ["prompt", "chosen", "rejected"]),
        (.rlhfV, ["question", "chosen", "rejected"]),
        (.rlhfV, ["text"]),
        (.trl, ["chosen", "rejected"]),
    ]

    /// The layout that a row's keys tell.
    package init(of row: JSONObject) throws {
        let found = Self.signs.first { sign in sign.keys.allSatisfy { row[$0] != nil } }
        guard let found else { throw UnknownLayout(keys: row.keys) }
        self = found.layout
    }

    /// The pair of a row as a record of ours: its own keys first, then what the row says beside it.
    /// - Throws: `RecordError`.
    package func pair(_ row: JSONObject, id: String, system: SystemRule = .refuse) throws -> Record {
        var content = try content(row)
        try content.dialogue.settle(system, said: row.string("system"))
        let picture = try Picture(row)
        try picture.check(shown: content.dialogue.markers, isNeeded: needsPicture, key: content.keys[0])
        var record = JSONObject([
            ("id", .string(id)), ("image", picture.path.map { .string($0) }),
            ("prompt", .string(content.dialogue.prompt)), ("chosen", .string(content.chosen)),
            ("rejected", .string(content.rejected)),
            ("source", .string(try row.string("source") ?? rawValue)),
        ])
        if !content.dialogue.history.isEmpty {
            record.set("history", .array(content.dialogue.history.map(\.json)))
        }
        try record.add(row, except: content.keys + picture.keys + ["system"])
        // What the row says beside the pair may have names of ours with other values.
        _ = try PreferencePair(record)
        return record
    }

    private var needsPicture: Bool { self == .rlhfV || self == .llavaRLHF }

    private struct Content {
        var dialogue: Dialogue
        var chosen: String
        var rejected: String
        /// The keys of the row that this was read from.
        var keys: [String]
    }

    private func content(_ row: JSONObject) throws -> Content {
        switch self {
        case .trl where row["prompt"] == nil: return try parted(row, "chosen", "rejected")
        case .trl:
            return Content(
                dialogue: try Dialogue(row, "prompt"), chosen: try row.answer("chosen"),
                rejected: try row.answer("rejected"), keys: ["prompt", "chosen", "rejected"])
        case .llamafactory:
            let asked = row["conversations"] == nil ? "messages" : "conversations"
            return Content(
                dialogue: try Dialogue(row, asked), chosen: try row.answer("chosen"),
                rejected: try row.answer("rejected"), keys: [asked, "chosen", "rejected"])
        case .alpaca:
            return Content(
                dialogue: try .instructed(row), chosen: try row.answer("chosen"),
                rejected: try row.answer("rejected"), keys: Dialogue.instructionKeys + ["chosen", "rejected"])
        case .msSwift where row["rejected_response"] == nil:
            return try parted(row, "messages", "rejected_messages")
        case .msSwift:
            let (dialogue, chosen) = try Dialogue.answered(row, "messages")
            return Content(
                dialogue: dialogue, chosen: chosen, rejected: try row.loneText("rejected_response"),
                keys: ["messages", "rejected_response"])
        case .llava, .sima: return try parted(row, "conversations", "rejected_conversations")
        case .rlhfV:
            // On the Hub the pair is JSON within a string.
            guard let text = try row.string("text") else { return try Self.questioned(row, []) }
            return try RecordError.naming("text") {
                try Self.questioned(try JSONObject(parsing: text), ["text"])
            }
        case .llavaRLHF: return try compared(row)
        }
    }

    private func parted(_ row: JSONObject, _ chosen: String, _ rejected: String) throws -> Content {
        let (dialogue, answer, other) = try Dialogue.parted(row, chosen, rejected)
        return Content(dialogue: dialogue, chosen: answer, rejected: other, keys: [chosen, rejected])
    }

    private static func questioned(_ row: JSONObject, _ keys: [String]) throws -> Content {
        Content(
            dialogue: Dialogue(question: try row.requiredString("question")),
            chosen: try row.loneText("chosen"), rejected: try row.loneText("rejected"),
            keys: keys.isEmpty ? ["question", "chosen", "rejected"] : keys)
    }

    /// Two outputs and the number of the better one.
    private func compared(_ row: JSONObject) throws -> Content {
        let preference = try row.requiredInt("preference")
        guard (1...2).contains(preference) else {
            throw RecordError.invalid(
                key: "preference", found: "\(preference)", remedy: "use 1 or 2, for the better output")
        }
        let outputs = try ["output_1", "output_2"].map { key in
            try RecordError.naming(key) { try row.requiredObject(key).loneText("value") }
        }
        return Content(
            dialogue: try Dialogue(row, "conversations", dropsAnswer: true), chosen: outputs[preference - 1],
            rejected: outputs[2 - preference], keys: ["conversations", "output_1", "output_2", "preference"])
    }
}

/// A row that has the keys of no layout.
package struct UnknownLayout: Error, CustomStringConvertible {
    let keys: [String]

    package var description: String {
        "unknown layout: the keys are \(keys.joined(separator: ", ")); "
            + (keys.contains { InstructionRow.keys.contains($0) }
                ? "where each question has one answer, use --to prompts or --to lessons"
                : "rename them as docs/interop.md has them")
    }
}
