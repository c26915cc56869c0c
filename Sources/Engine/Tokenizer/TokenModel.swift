import JSON

/// From words that are cut already to ids.
protocol TokenModel: Sendable {
    var vocabulary: [Bytes: Int32] { get }
    var unknown: Int32? { get }
    /// What the last token of a word ends in; nil where words have no such mark.
    var suffix: Bytes? { get }
    /// Numbers that with the vocabulary decide how words are cut, for a digest.
    var rules: [Int32] { get }

    func encode(_ word: [Unicode.Scalar]) -> [Int32]
}

extension TokenModel {
    var suffix: Bytes? { nil }

    /// Ids of `<0x00>` to `<0xFF>`, each nil where the vocabulary lacks it.
    static func byteIDs(_ vocabulary: [Bytes: Int32]) -> [Int32?] {
        (0..<256).map { vocabulary[Bytes(ByteToken.name(UInt8($0)))] }
    }
}

/// Reads tokenizer.json's `model`. Throws ``TokenizerError`` on a kind that is not known.
func readTokenModel(_ json: JSON, file: String) throws -> any TokenModel {
    json["type"]?.asText == "Unigram" ? try UnigramModel(json, file: file) : try BPEModel(json, file: file)
}
