import Records

/// A layout of preference pairs that another trainer reads.
package enum TrainerFormat: String, Sendable, CaseIterable {
    case trl
    case msSwift = "ms-swift"
    case llamafactory
    /// Of LLaVA's descendants: SIMA, POVID, CSR.
    case llava

    /// Whether the trainer reads one JSON array; the others read lines.
    package var isArray: Bool { self == .llava }

    /// The keys of a pair that a row has a place for.
    private var carried: [String] {
        switch self {
        case .trl, .llamafactory: ["image", "prompt", "chosen", "rejected"]
        case .msSwift: ["image", "prompt", "chosen", "rejected", "margin"]
        case .llava: ["id", "image", "prompt", "chosen", "rejected"]
        }
    }

    /// The row for a pair, and the keys of the pair that the row has no place for.
    /// - Throws: `RecordError` for a record that is no pair, or an answer that would show a picture.
    package func row(for record: Record) throws -> (row: JSONObject, lost: [String]) {
        let pair = try PreferencePair(record)
        for (key, text) in [("chosen", pair.chosen), ("rejected", pair.rejected)]
        where text.contains(ImageMarker.text) {
            throw RecordError.invalid(
                key: key, found: "an answer with \(ImageMarker.text) in it",
                remedy: "take it out: trainers would put a picture there")
        }
        // "images" may stand for "image".
        let lost = record.keys.filter { !(carried + ["images"]).contains($0) && record[$0] != .null }
        return (try row(pair), lost)
    }

    private func row(_ pair: PreferencePair) throws -> JSONObject {
        let question = ImageMarker.removed(from: pair.prompt)
        let marked = (pair.image == nil ? "" : ImageMarker.text) + question
        let images = pair.image.map { JSON.strings([$0]) }
        switch self {
        case .trl:
            // The processor of the model puts the marker in; a row without picture needs the column all the same.
            return JSONObject([
                ("images", images ?? .array([])), ("prompt", .array([.turn("user", question)])),
                ("chosen", .array([.turn("assistant", pair.chosen)])),
                ("rejected", .array([.turn("assistant", pair.rejected)])),
            ])
        case .msSwift:
            return JSONObject([
                ("messages", .array([.turn("user", marked), .turn("assistant", pair.chosen)])),
                ("rejected_response", .string(pair.rejected)), ("images", images),
                ("margin", try pair.margin.map { try .double($0) }),
            ])
        case .llamafactory:
            return JSONObject([
                ("conversations", .array([.speech("human", marked)])),
                ("chosen", .speech("gpt", pair.chosen)), ("rejected", .speech("gpt", pair.rejected)),
                ("images", images),
            ])
        case .llava:
            let human = JSON.speech(
                "human", pair.image == nil ? question : "\(ImageMarker.text)\n\(question)")
            return JSONObject([
                ("id", .string(pair.id)), ("image", pair.image.map { .string($0) }),
                ("conversations", .array([human, .speech("gpt", pair.chosen)])),
                ("rejected_conversations", .array([human, .speech("gpt", pair.rejected)])),
            ])
        }
    }
}

extension JSON {
    fileprivate static func turn(_ role: String, _ content: String) -> JSON {
        .object(JSONObject([("role", .string(role)), ("content", .string(content))]))
    }

    fileprivate static func speech(_ from: String, _ value: String) -> JSON {
        .object(JSONObject([("from", .string(from)), ("value", .string(value))]))
    }
}

extension JSONObject {
    /// The members that have a value, in this order.
    init(_ members: [(key: String, value: JSON?)]) {
        self.init()
        for (key, value) in members { set(key, value) }
    }
}
