import Checkpoint
import Foundation
import Imaging
import Kernels
import Tokenizer

/// A model that sees, with all that belongs to it: tokenizer, chat template, picture preprocessing.
package final class VisionLanguageModel: @unchecked Sendable {
    package let directory: URL
    /// Folders of the adapters that were folded in, in their order; not of one beside.
    package let adapters: [String]
    let family: any VisionLanguageFamily
    package let tokenizer: Tokenizer
    package let template: ChatTemplate
    /// Set, where it is, before the model is used.
    package var images: ImageProcessor
    /// The token written at the end of a trained answer.
    package let end: Int32
    /// Tokens whose text ends a sentence: those that are a full stop, alone or after white space.
    package let periods: Set<Int32>
    /// SHA-256 of the base checkpoint; adapters folded in are named after it.
    package let baseDigest: String
    package let digest: String
    /// Adapters that were folded in and change nothing, by their folders.
    package let idleAdapters: [String]
    /// Where it was read from.
    private let checkpoint: CheckpointDirectory?

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
        let family = try checkpoint.config().family(CheckpointSource(checkpoint), path: place)
        let base = try checkpoint.digest()
        var digest = base
        var idle: [String] = []
        func fold(_ adapter: URL, over trained: String) throws {
            let read = try PEFTAdapter.read(adapter, expecting: trained)
            if read.changesNothing { idle.append(adapter.relativePath) }
            try family.decoder.attach(read, from: adapter.path)
            family.decoder.foldAdapter()
            digest = try ModelDigest.chain(digest, adapter: adapter, scale: read.scale)
        }
        for adapter in adapters { try fold(adapter, over: digest) }
        if let beside { try fold(beside, over: base) }
        try self.init(
            directory: directory, family: family, tokenizer: Tokenizer(directory: directory),
            template: template, baseDigest: base, digest: digest, adapters: adapters.map(\.relativePath),
            idleAdapters: idle, checkpoint: checkpoint)
    }

    /// Puts a model together with the tokenizer and the preprocessing that lie in `directory`.
    package init(
        directory: URL, family: any VisionLanguageFamily, tokenizer: Tokenizer, template: String? = nil,
        baseDigest: String = "", digest: String = "", adapters: [String] = [], idleAdapters: [String] = [],
        checkpoint: CheckpointDirectory? = nil
    ) throws {
        self.adapters = adapters
        self.checkpoint = checkpoint
        (self.directory, self.family, self.tokenizer) = (directory, family, tokenizer)
        (self.baseDigest, self.digest, self.idleAdapters) = (baseDigest, digest, idleAdapters)
        self.template = try ChatTemplate(checkpoint: directory, tokenizer: tokenizer, named: template)
        guard let end = tokenizer.eos ?? family.decoder.config.eosTokenIDs.first.map({ Int32($0) }) else {
            throw CheckpointError(
                directory.appendingPathComponent("config.json").path,
                "neither it nor the tokenizer names the token that ends an answer",
                "add eos_token_id to its text_config")
        }
        self.end = end
        periods = Set([".", "▁.", "Ġ."].compactMap { tokenizer.id(of: $0) })
        images = try ImageProcessor(directory: directory)
        let size = family.tileSize
        guard images.outputWidth == size, images.outputHeight == size else {
            throw CheckpointError(
                directory.appendingPathComponent("preprocessor_config.json").path,
                "it makes pictures of \(images.outputWidth)×\(images.outputHeight) and the vision tower reads "
                    + "\(size)×\(size)",
                "give the preprocessor_config.json of this checkpoint")
        }
    }

    /// Writes config.json and the weights; tokenizer and preprocessing are copied where they lie elsewhere.
    ///
    /// Tensors of the checkpoint that are no part of what is computed (a tower's pooling head, buffers) are written as
    /// they stand.
    package func write(to folder: URL, as type: ElementType) throws {
        var config = family.modelConfig
        config.elementType = type
        try config.write(to: folder.appendingPathComponent("config.json"))
        try parameters.write(
            to: folder.appendingPathComponent("model.safetensors"), as: type, carrying: unread())
        try CheckpointDirectory.copyCompanions(from: directory, to: folder)
    }

    /// A head beside a tied one isn't the model's.
    private func unread() throws -> [TensorView] {
        guard let checkpoint else { return [] }
        var known = Set(parameters.map { TensorNames.canonical($0.name) })
        if decoder.config.tieWordEmbeddings { known.insert("lm_head.weight") }
        return try checkpoint.names.filter { !known.contains($0) }.map { try checkpoint.tensor(named: $0) }
    }

    package var decoder: Llama { family.decoder }

    /// Of tower, projector and decoder.
    package var parameters: [Parameter] { family.parameters }
    package var towerParameters: [Parameter] { family.towerParameters }

    /// Call after an optimiser step on them.
    package func weightsChanged() { family.linears.forEach { $0.weightsChanged() } }

    /// Tokens that the model reads at most: picture, prompt and answer together.
    package var context: Int { decoder.config.context }

    /// Ids that it can draw; its tokenizer may know fewer.
    package var vocabularySize: Int { decoder.config.vocabSize }

    /// Planar `[3, H, W]` floats of the picture at `path`.
    package func pixels(of path: String) throws -> [Float] { try images.pixels(at: path) }

    /// Pictures that outlive the arena.
    ///
    /// - Parameter pixels: per picture, as `pixels(of:)` gives them.
    package func pictures(_ pixels: [[Float]], _ arena: Arena) -> [Picture] { family.pictures(pixels, arena) }

    /// The same for training, to be gone back through.
    package func encode(_ pixels: [[Float]], _ arena: Arena) -> PictureTape { family.tape(of: pixels, arena) }

    /// - Parameter dFeatures: `[rows × C]` of `tape.features`.
    package func encodeBackward(_ tape: PictureTape, dFeatures: Matrix, _ arena: Arena) {
        tape.backward(dFeatures, arena)
    }

    /// What stands for a picture in a prompt: −1 − i for its row i.
    package var pictureTokens: [Int32] { (0..<family.rowsPerPicture).map { -1 - Int32($0) } }

    /// Tokens that end an answer.
    package var stops: Set<Int32> {
        Set(decoder.config.eosTokenIDs.map { Int32($0) } + (tokenizer.eos.map { [$0] } ?? []))
    }

    /// Ids of prompt and answers with the picture expanded: its one token becomes `pictureTokens`.
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
                        "the tokens of the prompt aren't a prefix of those of prompt and answer \"\(answer)\"",
                    remedy: "choose another chat template")
            }
            return Array(whole[ids.count...]) + [end]
        }
        let expanded = try expand(ids, hasImage: hasImage)
        try checkLength(
            of: expanded, ["longest answer": encoded.map(\.count).max() ?? 0],
            remedy: "shorten the prompt or the answer")
        return EncodedPrompt(prompt: expanded, answers: encoded)
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
        let ids = tokenizer.encode(text)
        let marker = Int32(family.imageTokenID)
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
        let marker = Int32(family.imageTokenID)
        let count = ids.count { $0 == marker }
        guard count == (hasImage ? 1 : 0) else {
            throw PromptError(
                finding:
                    "the prompt holds \(count) image tokens (id \(marker)) for \(hasImage ? 1 : 0) image",
                remedy:
                    "check that the tokenizer knows \(ChatTemplate.image) and the question doesn't hold it")
        }
        return ids.flatMap { $0 == marker ? pictureTokens : [$0] }
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
