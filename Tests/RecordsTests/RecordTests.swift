import Records
import Testing

@Suite struct RecordTests {
    private func message(_ body: () throws -> Void) -> String {
        do {
            try body()
            return "nothing thrown"
        } catch { return "\(error)" }
    }

    @Test func wrongTypesNameKeyAndBothTypes() throws {
        let record = try Record(parsing: #"{"image":7,"n":1.5,"big":1e400,"list":[1,"a"],"none":null}"#)
        #expect(
            message { _ = try record.string("image") }
                == #"wrong type: key "image" is a number (7); it must be a string"#)
        #expect(message { _ = try record.int("n") }.contains("1.5"))
        #expect(message { _ = try record.double("big") }.contains("within the range of a double"))
        #expect(message { _ = try record.strings("list") }.contains("an array of strings"))
        #expect(message { _ = try record.requiredString("id") } == #"missing key: "id" isn't there; add it"#)
        #expect(message { _ = try record.requiredString("none") }.contains("null"))
        #expect(try record.string("none") == nil)
        #expect(try record.integer("image", as: UInt8.self) == 7)
    }

    /// Pairs that prefer nothing, or whose answers a model would not read as text.
    @Test(arguments: [
        (#""chosen":"A cat.","rejected":"A cat.""#, "\"rejected\" is the same as"),
        (#""chosen":"A cat.","rejected":" A  cat.""#, "\"rejected\" is the same as"),
        (#""chosen":"","rejected":"A cat.""#, "\"chosen\" is empty"),
        (#""chosen":"A cat.","rejected":" \n""#, "\"rejected\" is empty"),
        (#""chosen":"A <image> cat.","rejected":"A dog.""#, "\"chosen\" is an answer with <image>"),
        (
            #""chosen":"A","rejected":"B","history":[{"prompt":"Who?"}]"#,
            "history[0]: missing key: \"answer\""
        ),
        (#""chosen":"A","rejected":"B","history":[["Who?","A man."]]"#, "history[0]"),
        (#""chosen":"A","rejected":"B","history":[{"prompt":"<image>?","answer":"A"}]"#, "about a picture"),
    ])
    func pairsThatTeachNothingAreRefused(answers: String, says: String) throws {
        let record = try Record(parsing: #"{"id":"a","prompt":"p",\#(answers)}"#)
        #expect(
            message { _ = try PreferencePair(record) }.contains(says),
            "\(message { _ = try PreferencePair(record) })")
    }

    @Test func historyPassesThrough() throws {
        let text =
            #"{"id":"a","prompt":"p","history":[{"prompt":"Who?","answer":"A man.","x":1.0}],"chosen":"A"}"#
        var record = try Record(parsing: text)
        let prompt = try Prompt(record)
        #expect(prompt.history == [Turn(prompt: "Who?", answer: "A man.")])
        try prompt.write(into: &record)
        #expect(record.text == text)
    }

    @Test func laterVersionsAreRefused() throws {
        try Record(parsing: #"{"version":1}"#).checkVersion()
        #expect(throws: RecordError.newerVersion(found: 2)) {
            try Record(parsing: #"{"version":2}"#).checkVersion()
        }
        #expect(throws: RecordError.self) {
            try Prompt(Record(parsing: #"{"version":2,"id":"a","prompt":"p"}"#))
        }
    }

    @Test func promptRoundTrips() throws {
        let line =
            #"{"id":"a","k":1.0,"image":"x.png","prompt":"p","facts":[{"kind":"object","text":"car","w":1e2}],"#
            + #""answer":"yes"}"#
        var record = try Record(parsing: line)
        var prompt = try Prompt(record)
        #expect(prompt.facts == [.init(kind: "object", text: "car")])
        try prompt.write(into: &record)
        #expect(record.text == line)
        prompt.image = nil
        prompt.reference = "r"
        try prompt.write(into: &record)
        #expect(record.keys == ["id", "k", "prompt", "facts", "answer", "reference"])
        #expect(try Prompt(record) == prompt)
        #expect(throws: RecordError.self) { try Prompt(Record(parsing: #"{"id":"","prompt":"p"}"#)) }
    }

    private static let sampleLine =
        #"{"id":"a","prompt":"p","tokenizer":"t","nodes":["#
        + #"{"parent":-1,"text":"A.","ids":[345, 77],"logprob":-3.10,"end":"period","mine":{"x":1.0}},"#
        + #"{"parent":0,"text":"B.","ids":[],"logprob":-1,"end":"stop","scores":{"relevance":2.50}}],"#
        + #""candidates":[{"id":"c0","path":[0,1],"text":"A. B.","#
        + #""draw":{"mode":"sentence-tree","temperature":1,"seed":18446744073709551615,"beam":[1]}}],"u":-0.0}"#

    @Test func sampleKeepsUnknownInnerKeys() throws {
        var record = try Record(parsing: Self.sampleLine)
        var sample = try Sample(record)
        #expect(sample.sentences(of: sample.candidates[0]).map(\.text) == ["A.", "B."])
        #expect(sample.candidates[0].draw?.seed == .max)
        try sample.write(into: &record)
        #expect(record.text == Self.sampleLine)
        sample.nodes[0].scores["likelihood"] = -0.5
        sample.nodes[1].scores["relevance"] = 3
        sample.candidates[0].scores["calibrated"] = 0.25
        try sample.write(into: &record)
        let expected = Self.sampleLine
            .replacing(#""mine":{"x":1.0}}"#, with: #""mine":{"x":1.0},"scores":{"likelihood":-0.5}}"#)
            .replacing("2.50", with: "3.0")
            .replacing(#""beam":[1]}}"#, with: #""beam":[1]},"scores":{"calibrated":0.25}}"#)
        #expect(record.text == expected)
        #expect(try Sample(record) == Sample(Record(parsing: expected)))
    }

    @Test func sampleRefusesWhatCannotBeFollowed() throws {
        func changed(_ old: String, _ new: String) throws -> Record {
            #expect(Self.sampleLine.contains(old))
            return try Record(parsing: Self.sampleLine.replacing(old, with: new))
        }
        #expect(
            message { _ = try Sample(changed(#""parent":0"#, #""parent":1"#)) }.contains("nodes[1].parent"))
        #expect(message { _ = try Sample(changed("[0,1]", "[1]")) }.contains("candidates[0].path"))
        #expect(message { _ = try Sample(changed("[0,1]", "[0,7]")) }.contains("candidates[0].path"))
        #expect(
            message { _ = try Sample(changed(#""end":"stop""#, #""end":"eos""#)) }
                == #"nodes[1]: wrong value: key "end" is "eos"; use one of period, stop, length"#)
        #expect(message { _ = try Sample(changed("[345, 77]", "[2147483648]")) }.contains("nodes[0]"))
        #expect(
            message { _ = try Sample(changed(#""id":"c0","#, "")) }.contains("candidates[0]: missing key"))
    }

    @Test func scoresThatAreNoNumbersAreNamedAndNotWritten() throws {
        var record = try Record(parsing: Self.sampleLine)
        var sample = try Sample(record)
        sample.nodes[1].scores["relevance"] = .nan
        let text = message { try sample.write(into: &record) }
        #expect(text.hasPrefix("nodes[1]: scores.relevance: not a number: nan"))
        #expect(record.text == Self.sampleLine)
    }

    @Test func verdictsAreAppended() throws {
        let old = #"{"critic":"x","order":["c1","c0"],"choice":"tie","raw":"?","extra":1.50}"#
        var record = try Record(parsing: #"{"id":"a","verdicts":[\#(old)]}"#)
        try record.append([
            Verdict(critic: "y", order: ["c0", "c1"], choice: .candidate("c0"), raw: "first"),
            Verdict(critic: "y", order: ["c1", "c0"], choice: .unreadable, raw: "hm\n"),
        ])
        #expect(
            record.text == #"{"id":"a","verdicts":[\#(old),"#
                + #"{"critic":"y","order":["c0","c1"],"choice":"c0","raw":"first"},"#
                + #"{"critic":"y","order":["c1","c0"],"choice":null,"raw":"hm\n"}]}"#)
        #expect(try record.verdicts().map(\.choice) == [.tie, .candidate("c0"), .unreadable])
        let odd = #"{"verdicts":[{"critic":"x","order":["c0"],"choice":"c9","raw":""}]}"#
        #expect(throws: RecordError.self) { try Record(parsing: odd).verdicts() }
    }

    @Test func pairLeavesTheTreeBehind() throws {
        var record = try Record(parsing: Self.sampleLine)
        let pair = PreferencePair(
            id: "a", prompt: "p", chosen: "A. B.", rejected: "é", margin: 0.5, source: "calibrated",
            weights: .init(chosen: [.init(begin: 0, end: 2, weight: 5)], rejected: []),
            referenceLogProbabilities: ["d1": .init(chosen: -1.5, rejected: -2)])
        try pair.write(into: &record)
        #expect(
            record.text == #"{"id":"a","prompt":"p","u":-0.0,"chosen":"A. B.","rejected":"é","margin":0.5,"#
                + #""source":"calibrated","weights":{"chosen":[[0,2,5.0]],"rejected":[]},"#
                + #""ref_logps":{"d1":{"chosen":-1.5,"rejected":-2.0}}}"#)
        #expect(try PreferencePair(record) == pair)
        var other = pair
        other.referenceLogProbabilities = ["d2": .init(chosen: -1, rejected: -1)]
        other.weights = nil
        try other.write(into: &record)
        #expect(try PreferencePair(record) == other)
        other.isPartial = true
        try other.write(into: &record)
        #expect(record.text.contains(#""partial":true"#))
        #expect(try PreferencePair(record) == other)
        let outside = record.text.replacing(#""source""#, with: #""weights":{"rejected":[[0,3,1]]},"source""#)
        #expect(message { _ = try PreferencePair(Record(parsing: outside)) }.contains("rejected[0]"))
    }
}
