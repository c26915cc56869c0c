import JSON

/// One line of `pair`: a better and a worse answer to the same prompt.
package struct PreferencePair: Sendable, Equatable {
    /// Weight of the tokens that overlap `begin..<end`, UTF-8 byte offsets into the answer's text.
    package struct WeightedSpan: Sendable, Equatable {
        package var begin: Int
        package var end: Int
        package var weight: Double

        package init(begin: Int, end: Int, weight: Double) {
            self.begin = begin
            self.end = end
            self.weight = weight
        }
    }

    package struct Weights: Sendable, Equatable {
        package var chosen: [WeightedSpan]
        package var rejected: [WeightedSpan]

        package init(chosen: [WeightedSpan], rejected: [WeightedSpan]) {
            self.chosen = chosen
            self.rejected = rejected
        }
    }

    /// Summed log-probabilities of the answers under a reference model, with their end tokens unless they are partial,
    /// in nats.
    package struct ReferenceLogProbabilities: Sendable, Equatable {
        package var chosen: Double
        package var rejected: Double

        package init(chosen: Double, rejected: Double) {
            self.chosen = chosen
            self.rejected = rejected
        }
    }

    package var id: String
    package var image: String?
    package var prompt: String
    /// What was asked and answered before, oldest first.
    package var history: [Turn]
    package var chosen: String
    package var rejected: String
    /// Difference of the scores that decided; nil where the source gives none.
    package var margin: Double?
    /// Which rule, critic or file the preference comes from.
    package var source: String?
    package var weights: Weights?
    /// Whether the answers break off behind the first sentence that differs, so that their ends mean nothing.
    package var isPartial: Bool
    /// By the digest of the reference model.
    package var referenceLogProbabilities: [String: ReferenceLogProbabilities]

    package init(
        id: String, image: String? = nil, prompt: String, history: [Turn] = [], chosen: String,
        rejected: String,
        margin: Double?, source: String?, weights: Weights? = nil, isPartial: Bool = false,
        referenceLogProbabilities: [String: ReferenceLogProbabilities] = [:]
    ) {
        self.id = id
        self.image = image
        self.prompt = prompt
        self.history = history
        self.chosen = chosen
        self.rejected = rejected
        self.margin = margin
        self.source = source
        self.weights = weights
        self.isPartial = isPartial
        self.referenceLogProbabilities = referenceLogProbabilities
    }

    /// - Throws: `RecordError`, also for answers that are empty, show a picture, or differ in nothing but white space.
    package init(_ record: Record) throws {
        try record.checkVersion()
        id = try record.requiredID()
        image = try record.picture()
        prompt = try record.requiredString("prompt")
        history = try record.history()
        try record.checkMarkers(in: history.map(\.prompt) + [prompt], key: "prompt", picture: image)
        chosen = try record.requiredAnswer("chosen")
        rejected = try record.requiredAnswer("rejected")
        try Self.checkDifference(chosen, rejected)
        margin = try record.double("margin")
        source = try record.string("source")
        weights = try Self.weights(of: record, chosen: chosen, rejected: rejected)
        isPartial = try record.bool("partial") ?? false
        referenceLogProbabilities = try Self.referenceLogProbabilities(of: record)
    }

    private static func checkDifference(_ chosen: String, _ rejected: String) throws {
        func words(_ text: String) -> [Substring.UTF8View] {
            text.split(whereSeparator: \.isWhitespace).map(\.utf8)
        }
        guard words(chosen).elementsEqual(words(rejected), by: { $0.elementsEqual($1) }) else { return }
        throw RecordError.invalid(
            key: "rejected", found: "the same as \"chosen\"",
            remedy: "a pair prefers one answer to another; leave it out")
    }

    private static func weights(of record: Record, chosen: String, rejected: String) throws -> Weights? {
        guard let object = try record.object("weights") else { return nil }
        return try RecordError.naming("weights") {
            Weights(
                chosen: try object.spans("chosen", in: chosen),
                rejected: try object.spans("rejected", in: rejected))
        }
    }

    private static func referenceLogProbabilities(
        of record: Record
    ) throws -> [String: ReferenceLogProbabilities] {
        var all: [String: ReferenceLogProbabilities] = [:]
        guard let object = try record.object("ref_logps") else { return all }
        for digest in object.keys {
            all[digest] = try RecordError.naming("ref_logps.\(digest)") {
                let entry = try object.requiredObject(digest)
                return ReferenceLogProbabilities(
                    chosen: try entry.requiredDouble("chosen"), rejected: try entry.requiredDouble("rejected")
                )
            }
        }
        return all
    }

    /// - Throws: `RecordError` with this remedy where the answers break off.
    package func requireWholeAnswers(remedy: String) throws {
        guard isPartial else { return }
        throw RecordError.invalid(key: "partial", found: "answers that break off", remedy: remedy)
    }

    /// Sets this view's keys and removes what stays behind: the tree, the candidates, the verdicts.
    package func write(into record: inout Record) throws {
        for key in ["nodes", "candidates", "verdicts", "tokenizer"] { record.remove(key) }
        record.set("id", .string(id))
        record.set("image", image.map { .string($0) })
        record.set("prompt", .string(prompt))
        try record.setHistory(history)
        record.set("chosen", .string(chosen))
        record.set("rejected", .string(rejected))
        record.set("margin", try margin.map { m in try RecordError.naming("margin") { try .double(m) } })
        record.set("source", source.map { .string($0) })
        record.set("weights", try weights.map { try $0.json() })
        record.set("partial", isPartial ? .bool(true) : nil)
        guard !referenceLogProbabilities.isEmpty else { return record.remove("ref_logps") }
        var logps = try record.object("ref_logps") ?? JSONObject()
        for digest in logps.keys where referenceLogProbabilities[digest] == nil { logps.remove(digest) }
        for (digest, value) in referenceLogProbabilities.sorted(by: { $0.key < $1.key }) {
            var entry = try logps.object(digest) ?? JSONObject()
            try RecordError.naming("ref_logps.\(digest)") {
                entry.set("chosen", try .double(value.chosen))
                entry.set("rejected", try .double(value.rejected))
            }
            logps.set(digest, .object(entry))
        }
        record.set("ref_logps", .object(logps))
    }
}

extension PreferencePair.Weights {
    fileprivate func json() throws -> JSON {
        var object = JSONObject()
        for (key, spans) in [("chosen", chosen), ("rejected", rejected)] {
            let rows = try spans.map { span -> JSON in
                .array([
                    .int(span.begin), .int(span.end),
                    try RecordError.naming("weights.\(key)") { try .double(span.weight) },
                ])
            }
            object.set(key, .array(rows))
        }
        return .object(object)
    }
}

extension JSONObject {
    /// `[[begin, end, weight], …]` with offsets inside `text`.
    fileprivate func spans(_ key: String, in text: String) throws -> [PreferencePair.WeightedSpan] {
        try (array(key) ?? []).enumerated().map { i, row in
            guard case .array(let items) = row, items.count == 3, case .number(let b) = items[0],
                case .number(let e) = items[1], case .number(let w) = items[2],
                let begin = b.integer(as: Int.self), let end = e.integer(as: Int.self), let weight = w.double,
                0 <= begin, begin <= end, end <= text.utf8.count
            else {
                throw RecordError.invalid(
                    key: "\(key)[\(i)]", found: row.text,
                    remedy: "write [begin, end, weight], UTF-8 offsets up to \(text.utf8.count)")
            }
            return PreferencePair.WeightedSpan(begin: begin, end: end, weight: weight)
        }
    }
}
