import JSON

/// What a prompt asks and what is known about its answer; every stage's input carries these keys.
package struct Prompt: Sendable, Equatable {
    /// A piece of ground truth: `kind` is `caption`, `answer`, `object`, `region` or another word.
    package struct Fact: Sendable, Equatable {
        package var kind: String
        package var text: String

        package init(kind: String, text: String) {
            self.kind = kind
            self.text = text
        }

        init(_ object: JSONObject) throws {
            kind = try object.requiredString("kind")
            text = try object.requiredString("text")
        }

        var json: JSON {
            var object = JSONObject()
            object.set("kind", .string(kind))
            object.set("text", .string(text))
            return .object(object)
        }
    }

    package var id: String
    /// A path, resolved against `--image-root`; nil for a prompt about no picture.
    package var image: String?
    package var prompt: String
    /// What was asked and answered before, oldest first.
    package var history: [Turn]
    /// A ground-truth answer.
    package var reference: String?
    package var facts: [Fact]
    /// The right answer of a closed question: "yes", "B".
    package var answer: String?

    package init(
        id: String, image: String? = nil, prompt: String, history: [Turn] = [], reference: String? = nil,
        facts: [Fact] = [], answer: String? = nil
    ) {
        self.id = id
        self.image = image
        self.prompt = prompt
        self.history = history
        self.reference = reference
        self.facts = facts
        self.answer = answer
    }

    package init(_ record: Record) throws {
        try record.checkVersion()
        id = try record.requiredID()
        image = try record.picture()
        prompt = try record.requiredString("prompt")
        history = try record.history()
        try record.checkMarkers(in: history.map(\.prompt) + [prompt], key: "prompt", picture: image)
        reference = try record.string("reference")
        facts = try record.objects("facts", Fact.init) ?? []
        answer = try record.string("answer")
    }

    /// Sets this view's keys; absent ones are removed, unknown ones stay.
    package func write(into record: inout Record) throws {
        record.set("id", .string(id))
        record.set("image", image.map { .string($0) })
        record.set("prompt", .string(prompt))
        try record.setHistory(history)
        record.set("reference", reference.map { .string($0) })
        // Facts that were only read keep their bytes, unknown inner keys among them.
        if try (record.objects("facts", Fact.init) ?? []) != facts {
            record.set("facts", facts.isEmpty ? nil : .array(facts.map(\.json)))
        }
        record.set("answer", answer.map { .string($0) })
    }
}

extension JSONObject {
    /// The record's `id`: a string that isn't empty.
    package func requiredID() throws -> String {
        let id = try requiredString("id")
        guard !id.isEmpty else {
            throw RecordError.invalid(
                key: "id", found: "empty", remedy: "give every record its own id")
        }
        return id
    }
}
