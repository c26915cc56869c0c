/// A SmolVLM or Idefics3 model: vision tower, connector and decoder. What a file omits has the value of transformers'
/// `Idefics3Config` and `SmolVLMConfig`, which differ in their names alone.
package struct SmolVLMConfig: Codable, Equatable, Sendable {
    /// `model_type`
    package enum Kind: String, CaseIterable, Sendable {
        case idefics3, smolvlm
    }

    package var kind = Kind.idefics3
    package var text = LlamaConfig()
    package var vision = ClipVisionConfig(defaultsOf: .idefics3)
    package var imageTokenID = 128_257
    /// Patches a side that become one row of the decoder.
    package var scaleFactor = 2
    package var elementType: ElementType?

    package init() {}

    /// Rows that one tile takes in the decoder.
    package var tileRows: Int { vision.patchCount / (scaleFactor * scaleFactor) }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case text = "text_config"
        case vision = "vision_config"
        case imageTokenID = "image_token_id"
        case scaleFactor = "scale_factor"
        case tieWordEmbeddings = "tie_word_embeddings"
        case usesResampler = "use_resampler"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        kind = try keys.choice(.modelType, default: kind)
        if try keys.value(.usesResampler, default: false) {
            throw keys.refusal(.usesResampler, "true is not supported, only false")
        }
        text.rmsNormEpsilon = 1e-5
        text = try keys.value(.text, default: text)
        guard text.kind == .llama else {
            throw keys.refusal(
                .text, "a decoder \"\(text.kind.rawValue)\" is not supported here, only \"llama\"")
        }
        text.tieWordEmbeddings = try keys.value(.tieWordEmbeddings, default: false)
        let tower = kind == .idefics3 ? ClipVisionConfig.Kind.idefics3 : .smolVLM
        vision =
            try keys.contains(.vision)
            ? ClipVisionConfig(from: keys.superDecoder(forKey: .vision), kind: tower)
            : ClipVisionConfig(defaultsOf: tower)
        imageTokenID = try keys.integer(.imageTokenID) ?? imageTokenID
        guard (0..<1 << 24).contains(imageTokenID) else {
            throw keys.refusal(.imageTokenID, "\(imageTokenID) is not a token id")
        }
        scaleFactor = try keys.size(.scaleFactor, default: scaleFactor)
        guard vision.patchesPerSide % scaleFactor == 0 else {
            throw keys.refusal(
                .scaleFactor,
                "\(scaleFactor) does not divide the \(vision.patchesPerSide) patches along a tile's side")
        }
        elementType = try StoredElementType(from: decoder).elementType
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue, forKey: .modelType)
        try keys.encode(text, forKey: .text)
        try keys.encode(vision, forKey: .vision)
        try keys.encode(imageTokenID, forKey: .imageTokenID)
        try keys.encode(scaleFactor, forKey: .scaleFactor)
        try keys.encode(text.tieWordEmbeddings, forKey: .tieWordEmbeddings)
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}
