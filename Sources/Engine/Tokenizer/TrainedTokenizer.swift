import Files
import Foundation
import JSON

/// What ``BPETrainer`` has found, ready to be written in Hugging Face layout.
package struct TrainedTokenizer: Sendable {
    static let llamaSpecials = ["<unk>", "<s>", "</s>", "<image>", "<pad>"]
    static let clipSpecials = ["<|startoftext|>", "<|endoftext|>"]
    static let wordEnd = "</w>"
    static let mark: Unicode.Scalar = "▁"
    static let clipNormalizer = Normalizer.sequence([.nfc, .replace(.spaces, [" "]), .lowercase])

    let family: BPETrainer.Family
    let vocabulary: [Bytes]
    let merges: [(left: Bytes, right: Bytes)]

    /// Number of tokens, which are numbered without gaps.
    package var vocabularySize: Int { vocabulary.count }

    /// Writes tokenizer.json, tokenizer_config.json and special_tokens_map.json into `directory`, which is made
    /// when missing. `maximumLength` is the model's context in tokens.
    package func write(to directory: URL, maximumLength: Int) throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        for (name, text) in [
            ("tokenizer.json", tokenizerJSON),
            ("tokenizer_config.json", configurationJSON(maximumLength: maximumLength)),
            ("special_tokens_map.json", "{\n" + namedTokens + "\n}\n"),
        ] {
            try AtomicFile.write(text, to: directory.appendingPathComponent(name).path)
        }
    }

    /// The tokenizer itself, as reading the written files would give it.
    package func tokenizer(maximumLength: Int) throws -> Tokenizer {
        try Tokenizer(
            json: Data(tokenizerJSON.utf8),
            configuration: Data(configurationJSON(maximumLength: maximumLength).utf8))
    }

    private var specials: [String] { family == .llama ? Self.llamaSpecials : Self.clipSpecials }

    private func id(_ token: String) -> Int {
        vocabulary.firstIndex(of: Bytes(token)) ?? 0
    }

    private func addedToken(_ token: String) -> String {
        #""content": \#(Self.quoted(token)), "single_word": false, "lstrip": false, "rstrip": false, "#
            + #""normalized": false, "special": true"#
    }

    private static func quoted(_ token: String) -> String { JSON.string(token).text }

    private var namedTokens: String {
        let names: KeyValuePairs =
            family == .llama
            ? ["bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"]
            : [
                "bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>", "pad_token": "<|endoftext|>",
                "unk_token": "<|endoftext|>",
            ]
        return names.map { "  \"\($0)\": \(Self.quoted($1))" }.joined(separator: ",\n")
    }

    private func configurationJSON(maximumLength: Int) -> String {
        let added = specials.map { "    \"\(id($0))\": {\(addedToken($0))}" }.joined(separator: ",\n")
        let own =
            family == .llama
            ? """
              "tokenizer_class": "LlamaTokenizerFast",
              "add_bos_token": true,
              "add_eos_token": false,
              "legacy": false,
              "image_token": "<image>",
            """
            : """
              "tokenizer_class": "CLIPTokenizerFast",
            """
        return """
            {
            \(own)
            \(namedTokens),
              "clean_up_tokenization_spaces": false,
              "model_max_length": \(maximumLength),
              "added_tokens_decoder": {
            \(added)
              }
            }

            """
    }

    private var tokenizerJSON: String {
        let added = specials.map { "    {\"id\": \(id($0)), \(addedToken($0))}" }.joined(separator: ",\n")
        let entries = vocabulary.enumerated().map { "      \(Self.quoted($1.text)): \($0)" }
        let pairs = merges.map { "      [\(Self.quoted($0.left.text)), \(Self.quoted($0.right.text))]" }
        return """
            {
              "version": "1.0",
              "truncation": null,
              "padding": null,
              "added_tokens": [
            \(added)
              ],
            \(family == .llama ? llamaPipeline : clipPipeline)
                "vocab": {
            \(entries.joined(separator: ",\n"))
                },
                "merges": [
            \(pairs.joined(separator: ",\n"))
                ]
              }
            }

            """
    }

    /// The pipeline that transformers' LlamaTokenizer builds for `legacy: false`.
    private var llamaPipeline: String {
        #"""
          "normalizer": null,
          "pre_tokenizer": {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": false},
          "post_processor": {"type": "TemplateProcessing",
            "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
            "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
              {"SpecialToken": {"id": "<s>", "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
            "special_tokens": {"<s>": {"id": "<s>", "ids": [\#(id("<s>"))], "tokens": ["<s>"]}}},
          "decoder": {"type": "Sequence", "decoders": [
            {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"},
            {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
          "model": {
            "type": "BPE", "dropout": null, "unk_token": "<unk>", "continuing_subword_prefix": null,
            "end_of_word_suffix": null, "fuse_unk": true, "byte_fallback": true, "ignore_merges": false,
        """#
    }

    /// The pipeline that transformers' CLIPTokenizer builds.
    private var clipPipeline: String {
        #"""
          "normalizer": {"type": "Sequence", "normalizers": [{"type": "NFC"},
            {"type": "Replace", "pattern": {"Regex": "\\s+"}, "content": " "}, {"type": "Lowercase"}]},
          "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "Split", "pattern": {"Regex": "<\\|startoftext\\|>|<\\|endoftext\\|>|'s|'t|'re|'ve|'m|'ll|'d|[\\p{L}]+|[\\p{N}]|[^\\s\\p{L}\\p{N}]+"},
              "behavior": "Removed", "invert": true},
            {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true}]},
          "post_processor": {"type": "RobertaProcessing", "sep": ["<|endoftext|>", \#(id("<|endoftext|>"))],
            "cls": ["<|startoftext|>", \#(id("<|startoftext|>"))], "trim_offsets": false, "add_prefix_space": false},
          "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
          "model": {
            "type": "BPE", "dropout": null, "unk_token": "<|endoftext|>", "continuing_subword_prefix": "",
            "end_of_word_suffix": "</w>", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
        """#
    }
}
