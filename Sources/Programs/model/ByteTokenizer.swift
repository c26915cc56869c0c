import Files
import Foundation

/// A tokenizer that knows the 256 bytes, as GPT-2 spells them, one merge, for there must be some, and a family's own tokens
/// after them.
struct ByteTokenizer {
    /// In the order of their ids, from 257.
    private let special: [String]
    private let beginningText: String?
    private let endText: String
    private let imageText: String
    private let videoText: String?

    static let llava = ByteTokenizer(
        special: ["<unk>", "<s>", "</s>", "<image>", "<pad>"], beginningText: "<s>", endText: "</s>",
        imageText: "<image>", videoText: nil)
    static let oneVision = ByteTokenizer(
        special: ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>", "<video>"], beginningText: nil,
        endText: "<|im_end|>", imageText: "<image>", videoText: "<video>")
    static let smolVLM = ByteTokenizer(
        special: ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<global-img>"]
            + (1...6).flatMap { row in (1...6).map { "<row_\(row)_col_\($0)>" } }
            + ["<fake_token_around_image>", "<image>", "<end_of_utterance>"],
        beginningText: nil, endText: "<end_of_utterance>", imageText: "<image>", videoText: nil)
    static let qwenVL = ByteTokenizer(
        special: [
            "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|vision_start|>", "<|vision_end|>",
            "<|image_pad|>",
            "<|video_pad|>",
        ], beginningText: nil, endText: "<|im_end|>", imageText: "<|image_pad|>", videoText: "<|video_pad|>")

    private func id(_ text: String) -> Int { Self.bytes.count + 1 + (special.firstIndex(of: text) ?? 0) }

    var beginning: Int? { beginningText.map(id) }
    var end: Int { id(endText) }
    var image: Int { id(imageText) }
    var video: Int { videoText.map(id) ?? image }

    /// GPT-2's spelling: bytes that can be printed are themselves, the others follow from U+0100.
    private static let bytes: [String] = {
        var next: UInt32 = 256
        return (0..<256).map { (byte: UInt32) in
            let isPrinted =
                (33...126).contains(byte) || (161...172).contains(byte) || (174...255).contains(byte)
            defer { if !isPrinted { next += 1 } }
            return String(UnicodeScalar(isPrinted ? byte : next).map(Character.init)!)
        }
    }()

    func write(to folder: URL) throws {
        let vocabulary = Self.bytes + ["Ġt"] + special
        let entries = vocabulary.enumerated().map { "\(Self.quoted($1)): \($0)" }
        let added = special.map {
            #"{"id": \#(id($0)), "content": \#(Self.quoted($0)), "single_word": false, "lstrip": false, "#
                + #""rstrip": false, "normalized": false, "special": true}"#
        }
        let processor =
            beginningText.map {
                let token = Self.quoted($0)
                let single =
                    #"[{"SpecialToken": {"id": \#(token), "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]"#
                return #"{"type": "TemplateProcessing", "single": \#(single), "pair": \#(single), "#
                    + #""special_tokens": {\#(token): {"id": \#(token), "ids": [\#(id($0))], "tokens": [\#(token)]}}}"#
            } ?? "null"
        let text = """
            {"version": "1.0", "truncation": null, "padding": null,
            "added_tokens": [
            \(added.joined(separator: ",\n"))],
            "normalizer": null,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": false, "trim_offsets": true, "use_regex": true},
            "post_processor": \(processor),
            "decoder": {"type": "ByteLevel", "add_prefix_space": true, "trim_offsets": true, "use_regex": true},
            "model": {"type": "BPE", "dropout": null, "unk_token": null, "continuing_subword_prefix": "",
            "end_of_word_suffix": "", "fuse_unk": false, "byte_fallback": false, "ignore_merges": false,
            "vocab": {\(entries.joined(separator: ", "))}, "merges": [["Ġ", "t"]]}}

            """
        let beginning = beginningText.map { #""bos_token": \#(Self.quoted($0)), "# } ?? ""
        let settings = #"""
            {"tokenizer_class": "PreTrainedTokenizerFast", \#(beginning)"eos_token": \#(Self.quoted(endText))}

            """#
        for (name, text) in [("tokenizer.json", text), ("tokenizer_config.json", settings)] {
            try AtomicFile.write(text, to: folder.appendingPathComponent(name).path)
        }
    }

    private static func quoted(_ text: String) -> String {
        "\"" + text.replacingOccurrences(of: "\\", with: "\\\\").replacingOccurrences(of: "\"", with: "\\\"")
            + "\""
    }
}
