import JSON

/// Named numbers of a node or candidate (`likelihood`, `relevance`, `calibrated`, …), in order.
package struct Scores: Sendable, Equatable, ExpressibleByDictionaryLiteral {
    package struct Score: Sendable, Equatable {
        package let name: String
        package var value: Double
    }

    package private(set) var entries: [Score]

    package init(dictionaryLiteral elements: (String, Double)...) {
        entries = []
        for (name, value) in elements { self[name] = value }
    }

    init(_ object: JSONObject) throws {
        entries = try object.keys.map { Score(name: $0, value: try object.requiredDouble($0)) }
    }

    package subscript(name: String) -> Double? {
        get { entries.first { $0.name == name }?.value }
        set {
            let at = entries.firstIndex { $0.name == name }
            switch (at, newValue) {
            case (let at?, let value?): entries[at].value = value
            case (let at?, nil): entries.remove(at: at)
            case (nil, let value?): entries.append(Score(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    package var isEmpty: Bool { entries.isEmpty }

    func write(into object: inout JSONObject) throws {
        guard !isEmpty else { return object.remove("scores") }
        var inner = try object.object("scores") ?? JSONObject()
        for key in inner.keys where self[key] == nil { inner.remove(key) }
        for entry in entries where try inner.double(entry.name) != entry.value {
            inner.set(entry.name, try RecordError.naming("scores.\(entry.name)") { try .double(entry.value) })
        }
        object.set("scores", .object(inner))
    }
}

/// One drawn sentence in the tree of a record; its parent is the sentence before it.
package struct SentenceNode: Sendable, Equatable {
    /// Why the sentence ended: at its full stop, at the end token, or at the length limit.
    package enum End: String, Sendable, CaseIterable { case period, stop, length }

    /// Index of the parent within `nodes`, always smaller than this node's own; -1 for the prompt.
    package var parent: Int
    package var text: String
    /// Token ids under the tokenizer that `Sample.tokenizer` names.
    package var ids: [Int32]
    /// Sum over the drawn tokens, in nats, under the model itself: temperature 1, no penalty.
    package var logprob: Double
    package var end: End
    package var scores: Scores
    private var source = JSONObject()

    package init(
        parent: Int, text: String, ids: [Int32], logprob: Double, end: End, scores: Scores = [:]
    ) {
        self.parent = parent
        self.text = text
        self.ids = ids
        self.logprob = logprob
        self.end = end
        self.scores = scores
    }

    init(_ object: JSONObject) throws {
        parent = try object.requiredInt("parent")
        text = try object.requiredString("text")
        ids = try object.required("ids", object.integers("ids", as: Int32.self))
        logprob = try object.requiredDouble("logprob")
        end = try object.requiredChoice("end", of: End.self)
        scores = try object.scores()
        source = object
    }

    func json() throws -> JSON {
        var object = source
        object.set("parent", .int(parent))
        object.set("text", .string(text))
        object.set("ids", .ints(ids))
        if try object.double("logprob") != logprob {
            object.set("logprob", try RecordError.naming("logprob") { try .double(logprob) })
        }
        object.set("end", .string(end.rawValue))
        try scores.write(into: &object)
        return .object(object)
    }
}

/// How a candidate was drawn; other keys than these are kept.
package struct Draw: Sendable, Equatable {
    package let mode: String
    package let temperature: Double?
    package let seed: UInt64?
    /// Every key of the draw in order, the three above included.
    package let object: JSONObject

    /// - Throws: `JSONError.notFinite` for a temperature that JSON can't say.
    package init(
        mode: String, temperature: Double? = nil, seed: UInt64? = nil,
        other: [(key: String, value: JSON)] = []
    ) throws {
        var object = JSONObject()
        object.set("mode", .string(mode))
        if let temperature { object.set("temperature", try .double(temperature)) }
        if let seed { object.set("seed", .int(seed)) }
        for (key, value) in other { object.set(key, value) }
        try self.init(object)
    }

    package init(_ object: JSONObject) throws {
        mode = try object.requiredString("mode")
        temperature = try object.double("temperature")
        seed = try object.integer("seed", as: UInt64.self)
        self.object = object
    }
}

/// A finished answer: a path of sentences from the prompt to a leaf.
package struct Candidate: Sendable, Equatable {
    package var id: String
    /// Indices into `nodes`, first sentence first; empty where the answer wasn't drawn as sentences.
    package var path: [Int]
    package var text: String
    package var draw: Draw?
    package var scores: Scores
    private var source = JSONObject()

    /// Whether the likeliest token was taken each time.
    package var isGreedy: Bool { draw?.temperature == 0 }

    package init(id: String, path: [Int], text: String, draw: Draw?, scores: Scores = [:]) {
        self.id = id
        self.path = path
        self.text = text
        self.draw = draw
        self.scores = scores
    }

    init(_ object: JSONObject) throws {
        id = try object.requiredID()
        path = try object.integers("path", as: Int.self) ?? []
        text = try object.requiredString("text")
        draw = try object.object("draw").map { d in try RecordError.naming("draw") { try Draw(d) } }
        scores = try object.scores()
        source = object
    }

    func json() throws -> JSON {
        var object = source
        object.set("id", .string(id))
        if !(path.isEmpty && object["path"] == nil) { object.set("path", .ints(path)) }
        object.set("text", .string(text))
        object.set("draw", draw.map { .object($0.object) })
        try scores.write(into: &object)
        return .object(object)
    }
}

/// What `sample` grew for one record: sentences, finished answers, and whose token ids they are.
package struct Sample: Sendable, Equatable {
    package var nodes: [SentenceNode]
    package var candidates: [Candidate]
    /// Digest of the tokenizer that `ids` belong to; another tokenizer reads the texts instead.
    package var tokenizer: String?

    package init(nodes: [SentenceNode], candidates: [Candidate], tokenizer: String?) {
        self.nodes = nodes
        self.candidates = candidates
        self.tokenizer = tokenizer
    }

    /// - Throws: `RecordError` naming the node or candidate, also where a parent or path points
    ///   nowhere or two candidates share an id.
    package init(_ record: Record) throws {
        try record.checkVersion()
        nodes = try record.objects("nodes", SentenceNode.init) ?? []
        candidates = try record.required("candidates", record.objects("candidates", Candidate.init))
        tokenizer = try record.string("tokenizer")
        try checkLinks()
    }

    /// The candidate's sentences, first to last.
    package func sentences(of candidate: Candidate) -> [SentenceNode] { candidate.path.map { nodes[$0] } }

    /// - Throws: `RecordError` where a number is not finite or a link points nowhere.
    package func write(into record: inout Record) throws {
        try checkLinks()
        if let tokenizer { record.set("tokenizer", .string(tokenizer)) }
        record.set(
            "nodes",
            .array(
                try nodes.enumerated().map { i, node in
                    try RecordError.naming("nodes[\(i)]") { try node.json() }
                }))
        record.set(
            "candidates",
            .array(
                try candidates.enumerated().map { i, candidate in
                    try RecordError.naming("candidates[\(i)]") { try candidate.json() }
                }))
    }

    private func checkLinks() throws {
        for (i, node) in nodes.enumerated() where !(-1..<i).contains(node.parent) {
            throw RecordError.invalid(
                key: "nodes[\(i)].parent", found: "\(node.parent)",
                remedy: "a parent is -1 or the index of an earlier node")
        }
        var seen: Set<String> = []
        for (i, candidate) in candidates.enumerated() {
            guard seen.insert(candidate.id).inserted else {
                throw RecordError.invalid(
                    key: "candidates[\(i)].id", found: "\"\(candidate.id)\" for the second time",
                    remedy: "candidates of a record need different ids")
            }
            var before = -1
            for index in candidate.path {
                guard nodes.indices.contains(index), nodes[index].parent == before else {
                    throw RecordError.invalid(
                        key: "candidates[\(i)].path", found: "\(candidate.path)",
                        remedy: "a path goes from a node with parent -1 from child to child")
                }
                before = index
            }
        }
    }
}

extension JSONObject {
    fileprivate func scores() throws -> Scores {
        guard let scores = try object("scores") else { return [:] }
        return try RecordError.naming("scores") { try Scores(scores) }
    }

    package func requiredChoice<E: RawRepresentable & CaseIterable>(
        _ key: String, of type: E.Type
    ) throws -> E where E.RawValue == String {
        let word = try requiredString(key)
        if let value = E(rawValue: word) { return value }
        let known = E.allCases.map(\.rawValue).joined(separator: ", ")
        throw RecordError.invalid(key: key, found: "\"\(word)\"", remedy: "use one of \(known)")
    }
}
