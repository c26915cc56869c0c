import Checkpoint
import Foundation
import Imaging
import Kernels
import Tokenizer

/// A LLaVA with all that belongs to it: tokenizer, chat template, picture preprocessing.
package final class VisionLanguageModel: @unchecked Sendable {
    package let directory: URL
    package let llava: Llava
    package let tokenizer: Tokenizer
    package let template: ChatTemplate
    package var images: ImageProcessor
    /// SHA-256 of the base checkpoint; adapters folded in are named after it.
    package let baseDigest: String
    package let digest: String
    /// Adapters that were folded in and change nothing, by their folders.
    package let idleAdapters: [String]

    /// Opens a Hugging Face directory and folds `adapters` into its weights, in order.
    ///
    /// - Parameters:
    ///   - adapters: each trained over the model with those before it, as rounds are.
    ///   - beside: an adapter that was trained over the bare checkpoint, whatever came since; folded in last.
    /// - Throws: `CheckpointError`, `TokenizerError`, `ImageError` for what is missing or doesn't fit;
    ///   an adapter that names another base is refused.
    package convenience init(
        directory: URL, adapters: [URL] = [], beside: URL? = nil, template: String? = nil
    ) throws {
        let checkpoint = try CheckpointDirectory.open(directory)
        let place = directory.appendingPathComponent("config.json").path
        let config = try checkpoint.config().llava(path: place)
        let llava = try Llava(CheckpointSource(checkpoint), config: config)
        let base = try checkpoint.digest()
        var digest = base
        var idle: [String] = []
        func fold(_ adapter: URL, over trained: String) throws {
            let read = try PEFTAdapter.read(adapter, expecting: trained)
            if read.changesNothing { idle.append(adapter.relativePath) }
            try llava.decoder.attach(read, from: adapter.path)
            llava.decoder.foldAdapter()
            digest = try ModelDigest.chain(digest, adapter: adapter, scale: read.scale)
        }
        for adapter in adapters { try fold(adapter, over: digest) }
        if let beside { try fold(beside, over: base) }
        try self.init(
            directory: directory, llava: llava, tokenizer: Tokenizer(directory: directory),
            template: template, baseDigest: base, digest: digest, idleAdapters: idle)
    }

    /// Puts a model together with the tokenizer and the preprocessing that lie in `directory`.
    package init(
        directory: URL, llava: Llava, tokenizer: Tokenizer, template: String? = nil, baseDigest: String = "",
        digest: String = "", idleAdapters: [String] = []
    ) throws {
        (self.directory, self.llava, self.tokenizer) = (directory, llava, tokenizer)
        (self.baseDigest, self.digest, self.idleAdapters) = (baseDigest, digest, idleAdapters)
        self.template = try ChatTemplate(checkpoint: directory, tokenizer: tokenizer, named: template)
        images = try ImageProcessor(directory: directory)
        let size = llava.config.vision.imageSize
        guard images.outputWidth == size, images.outputHeight == size else {
            throw CheckpointError(
                directory.appendingPathComponent("preprocessor_config.json").path,
                "it makes pictures of \(images.outputWidth)×\(images.outputHeight) and the vision tower reads "
                    + "\(size)×\(size)",
                "give the preprocessor_config.json of this checkpoint")
        }
    }

    /// Writes config.json and the weights; tokenizer and preprocessing are copied where they lie elsewhere.
    package func write(to folder: URL, as type: ElementType) throws {
        var config = llava.config
        config.elementType = type
        try ModelConfig.llava(config).write(to: folder.appendingPathComponent("config.json"))
        try llava.parameters.write(to: folder.appendingPathComponent("model.safetensors"), as: type)
        try CheckpointDirectory.copyCompanions(from: directory, to: folder)
    }

    package var decoder: Llama { llava.decoder }

    /// Tokens that the model reads at most: picture, prompt and answer together.
    package var context: Int { llava.config.text.maxPositionEmbeddings }

    /// Ids that it can draw; its tokenizer may know fewer.
    package var vocabularySize: Int { llava.config.text.vocabSize }

    /// Planar `[3, H, W]` floats of the picture at `path`.
    package func pixels(of path: String) throws -> [Float] { try images.pixels(at: path) }

    /// Tokens that end an answer.
    package var stops: Set<Int32> {
        Set(llava.config.text.eosTokenIDs.map { Int32($0) } + (tokenizer.eos.map { [$0] } ?? []))
    }

    /// The token written at the end of a trained answer.
    package var end: Int32 { tokenizer.eos ?? Int32(llava.config.text.eosTokenIDs[0]) }

    /// Tokens whose text ends a sentence: those that are a full stop, alone or after white space.
    package lazy var periods: Set<Int32> = Set(
        [".", "▁.", "Ġ."].compactMap { tokenizer.id(of: $0) })

    /// Ids of prompt and answers with the image expanded: its one token becomes −1, −2, … −n, rows of the
    /// image's features.
    ///
    /// Turns before the question stay turns, each answer with its end token. The ids of the prompt must be a prefix of
    /// those of prompt and answer: BPE may merge across the border, and the answer would then be scored on tokens it
    /// was not drawn as.
    /// - Throws: `PromptError` where that is not so, where the picture's marker doesn't come out once, where a special
    ///   token or the turns of a dialogue stand in the texts, or where prompt and answer exceed the model's context.
    package func encode(
        prompt: String, history: [(prompt: String, answer: String)] = [], hasImage: Bool,
        answers: [String] = []
    ) throws -> EncodedPrompt {
        for question in history.map(\.prompt) + [prompt] { try check(question: question) }
        for answer in history.map(\.answer) + answers { try check(answer, "answer") }
        if !history.isEmpty { try checkThatTheEndIsRead() }
        let text = self.text(prompt: prompt, history: history, hasImage: hasImage)
        let ids = tokenizer.encode(text, addSpecialTokens: true)
        let encoded = try answers.map { answer in
            let whole = tokenizer.encode(text + template.answer(answer), addSpecialTokens: true)
            guard whole.starts(with: ids) else {
                throw PromptError(
                    finding:
                        "the tokens of the prompt are no prefix of those of prompt and answer \"\(answer)\"",
                    remedy: "choose another chat template")
            }
            return Array(whole[ids.count...]) + [end]
        }
        let expanded = try expand(ids, hasImage: hasImage)
        let longest = expanded.count + (encoded.map(\.count).max() ?? 0)
        let limit = context
        guard longest <= limit else {
            throw PromptError(
                finding: "it takes \(longest) tokens, \(hasImage ? llava.tokensPerImage : 0) of them for the "
                    + "image, and the model reads \(limit)",
                remedy: "shorten the prompt or the answer", isTooLong: true)
        }
        return EncodedPrompt(prompt: expanded, answers: encoded)
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
        let ids = tokenizer.encode(text)
        let marker = Int32(llava.config.imageTokenID)
        let special = ids.first { id in
            (id == marker || stops.contains(id) || tokenizer.isSpecial(id))
                && text.contains(tokenizer.pieces([id])[0])
        }
        guard let special else { return }
        throw PromptError(
            finding: "the \(role) holds the token \(tokenizer.pieces([special])[0]) as text",
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
        let ids = tokenizer.encode(tokenizer.pieces([end])[0] + turn)
        return try expand(Array(ids.dropFirst()), hasImage: false)
    }

    private func expand(_ ids: [Int32], hasImage: Bool) throws -> [Int32] {
        let marker = Int32(llava.config.imageTokenID)
        let count = ids.count { $0 == marker }
        guard count == (hasImage ? 1 : 0) else {
            throw PromptError(
                finding:
                    "the prompt holds \(count) image tokens (id \(marker)) for \(hasImage ? 1 : 0) image",
                remedy:
                    "check that the tokenizer knows \(ChatTemplate.image) and the question doesn't hold it")
        }
        return ids.flatMap { id -> [Int32] in
            id == marker ? (0..<llava.tokensPerImage).map { -1 - Int32($0) } : [id]
        }
    }
}

package struct EncodedPrompt: Sendable {
    package let prompt: [Int32]
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
