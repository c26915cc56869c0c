import JSON
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
        case .trl, .llamafactory: ["image", "prompt", "history", "chosen", "rejected"]
        case .msSwift: ["image", "prompt", "history", "chosen", "rejected", "margin"]
        case .llava: ["id", "image", "prompt", "history", "chosen", "rejected"]
        }
    }

    /// What ends an answer in one family of models or another; a trainer adds it itself.
    private static let ends = ["</s>", "<|im_end|>", "<|eot_id|>", "<|endoftext|>"]

    /// The row for a pair, and the keys of the pair that the row has no place for.
    /// - Throws: `RecordError` for a record that is no pair, one whose answers break off, or an answer with an end
    ///   token in its text.
    package func row(for record: Record) throws -> (row: JSONObject, lost: [String]) {
        let pair = try PreferencePair(record)
        try pair.requireWholeAnswers(
            remedy:
                "other trainers learn an end where they do; make pairs of whole answers, without --unit sentence"
        )
        for (key, text) in [("chosen", pair.chosen), ("rejected", pair.rejected)] {
            guard let end = Self.ends.first(where: { text.contains($0) }) else { continue }
            throw RecordError.invalid(
                key: key, found: "an answer with \(end) in it",
                remedy: "take it out: trainers end answers themselves")
        }
        // "images" may stand for "image".
        let lost = record.keys.filter { !(carried + ["images"]).contains($0) && record[$0] != .null }
        return (try row(pair), lost)
    }

    private func row(_ pair: PreferencePair) throws -> JSONObject {
        let images = pair.image.map { JSON.strings([$0]) }
        switch self {
        case .trl:
            // The processor of the model puts the marker in; a row without picture needs the column all the same.
            return JSONObject([
                ("images", images ?? .array([])), ("prompt", .array(turns(pair, marker: ""))),
                ("chosen", .array([.turn("assistant", pair.chosen)])),
                ("rejected", .array([.turn("assistant", pair.rejected)])),
            ])
        case .msSwift:
            let asked = turns(pair, marker: ImageMarker.text)
            return JSONObject([
                ("messages", .array(asked + [.turn("assistant", pair.chosen)])),
                ("rejected_response", .string(pair.rejected)), ("images", images),
                ("margin", try pair.margin.map { try .double($0) }),
            ])
        case .llamafactory:
            return JSONObject([
                ("conversations", .array(turns(pair, marker: ImageMarker.text))),
                ("chosen", .speech("gpt", pair.chosen)), ("rejected", .speech("gpt", pair.rejected)),
                ("images", images),
            ])
        case .llava:
            let asked = turns(pair, marker: ImageMarker.text + "\n")
            return JSONObject([
                ("id", .string(pair.id)), ("image", pair.image.map { .string($0) }),
                ("conversations", .array(asked + [.speech("gpt", pair.chosen)])),
                ("rejected_conversations", .array(asked + [.speech("gpt", pair.rejected)])),
            ])
        }
    }

    /// What was said up to the question, in the trainer's form.
    /// - Parameter marker: stands before the first question where the pair has a picture.
    private func turns(_ pair: PreferencePair, marker: String) -> [JSON] {
        let isOpenAI = self == .trl || self == .msSwift
        func said(_ isAnswer: Bool, _ text: String) -> JSON {
            isOpenAI
                ? .turn(isAnswer ? "assistant" : "user", text) : .speech(isAnswer ? "gpt" : "human", text)
        }
        let questions = (pair.history.map(\.prompt) + [pair.prompt]).map(ImageMarker.removed)
        return questions.enumerated().flatMap { index, question in
            [said(false, (index == 0 && pair.image != nil ? marker : "") + question)]
                + (index < pair.history.count ? [said(true, pair.history[index].answer)] : [])
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
