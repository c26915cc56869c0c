import Crypto
import Foundation

/// A checkpoint's tokenizer: reads Hugging Face files and gives the ids that the `tokenizers` library gives.
///
/// Covered are BPE over characters with byte fallback (LLaMA, Gemma), byte-level BPE (GPT-2, Llama 3, Qwen2, SmolLM2),
/// CLIP's, and Unigram (SigLIP); SentencePiece's own files too. Whatever else a file asks for is refused by name.
package final class Tokenizer: Sendable {
    package let bos: Int32?
    package let eos: Int32?
    package let pad: Int32?
    package let unknown: Int32?
    /// How a batch of texts is made equally long.
    package let padding: Padding
    /// Highest id plus one: the least number of rows that an embedding needs.
    package let vocabularySize: Int
    /// SHA-256 in hexadecimal over tokens and merges; two tokenizers with equal digests share their ids.
    package let digest: String

    package struct Padding: Sendable {
        /// Whether it comes before a text.
        package let isLeft: Bool
        /// Whether the model is told where it is.
        package let isMasked: Bool
    }

    private let model: any TokenModel
    private let normalizer: Normalizer?
    private let preTokenizer: PreTokenizer?
    private let postProcessor: PostProcessor
    private let decoder: TokenDecoder?
    private let addedIDs: [Bytes: Int32]
    private let rawMatcher: AddedTokenMatcher
    private let normalizedMatcher: AddedTokenMatcher
    private let tokens: [Int32: Bytes]
    private let specialIDs: Set<Int32>

    /// Reads `tokenizer.json` of a checkpoint, or where there is none its SentencePiece model (`tokenizer.model`,
    /// `spiece.model`), with `tokenizer_config.json` and `special_tokens_map.json` where they stand. Throws
    /// ``TokenizerError``.
    package convenience init(directory: URL) throws {
        try self.init(TokenizerFiles(directory: directory))
    }

    /// Reads the text of tokenizer.json and, where given, of tokenizer_config.json. Throws ``TokenizerError``.
    package convenience init(json: Data, configuration: Data? = nil) throws {
        try self.init(TokenizerFiles(json: json, configuration: configuration))
    }

    private init(_ files: TokenizerFiles) throws {
        let parts = try files.parts()
        let normalizer = parts.normalizer
        let addedIDs = Dictionary(parts.added.map { ($0.content, $0.id) }, uniquingKeysWith: { $1 })
        var tokens = Dictionary(
            parts.model.vocabulary.map { ($1, $0) }, uniquingKeysWith: { max($0, $1) })
        let form = { (token: AddedToken) -> [Unicode.Scalar] in
            let scalars = token.content.scalars
            return token.isNormalized ? normalizer?.normalize(scalars) ?? scalars : scalars
        }
        // The reference looks for a normalized token by its normalized form, and decodes to that form too.
        for token in parts.added { tokens[token.id] = Bytes(scalars: form(token)) }
        func id(_ key: String) -> Int32? {
            files.specialToken(key).flatMap { addedIDs[$0] ?? parts.model.vocabulary[$0] }
                ?? parts.special[key]
        }

        model = parts.model
        self.normalizer = normalizer
        self.addedIDs = addedIDs
        self.tokens = tokens
        preTokenizer = parts.preTokenizer
        decoder = parts.decoder
        rawMatcher = AddedTokenMatcher(parts.added.filter { !$0.isNormalized }, form: form)
        normalizedMatcher = AddedTokenMatcher(parts.added.filter(\.isNormalized), form: form)
        specialIDs = Set(parts.added.filter(\.isSpecial).map(\.id))
        bos = id("bos_token")
        eos = id("eos_token")
        pad = id("pad_token")
        unknown = id("unk_token")
        vocabularySize = Int(tokens.keys.max() ?? -1) + 1
        padding = files.padding
        postProcessor = Self.postProcessor(files, bos: bos, eos: eos) ?? parts.postProcessor
        digest = Self.digest(tokens: tokens, rules: parts.model.rules)
    }

    /// What the configuration says outright of whether to add bos and eos; else the file's own post-processor counts.
    private static func postProcessor(_ files: TokenizerFiles, bos: Int32?, eos: Int32?) -> PostProcessor? {
        let addsBOS = files.configuration?["add_bos_token"]?.flag
        let addsEOS = files.configuration?["add_eos_token"]?.flag
        if addsBOS == nil && addsEOS == nil { return nil }
        return PostProcessor(
            before: addsBOS ?? false ? [bos].compactMap { $0 } : [],
            after: addsEOS ?? false ? [eos].compactMap { $0 } : [])
    }

    private static func digest(tokens: [Int32: Bytes], rules: [Int32]) -> String {
        var hash = SHA256()
        func update(_ value: Int32) {
            withUnsafeBytes(of: value.littleEndian) { hash.update(bufferPointer: $0) }
        }
        for (id, token) in tokens.sorted(by: { $0.key < $1.key }) {
            update(id)
            update(Int32(token.count))
            hash.update(data: token.storage)
        }
        rules.forEach(update)
        return hash.finalize().map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }

    // MARK: Text to ids

    /// The ids of `text`. Special tokens written in the text become their ids; with `addSpecialTokens` those of
    /// the post-processor (as a rule bos in front) are put around.
    package func encode(_ text: String, addSpecialTokens: Bool = false) -> [Int32] {
        var ids = addSpecialTokens ? postProcessor.before : []
        let scalars = Array(text.unicodeScalars)
        for (range, id) in rawMatcher.split(scalars) {
            if let id {
                ids.append(id)
                continue
            }
            let raw = Array(scalars[range])
            let normalized = normalizer?.normalize(raw) ?? raw
            for (inner, id) in normalizedMatcher.split(normalized) {
                if let id {
                    ids.append(id)
                    continue
                }
                let piece = Piece(
                    scalars: Array(normalized[inner]),
                    opensText: range.lowerBound == 0 && inner.lowerBound == 0)
                for word in preTokenizer?.split([piece]) ?? [piece] { ids += model.encode(word.scalars) }
            }
        }
        if addSpecialTokens { ids += postProcessor.after }
        return ids
    }

    // MARK: Ids to text

    /// The text of `ids`. As in the reference, ids outside the vocabulary have no text; ``check(_:)`` refuses
    /// them.
    package func decode(_ ids: [Int32], skipSpecialTokens: Bool = true) -> String {
        String(
            decoding: decodedBytes(
                ids, skipSpecialTokens: skipSpecialTokens, dropsIncompleteTail: false), as: UTF8.self)
    }

    /// The text that `ids` add to what `prefix` has said, special tokens left out: pieces taken one after the
    /// other join to the text of the whole. A character whose bytes are spread over several tokens belongs to
    /// the span that completes it; bytes that never become a character are left out.
    package func text(of ids: ArraySlice<Int32>, after prefix: [Int32]) -> String {
        let before = decodedBytes(prefix, skipSpecialTokens: true, dropsIncompleteTail: true)
        let whole = decodedBytes(prefix + ids, skipSpecialTokens: true, dropsIncompleteTail: true)
        // They part early only where malformed bytes changed the reading of earlier ones: step back to the start
        // of the character that differs.
        var shared = zip(before, whole).prefix { $0 == $1 }.count
        while shared < whole.count, shared > 0, whole[shared] & 0xC0 == 0x80 { shared -= 1 }
        return String(decoding: whole[shared...], as: UTF8.self)
    }

    /// The bytes of the text after `prefix` that each id stands for, without the first `lead` of them (white space
    /// between prefix and text).
    package func bytes(of ids: [Int32], after prefix: [Int32], lead: Int = 0) -> [Range<Int>] {
        var end = 0
        return ids.indices.map { index in
            let begin = end
            end = max(begin, text(of: ids[...index], after: prefix).utf8.count - lead)
            return begin..<end
        }
    }

    private func decodedBytes(
        _ ids: [Int32], skipSpecialTokens: Bool, dropsIncompleteTail: Bool
    ) -> [UInt8] {
        let chain = ids.compactMap { id in
            skipSpecialTokens && specialIDs.contains(id) ? nil : tokens[id]?.storage
        }
        guard let decoder else { return Array(chain.joined(separator: CollectionOfOne(0x20))) }
        let bytes = Array(decoder.decode(chain, dropsIncompleteTail: dropsIncompleteTail).joined())
        guard let suffix = model.suffix, case .byteLevel = decoder else { return bytes }
        // CLIP's decoder leaves `</w>` standing; transformers' CLIPTokenizer turns it into spaces and trims, and
        // Python counts the four information separators as spaces.
        let isTrimmed = { (scalar: Unicode.Scalar) in scalar.isSpace || (0x1C...0x1F).contains(scalar.value) }
        var spaced = Bytes(bytes.replacing(bytes: suffix.storage, with: [0x20])).scalars[...].drop(
            while: isTrimmed)
        while let last = spaced.last, isTrimmed(last) { spaced.removeLast() }
        return Bytes(scalars: spaced).storage
    }

    /// The tokens as the vocabulary writes them, for a look at how a text was cut. An id outside the vocabulary
    /// shows as `<id N?>`.
    package func pieces(_ ids: [Int32]) -> [String] {
        ids.map { tokens[$0]?.text ?? "<id \($0)?>" }
    }

    /// Throws ``TokenizerError/idOutOfRange(id:size:)`` on the first id that the vocabulary does not have.
    package func check(_ ids: some Sequence<Int32>) throws {
        for id in ids where tokens[id] == nil {
            throw TokenizerError.idOutOfRange(id: id, size: vocabularySize)
        }
    }

    package func id(of token: String) -> Int32? {
        let token = Bytes(token)
        return addedIDs[token] ?? model.vocabulary[token]
    }

    /// Whether decoding leaves this id out.
    package func isSpecial(_ id: Int32) -> Bool { specialIDs.contains(id) }
}
