/// SigLIP's text transformer. What a file omits has the value of transformers' `SiglipTextConfig`.
package struct SiglipTextConfig: Codable, Equatable, Sendable {
    package var vocabSize = 32_000
    package var hiddenSize = 768
    package var intermediateSize = 3072
    package var layerCount = 12
    package var headCount = 12
    /// Tokens of every text, padding included.
    package var maxPositionEmbeddings = 64
    package var activation = ClipActivation.geluTanh
    package var layerNormEpsilon = 1e-6
    package var padTokenID = 1
    /// Width of a text's vector.
    package var projectionSize = 768

    package init() {}

    enum CodingKeys: String, CodingKey {
        case vocabSize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case maxPositionEmbeddings = "max_position_embeddings"
        case activation = "hidden_act"
        case layerNormEpsilon = "layer_norm_eps"
        case padTokenID = "pad_token_id"
        case projectionSize = "projection_size"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        vocabSize = try keys.size(.vocabSize, default: vocabSize)
        hiddenSize = try keys.size(.hiddenSize, default: hiddenSize)
        intermediateSize = try keys.size(.intermediateSize, default: intermediateSize)
        layerCount = try keys.size(.layerCount, default: layerCount)
        headCount = try keys.heads(.headCount, default: headCount, of: hiddenSize)
        maxPositionEmbeddings = try keys.size(.maxPositionEmbeddings, default: maxPositionEmbeddings)
        activation = try keys.choice(.activation, default: activation)
        layerNormEpsilon = try keys.positive(.layerNormEpsilon, default: layerNormEpsilon)
        padTokenID = try keys.tokenIDs(.padTokenID, default: [padTokenID]).first ?? padTokenID
        projectionSize = try keys.size(.projectionSize, default: hiddenSize)
    }
}

/// A SigLIP or SigLIP 2 model: both towers and the space they share.
package struct SiglipConfig: Codable, Equatable, Sendable {
    /// `model_type`
    package enum Kind: String, CaseIterable, Sendable {
        /// Pictures of one size; SigLIP 2's fixed models are such too.
        case fixed = "siglip"
        /// Pictures that keep their aspect (NaFlex).
        case flexible = "siglip2"
    }

    package var kind = Kind.fixed
    package var text = SiglipTextConfig()
    package var vision = ClipVisionConfig(defaultsOf: .siglip)
    /// Positions that a flexible tower has: of a square.
    package var positionCount = 256
    package var elementType: ElementType?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case text = "text_config"
        case vision = "vision_config"
    }

    private enum VisionKeys: String, CodingKey {
        case positionCount = "num_patches"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        kind = try keys.choice(.modelType, default: kind)
        text = try keys.value(.text, default: text)
        if keys.contains(.vision) {
            let nested = try keys.superDecoder(forKey: .vision)
            vision = try ClipVisionConfig(from: nested, kind: .siglip)
            let vision = try nested.container(keyedBy: VisionKeys.self)
            positionCount = try vision.size(.positionCount, default: positionCount)
        }
        let side = Int(Double(positionCount).squareRoot())
        guard kind == .fixed || side * side == positionCount else {
            throw keys.refusal(.vision, "num_patches is \(positionCount), which is no square")
        }
        guard vision.hasPoolingHead else {
            throw keys.refusal(.vision, "vision_use_head is false, and without it a picture has no vector")
        }
        guard text.projectionSize == vision.hiddenSize else {
            throw keys.refusal(
                .text,
                "a text's vector has \(text.projectionSize) numbers and a picture's \(vision.hiddenSize)")
        }
        elementType = try StoredElementType(from: decoder).elementType
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue, forKey: .modelType)
        try keys.encode(text, forKey: .text)
        let nested = keys.superEncoder(forKey: .vision)
        try vision.encode(to: nested)
        if kind == .flexible {
            var flexible = nested.container(keyedBy: VisionKeys.self)
            try flexible.encode(positionCount, forKey: .positionCount)
        }
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}
