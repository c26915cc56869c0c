import Foundation
import Imaging
import Tokenizer

// MARK: - Prompts and answers as tokens

extension VisionLanguageModel {
    /// What stands for a picture in a prompt: −1 − i for its row i.
    package func pictureTokens(_ shape: PictureShape) -> [Int32] {
        (0..<family.rows(of: shape)).map { -1 - Int32($0) }
    }

    /// Tokens that end an answer.
    package var stops: Set<Int32> {
        Set(decoder.config.eosTokenIDs.map { Int32($0) } + (tokenizer.eos.map { [$0] } ?? []) + [end])
    }

    /// Ids of prompt and answers with the picture expanded: the tokens of its text become `pictureTokens`.
    ///
    /// Turns before the question stay turns, each answer with its end token. The ids of the prompt must be a prefix of
    /// those of prompt and answer: BPE may merge across the border, and the answer would then be scored on tokens it
    /// was not drawn as.
    /// - Throws: `PromptError` where that is not so, where the picture's marker doesn't come out once, where a special
    ///   token or the turns of a dialogue stand in the texts, or where prompt and answer exceed the model's context.
    package func encode(
        prompt: String, history: [(prompt: String, answer: String)] = [], picture: PictureShape?,
        answers: [String] = []
    ) throws -> EncodedPrompt {
        for question in history.map(\.prompt) + [prompt] { try check(question: question) }
        for answer in history.map(\.answer) + answers { try check(answer, "answer") }
        if !history.isEmpty { try checkThatTheEndIsRead() }
        let text = spelled(
            self.text(prompt: prompt, history: history, hasImage: picture != nil), picture)
        let ids = try read(text)
        let encoded = try answers.map { answer in
            let whole = try read(text + template.answer(answer))
            guard whole.starts(with: ids) else {
                throw PromptError(
                    finding:
                        "the tokens of the prompt aren't a prefix of those of prompt and answer \"\(answer)\"",
                    remedy: "choose another chat template")
            }
            return Array(whole[ids.count...]) + [end]
        }
        let expanded = try expand(ids, picture)
        try checkLength(
            of: expanded, ["longest answer": encoded.map(\.count).max() ?? 0],
            remedy: "shorten the prompt or the answer")
        return EncodedPrompt(prompt: expanded, answers: encoded)
    }

    /// Refuses what the model has no embedding for: a tokenizer may know more than it.
    private func read(_ text: String, addSpecialTokens: Bool = true) throws -> [Int32] {
        let ids = ids(of: text, addSpecialTokens: addSpecialTokens)
        let unknown = ids.first { $0 >= vocabularySize && $0 != family.imageTokenID }
        guard let unknown else { return ids }
        throw PromptError(
            finding:
                "it holds the token \(tokenizer.pieces([unknown])[0]), id \(unknown), and the model reads "
                + "\(vocabularySize)",
            remedy: "give the tokenizer.json of this checkpoint")
    }

    /// Refuses what is longer than the model reads.
    ///
    /// - Parameters:
    ///   - prompt: with its picture expanded.
    ///   - following: what comes after it, and how many tokens that takes.
    ///   - remedy: how it gets shorter.
    /// - Throws: `PromptError` with the numbers, as `isTooLong`.
    package func checkLength(
        of prompt: [Int32], _ following: KeyValuePairs<String, Int>, remedy: String
    ) throws {
        let whole = following.reduce(prompt.count) { $0 + $1.value }
        guard whole > context else { return }
        let shown = prompt.count { $0 < 0 }
        let parts =
            ["prompt \(prompt.count)" + (shown > 0 ? " with \(shown) of the picture" : "")]
            + following.filter { $0.value > 0 }.map { "\($0.key) \($0.value)" }
        throw PromptError(
            finding: "it takes \(whole) tokens (\(parts.joined(separator: ", "))), and the model reads "
                + "\(context)",
            remedy: remedy, isTooLong: true)
    }

    /// The prompt as text, up to where the answer begins.
    package func text(
        prompt: String, history: [(prompt: String, answer: String)], hasImage: Bool
    ) -> String {
        template.prompt(prompt, after: history, end: tokenizer.pieces([end])[0], hasImage: hasImage)
    }

    private func check(question: String) throws {
        try check(question.replacingOccurrences(of: ChatTemplate.image, with: ""), "question")
        guard let words = ChatTemplate.turn(in: question) else { return }
        throw PromptError(
            finding: "the question holds \"\(words)\", the words of a chat template between turns",
            remedy: "give earlier turns in \"history\"")
    }

    /// Refuses text that the tokenizer would read as the end of an answer, a picture or another token of its own.
    private func check(_ text: String, _ role: String) throws {
        let ids = ids(of: text)
        let marker = Int32(family.imageTokenID)
        let special = ids.first { id in
            (id == marker || stops.contains(id) || tokenizer.isSpecial(id))
                && text.contains(piece(id))
        }
        guard let special else { return }
        throw PromptError(
            finding: "the \(role) holds the token \(piece(special)) as text",
            remedy: "take it out")
    }

    private func checkThatTheEndIsRead() throws {
        let piece = tokenizer.pieces([end])[0]
        guard tokenizer.encode(piece) == [end] else {
            throw PromptError(
                finding: "the tokenizer doesn't read the end token \(piece) in text",
                remedy: "add it to the special tokens of tokenizer.json")
        }
    }

    /// The bytes of an answer's text that each of its tokens stands for; the end token for none.
    ///
    /// - Parameters:
    ///   - answer: as `encode` gives it.
    ///   - prompt: the same, expanded or not.
    package func bytes(of answer: [Int32], after prompt: [Int32]) -> [Range<Int>] {
        tokenizer.bytes(
            of: answer, after: prompt.filter { $0 >= 0 }, lead: template.answer("").utf8.count)
    }

    /// Ids of a further turn after the end token of an answer: what the user says, and how the reply begins.
    ///
    /// - Throws: `PromptError` where the end token doesn't part them from the answer, or a picture is in them.
    package func encodeTurn(_ text: String, reply: String) throws -> [Int32] {
        let turn = template.laterPrompt(text) + template.answer(reply)
        try checkThatTheEndIsRead()
        let ids = try read(tokenizer.pieces([end])[0] + turn, addSpecialTokens: false)
        return try expand(Array(ids.dropFirst()), nil)
    }

    /// The text with the picture's own in the place of its marker.
    private func spelled(_ text: String, _ picture: PictureShape?) -> String {
        guard let picture else { return text }
        let marker = piece(Int32(family.imageTokenID))
        return text.replacingOccurrences(
            of: ChatTemplate.image, with: family.text(of: picture, marker: marker))
    }

    /// Each image token of the picture's text becomes its part of the rows.
    private func expand(_ ids: [Int32], _ picture: PictureShape?) throws -> [Int32] {
        let marker = Int32(family.imageTokenID)
        let count = ids.count { $0 == marker }
        let spelling = picture.map { family.text(of: $0, marker: ChatTemplate.image) } ?? ""
        let wanted = spelling.ranges(of: ChatTemplate.image).count
        guard count == wanted else {
            throw PromptError(
                finding:
                    "the prompt holds \(count) image tokens (id \(marker)) for \(picture == nil ? 0 : 1) image"
                    + (wanted > 1 ? " of \(wanted) parts" : ""),
                remedy:
                    "check that the tokenizer knows \(piece(marker)) and the question doesn't hold it"
            )
        }
        guard let picture else { return ids }
        let rows = pictureTokens(picture)
        var next = 0
        return ids.flatMap { id in
            guard id == marker else { return [id] }
            defer { next += rows.count / wanted }
            return Array(rows[next..<next + rows.count / wanted])
        }
    }
}

package struct EncodedPrompt: Sendable {
    package let prompt: [Int32]
    /// Where what follows the picture begins; 0 without one.
    package var pictureEnd: Int { prompt.lastIndex { $0 < 0 }.map { $0 + 1 } ?? 0 }
    /// With the end token.
    package let answers: [[Int32]]
}

/// A prompt that this model cannot be given.
package struct PromptError: Error, CustomStringConvertible {
    package let finding: String
    package let remedy: String
    /// Whether its length alone is in the way.
    package let isTooLong: Bool

    package init(finding: String, remedy: String, isTooLong: Bool = false) {
        (self.finding, self.remedy, self.isTooLong) = (finding, remedy, isTooLong)
    }

    package var description: String { "\(finding); \(remedy)" }
}
