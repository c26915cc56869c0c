import Foundation

extension ChatTemplate {
    /// What a Jinja template does, found out by having it render dialogues of known words.
    ///
    /// - Throws: `JinjaError` where it does what isn't understood, leaves a turn out, or makes of a question's place in
    ///   the dialogue more than a different beginning.
    init(jinja: String, _ tokenizer: Tokenizer) throws {
        let probe = try TemplateProbe(jinja, tokenizer)
        let plain = try probe.cut([.question])
        let shown = try probe.cut([.pictureAndQuestion])
        let turns = try probe.cut([.question, .answer, .laterQuestion])
        guard turns[0] == plain[0], shown[1] == plain[1], turns[3] == plain[1] else {
            throw JinjaError(reason: "a question is told differently by its place")
        }
        let (end, reopening) = probe.splitEnd(turns[2])
        self.init(
            name: nil, opening: probe.withoutStart(plain[0]), pictureOpening: probe.withoutStart(shown[0]),
            closing: plain[1],
            answerLead: turns[1].hasPrefix(plain[1]) ? String(turns[1].dropFirst(plain[1].count)) : "",
            passage: turns[1], reopening: reopening, end: end)
    }
}

/// A template and a tokenizer's special tokens, asked for dialogues.
private struct TemplateProbe {
    enum Turn { case question, pictureAndQuestion, answer, laterQuestion }

    private let template: JinjaTemplate
    private let tokenizer: Tokenizer
    private let variables: [String: JinjaValue]
    /// Of contents: parts in a list, as transformers' processors give them, or text alone where a template knows that.
    private let usesParts: Bool

    private static let words: [Turn: String] = [
        .question: "Qone?", .pictureAndQuestion: "Qone?", .answer: "Aone.", .laterQuestion: "Qtwo?",
    ]

    init(_ jinja: String, _ tokenizer: Tokenizer) throws {
        template = try JinjaTemplate(jinja)
        self.tokenizer = tokenizer
        func text(_ id: Int32?) -> JinjaValue { id.map { .string(tokenizer.pieces([$0])[0]) } ?? .undefined }
        variables = [
            "add_generation_prompt": .bool(true), "bos_token": text(tokenizer.bos),
            "eos_token": text(tokenizer.eos), "pad_token": text(tokenizer.pad),
            "unk_token": text(tokenizer.unknown),
        ]
        let parts = try? Self.render(template, [.pictureAndQuestion], variables, usesParts: true)
        usesParts = parts?.contains(Self.words[.question]!) ?? false
    }

    private static func render(
        _ template: JinjaTemplate, _ turns: [Turn], _ variables: [String: JinjaValue], usesParts: Bool
    ) throws -> String {
        let messages = turns.map { turn -> JinjaValue in
            let text = words[turn]!
            let hasPicture = turn == .pictureAndQuestion
            let content: JinjaValue =
                usesParts
                ? .list(
                    (hasPicture ? [.map(["type": .string("image")])] : [])
                        + [.map(["type": .string("text"), "text": .string(text)])])
                : .string((hasPicture ? ChatTemplate.image + "\n" : "") + text)
            return .map(["role": .string(turn == .answer ? "assistant" : "user"), "content": content])
        }
        return try template.render(variables.merging(["messages": .list(messages)]) { $1 })
    }

    /// What stands before, between and after the words of the turns.
    func cut(_ turns: [Turn]) throws -> [String] {
        var rest = try Self.render(template, turns, variables, usesParts: usesParts)[...]
        var parts: [String] = []
        for turn in turns {
            guard let found = rest.range(of: Self.words[turn]!) else {
                throw JinjaError(reason: "it leaves turns out")
            }
            parts.append(String(rest[..<found.lowerBound]))
            rest = rest[found.upperBound...]
        }
        return parts + [String(rest)]
    }

    /// Without the token that encoding puts in front by itself.
    func withoutStart(_ text: String) -> String {
        let added = tokenizer.pieces(tokenizer.encode("", addSpecialTokens: true))
        guard let start = added.first, !start.isEmpty, text.hasPrefix(start) else { return text }
        return String(text.dropFirst(start.count))
    }

    /// A special token at the beginning of `text`, and what follows it.
    func splitEnd(_ text: String) -> (end: String, rest: String) {
        guard let first = tokenizer.encode(text).first, tokenizer.isSpecial(first) else {
            return ("", text)
        }
        let piece = tokenizer.pieces([first])[0]
        guard text.hasPrefix(piece) else { return ("", text) }
        return (piece, String(text.dropFirst(piece.count)))
    }
}
