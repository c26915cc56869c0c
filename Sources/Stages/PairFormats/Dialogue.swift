import JSON
import Records

/// What becomes of a row's system turn. Records have none: a model's template begins with its own sentence, if any.
package enum SystemRule: String, Sendable, CaseIterable {
    case refuse
    case drop
    /// It stands before the first question.
    case prepend
}

/// What was said before the answers that are compared or learned.
struct Dialogue: Equatable {
    fileprivate struct Turn: Equatable {
        enum Speaker: String { case question, answer, system }

        let speaker: Speaker
        let text: String

        var isAnswer: Bool { speaker == .answer }
    }

    /// Questions and answers in turn.
    private var turns: [Turn]
    private var system: String?

    init(question: String) { turns = [Turn(speaker: .question, text: question)] }

    /// The turns under `key`, or the one question that stands there as a string.
    /// - Parameter dropsAnswer: whether an answer at the end is left out, which is none of those compared.
    init(_ row: JSONObject, _ key: String, dropsAnswer: Bool = false) throws {
        if case .string(let question)? = row[key], Self.spoken(question) == nil {
            self.init(question: question)
            return
        }
        var turns = try row.turns(key)
        // hh-rlhf's prompts end with the name of who is to answer.
        if turns.last?.isAnswer == true, turns.last?.text == "" { turns.removeLast() }
        if dropsAnswer, turns.last?.isAnswer == true { turns.removeLast() }
        self.init(turns)
        try checkOrder(key)
    }

    /// What `instructed` reads.
    static let instructionKeys = ["instruction", "input", "history"]

    /// Alpaca's `instruction`, with `input` on a line of its own, after the exchanges of `history`, `[["…", "…"]]`.
    static func instructed(_ row: JSONObject) throws -> Dialogue {
        let input = row.holds("input") ? try row.loneText("input") : ""
        let question = [try row.loneText("instruction"), input]
        var dialogue = Dialogue(question: question.filter { !$0.isEmpty }.joined(separator: "\n"))
        let before = try row.rounds("history").flatMap { question, answer in
            [Turn(speaker: .question, text: question), Turn(speaker: .answer, text: answer)]
        }
        dialogue.turns = before + dialogue.turns
        return dialogue
    }

    /// The turns of a text in the layout of hh-rlhf, "\n\nHuman: …\n\nAssistant: …"; nil of another.
    fileprivate static func spoken(_ text: String) -> [Turn]? {
        guard text.hasPrefix("\n\nHuman:") else { return nil }
        let speakers: [(name: String, Turn.Speaker)] = [("Human:", .question), ("Assistant:", .answer)]
        var turns: [(speaker: Turn.Speaker, paragraphs: [Substring])] = []
        for paragraph in text.components(separatedBy: "\n\n").dropFirst() {
            if let (name, speaker) = speakers.first(where: { paragraph.hasPrefix($0.name) }) {
                turns.append((speaker, [paragraph.dropFirst(name.count)]))
            } else {
                turns[turns.count - 1].paragraphs.append(paragraph[...])
            }
        }
        return turns.map { speaker, paragraphs in
            let said = paragraphs.joined(separator: "\n\n").trimmingCharacters(in: .whitespacesAndNewlines)
            return Turn(speaker: speaker, text: said)
        }
    }

    /// A dialogue and the answer at its end.
    static func answered(_ row: JSONObject, _ key: String) throws -> (Dialogue, answer: String) {
        var turns = try row.turns(key)
        guard let last = turns.popLast(), last.isAnswer else {
            throw RecordError.invalid(
                key: key, found: "a conversation that doesn't end with an answer", remedy: "add the answer")
        }
        let dialogue = Dialogue(turns)
        try dialogue.checkOrder(key)
        return (dialogue, last.text)
    }

    /// Two conversations that begin alike, question and all, and end with an answer each, as TRL has pairs without a
    /// prompt of their own.
    static func parted(
        _ row: JSONObject, _ key: String, _ other: String
    ) throws -> (Dialogue, answer: String, other: String) {
        for key in [key, other] {
            if case .string(let text)? = row[key], Dialogue.spoken(text) != nil { continue }
            guard case .array? = row[key] else {
                throw RecordError.invalid(
                    key: key, found: "an answer without its question",
                    remedy: "give the question in \"prompt\"")
            }
        }
        let (dialogue, answer) = try answered(row, key)
        let (otherDialogue, otherAnswer) = try answered(row, other)
        guard dialogue == otherDialogue else {
            throw RecordError.invalid(
                key: other, found: "a conversation with another question",
                remedy: "both answers of a pair belong to one question")
        }
        return (dialogue, answer, otherAnswer)
    }

    /// A dialogue from question to answer, of which the last question may have none.
    static func whole(_ row: JSONObject, _ key: String) throws -> Dialogue {
        let dialogue = Dialogue(try row.turns(key))
        try dialogue.checkOrder(key, endsWithQuestion: false)
        return dialogue
    }

    private init(_ turns: [Turn]) {
        let isLed = turns.first?.speaker == .system
        system = isLed ? turns[0].text : nil
        self.turns = Array(turns.dropFirst(isLed ? 1 : 0))
    }

    /// Questions and answers take turns, from question to question.
    private func checkOrder(_ key: String, endsWithQuestion: Bool = true) throws {
        let isInOrder = turns.enumerated().allSatisfy { $1.speaker == ($0 % 2 == 1 ? .answer : .question) }
        guard isInOrder, endsWithQuestion ? turns.count % 2 == 1 : !turns.isEmpty else {
            throw RecordError.invalid(
                key: key, found: "a conversation of \(turns.map(\.speaker.rawValue))",
                remedy: "questions and answers must alternate"
                    + (endsWithQuestion ? " and end with a question" : ", beginning with a question"))
        }
    }

    /// The same with an answer to its last question.
    func answered(by answer: String) -> Dialogue {
        var whole = self
        whole.turns.append(Turn(speaker: .answer, text: answer))
        return whole
    }

    /// Does with the system turn as `rule` says.
    ///
    /// - Parameter said: what the row says outside of the dialogue.
    /// - Throws: `RecordError` where it is to be refused.
    mutating func settle(_ rule: SystemRule, said: String?) throws {
        let said = [said, system].compactMap { $0 }.first { $0.contains { !$0.isWhitespace } }
        system = nil
        guard let text = said else { return }
        switch rule {
        case .prepend: system = text
        case .drop: break
        case .refuse:
            throw RecordError.invalid(
                key: "system", found: "a system turn, which records have no place for",
                remedy:
                    "--system drop leaves it to the model's template, --system prepend puts it before the "
                    + "first question")
        }
    }

    /// What was asked, without markers, and answered.
    var exchanges: [(question: String, answer: String?)] {
        stride(from: 0, to: turns.count, by: 2).map { index in
            let question = ImageMarker.removed(from: turns[index].text)
            return (
                index == 0 ? [system, question].compactMap { $0 }.joined(separator: "\n\n") : question,
                index + 1 < turns.count ? turns[index + 1].text : nil
            )
        }
    }

    /// How many pictures the questions show.
    var markers: Int { turns.reduce(0) { $0 + ImageMarker.count(in: $1.text) } }

    /// The last question.
    var prompt: String { exchanges.last?.question ?? "" }

    /// What was asked and answered before it.
    var history: [Records.Turn] {
        exchanges.dropLast().map { Records.Turn(prompt: $0.question, answer: $0.answer ?? "") }
    }
}

extension Dialogue.Turn {
    init(_ object: JSONObject) throws {
        let key = object["from"] == nil ? "role" : "from"
        switch try object.requiredString(key) {
        case "user", "human": speaker = .question
        case "assistant", "gpt": speaker = .answer
        case "system": speaker = .system
        case let other:
            throw RecordError.invalid(
                key: key, found: "\"\(other)\"", remedy: "use user and assistant, or human and gpt")
        }
        text = try speaker == .answer ? object.saidInAnswer : object.said
    }

    /// The text of a turn that stands for an answer; it needn't say whose it is.
    static func answer(_ object: JSONObject) throws -> String {
        guard let key = ["from", "role"].first(where: { object[$0] != nil }) else {
            return try object.saidInAnswer
        }
        let turn = try Self(object)
        guard turn.isAnswer else {
            throw RecordError.invalid(
                key: key, found: "\"\(try object.requiredString(key))\", and this is an answer's place",
                remedy: "give the turn of assistant or gpt")
        }
        return turn.text
    }
}

extension JSONObject {
    fileprivate func turns(_ key: String) throws -> [Dialogue.Turn] {
        if case .string(let text)? = self[key], let turns = Dialogue.spoken(text) { return turns }
        return try required(key, objects(key) { try Dialogue.Turn($0) })
    }

    /// Alpaca's earlier rounds, `[["question", "answer"], …]`; none where the key is missing.
    fileprivate func rounds(_ key: String) throws -> [(question: String, answer: String)] {
        try (array(key) ?? []).map { round in
            guard case .array(let texts) = round, texts.count == 2, case .string(let question) = texts[0],
                case .string(let answer) = texts[1]
            else {
                throw RecordError.invalid(
                    key: key, found: "a round that isn't a question with its answer",
                    remedy: "write [[\"question\", \"answer\"], …]")
            }
            return (question, answer)
        }
    }

    /// An answer: a string, a turn, or a list of one turn.
    func answer(_ key: String) throws -> String {
        switch self[key] {
        case .string: return try loneText(key)
        case .object(let turn): return try RecordError.naming(key) { try Dialogue.Turn.answer(turn) }
        default:
            let turns = try required(key, array(key))
            guard turns.count == 1 else {
                throw RecordError.invalid(
                    key: key, found: "\(turns.count) turns", remedy: "give the answer's turn alone")
            }
            return try required(key, objects(key, Dialogue.Turn.answer))[0]
        }
    }

    /// An answer or instruction, which is no conversation in the layout of hh-rlhf and no part of one.
    func loneText(_ key: String) throws -> String { try lone(requiredString(key), key) }

    private func lone(_ text: String, _ key: String) throws -> String {
        guard !["\n\nHuman:", "\n\nAssistant:"].contains(where: text.contains) else {
            throw RecordError.invalid(
                key: key, found: "a whole conversation beside its prompt",
                remedy: "leave the text alone, without Human: and Assistant:, or take the prompt out")
        }
        return text
    }

    /// The text of an answer's turn.
    fileprivate var saidInAnswer: String {
        get throws {
            if holds("tool_calls") {
                throw RecordError.invalid(
                    key: "tool_calls", found: "calls of tools, which records have no place for",
                    remedy: "leave this row out")
            }
            if self["loss"] == .bool(false) {
                throw RecordError.invalid(
                    key: "loss", found: "false, which marks an answer that is not to be learned",
                    remedy: "leave this row out")
            }
            return try lone(said, self["value"] == nil ? "content" : "value")
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
