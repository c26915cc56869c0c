import Records

/// What was said before the answers that are compared.
struct Dialogue: Equatable {
    fileprivate struct Turn: Equatable {
        let isAnswer: Bool
        let text: String
    }

    private var turns: [Turn]

    init(question: String) { turns = [Turn(isAnswer: false, text: question)] }

    /// The turns under `key`, or the one question that stands there as a string.
    /// - Parameter dropsAnswer: whether an answer at the end is left out, which is none of those compared.
    init(_ row: JSONObject, _ key: String, dropsAnswer: Bool = false) throws {
        if case .string(let question)? = row[key] {
            turns = [Turn(isAnswer: false, text: question)]
            return
        }
        turns = try row.turns(key)
        if dropsAnswer, turns.last?.isAnswer == true { turns.removeLast() }
        try checkOrder(key)
    }

    /// A dialogue and the answer at its end.
    static func answered(_ row: JSONObject, _ key: String) throws -> (Dialogue, answer: String) {
        var turns = try row.turns(key)
        guard let last = turns.popLast(), last.isAnswer else {
            throw RecordError.invalid(
                key: key, found: "a conversation that doesn't end with an answer", remedy: "add the answer")
        }
        let dialogue = Dialogue(turns: turns)
        try dialogue.checkOrder(key)
        return (dialogue, last.text)
    }

    private init(turns: [Turn]) { self.turns = turns }

    /// Questions and answers take turns, from question to question.
    private func checkOrder(_ key: String) throws {
        let isInOrder = turns.enumerated().allSatisfy { $1.isAnswer == ($0 % 2 == 1) }
        guard isInOrder, turns.count % 2 == 1 else {
            throw RecordError.invalid(
                key: key, found: "a conversation of \(turns.map { $0.isAnswer ? "answer" : "question" })",
                remedy: "questions and answers must take turns and a question stand last")
        }
    }

    /// How many pictures the questions show.
    var markers: Int { turns.reduce(0) { $0 + ImageMarker.count(in: $1.text) } }

    /// The last question.
    var prompt: String { ImageMarker.removed(from: turns.last?.text ?? "") }

    /// What was asked and answered before it.
    var history: [Records.Turn] {
        stride(from: 0, to: turns.count - 1, by: 2).map {
            Records.Turn(prompt: ImageMarker.removed(from: turns[$0].text), answer: turns[$0 + 1].text)
        }
    }
}

extension Dialogue.Turn {
    init(_ object: JSONObject) throws {
        let speaker = object["from"] == nil ? "role" : "from"
        switch try object.requiredString(speaker) {
        case "user", "human": isAnswer = false
        case "assistant", "gpt": isAnswer = true
        case let other:
            throw RecordError.invalid(
                key: speaker, found: "\"\(other)\"",
                remedy: "use user and assistant, or human and gpt; a system turn comes from --template")
        }
        text = try object.said
    }
}

extension JSONObject {
    fileprivate func turns(_ key: String) throws -> [Dialogue.Turn] {
        try required(key, objects(key) { try Dialogue.Turn($0) })
    }

    /// An answer: a string, a turn, or a list of one turn.
    func answer(_ key: String) throws -> String {
        switch self[key] {
        case .string(let text): return text
        case .object(let turn): return try RecordError.naming(key) { try turn.said }
        default:
            let turns = try required(key, objects(key) { try $0.said })
            guard turns.count == 1 else {
                throw RecordError.invalid(
                    key: key, found: "\(turns.count) turns", remedy: "give the answer's turn alone")
            }
            return turns[0]
        }
    }

    /// The text of a turn; parts that are pictures become markers.
    fileprivate var said: String {
        get throws {
            let key = self["value"] == nil ? "content" : "value"
            if case .array? = self[key] {
                return try required(
                    key,
                    objects(key) { part in
                        try part.string("type") == "image" ? ImageMarker.text : part.requiredString("text")
                    }
                ).joined()
            }
            return try requiredString(key)
        }
    }
}

/// The file of a row's picture, under whichever of its names.
struct Picture {
    let path: String?
    /// The keys of the row that it was read from.
    let keys: [String]

    init(_ row: JSONObject) throws {
        if row["rejected_images"] != nil {
            throw RecordError.invalid(
                key: "rejected_images", found: "a picture of its own for the rejected answer",
                remedy: "a pair has one; leave this row out")
        }
        var images: [JSON] = row["images"].map { [$0] } ?? []
        if case .array(let list)? = row["images"] { images = list }
        guard images.count <= 1 else {
            throw RecordError.invalid(
                key: "images", found: "\(images.count) pictures",
                remedy: "a pair has one; leave this row out")
        }
        let own =
            try images.first.flatMap { try Self.path($0, "images") }
            ?? row["image"].flatMap { try Self.path($0, "image") }
        path = try own ?? row.string("image_path")
        keys = own == nil ? ["images", "image", "image_path"] : ["images", "image"]
        if path == nil, case .object? = images.first ?? row["image"] {
            throw RecordError.invalid(
                key: "image", found: "the picture itself",
                remedy: "write it to a file and name that in \"image\"")
        }
    }

    /// A path, or an object of Hugging Face's datasets with one.
    private static func path(_ value: JSON, _ key: String) throws -> String? {
        switch value {
        case .string(let path): path
        case .object(let object): try object.string("path")
        case .null: nil
        default: throw RecordError.wrongType(key: key, found: value.kind, wanted: "the path of a picture")
        }
    }
}
