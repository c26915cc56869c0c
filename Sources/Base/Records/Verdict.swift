import JSON

/// What a critic said about the candidates of a record.
package struct Verdict: Sendable, Equatable {
    package enum Choice: Sendable, Equatable {
        case candidate(String)
        case tie
        /// The answer could not be read; the raw text stays.
        case unreadable
    }

    /// Name of the critic, its prompt or rubric included.
    package var critic: String
    /// Ids of the candidates in the order they were shown.
    package var order: [String]
    package var choice: Choice
    /// What the critic wrote, word for word.
    package var raw: String

    package init(critic: String, order: [String], choice: Choice, raw: String) {
        self.critic = critic
        self.order = order
        self.choice = choice
        self.raw = raw
    }

    init(_ object: JSONObject) throws {
        critic = try object.requiredString("critic")
        order = try object.requiredStrings("order")
        raw = try object.requiredString("raw")
        switch try object.string("choice") {
        case nil: choice = .unreadable
        case "tie": choice = .tie
        case let id?:
            guard order.contains(id) else {
                throw RecordError.invalid(
                    key: "choice", found: "\"\(id)\"", remedy: "it must be in \"order\", \"tie\" or null")
            }
            choice = .candidate(id)
        }
    }

    var json: JSON {
        var object = JSONObject()
        object.set("critic", .string(critic))
        object.set("order", .strings(order))
        switch choice {
        case .candidate(let id): object.set("choice", .string(id))
        case .tie: object.set("choice", .string("tie"))
        case .unreadable: object.set("choice", JSON.null)
        }
        object.set("raw", .string(raw))
        return .object(object)
    }
}

extension JSONObject {
    /// The record's verdicts, oldest first; none where the key is absent.
    package func verdicts() throws -> [Verdict] { try objects("verdicts", Verdict.init) ?? [] }

    /// Adds verdicts after those already there, whose bytes stay.
    package mutating func append(_ verdicts: [Verdict]) throws {
        set("verdicts", .array((try array("verdicts") ?? []) + verdicts.map(\.json)))
    }
}
