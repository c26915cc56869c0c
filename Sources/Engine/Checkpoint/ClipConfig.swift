/// CLIP's text transformer. What a file omits has the value of transformers' `CLIPTextConfig`.
package struct ClipTextConfig: Codable, Equatable, Sendable {
    package var vocabSize = 49408
    package var hiddenSize = 512
    package var intermediateSize = 2048
    package var layerCount = 12
    package var headCount = 8
    package var maxPositionEmbeddings = 77
    package var activation = ClipActivation.quickGELU
    package var layerNormEpsilon = 1e-5
    package var projectionDim = 512
    package var bosTokenID: Int? = 49406
    package var eosTokenID = 49407
    package var padTokenID: Int? = 1

    package init() {}

    /// True for models converted before transformers fixed their `eos_token_id` of 2: they are pooled at
    /// the highest id of a text, all others at the first end token (`CLIPTextModel.forward`).
    package var poolsAtHighestID: Bool { eosTokenID == 2 }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case vocabSize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case maxPositionEmbeddings = "max_position_embeddings"
        case activation = "hidden_act"
        case layerNormEpsilon = "layer_norm_eps"
        case projectionDim = "projection_dim"
        case bosTokenID = "bos_token_id"
        case eosTokenID = "eos_token_id"
        case padTokenID = "pad_token_id"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        try keys.expectModelType("clip_text_model", .modelType)
        vocabSize = try keys.size(.vocabSize, default: vocabSize)
        hiddenSize = try keys.size(.hiddenSize, default: hiddenSize)
        intermediateSize = try keys.size(.intermediateSize, default: intermediateSize)
        layerCount = try keys.size(.layerCount, default: layerCount)
        headCount = try keys.heads(.headCount, default: headCount, of: hiddenSize)
        maxPositionEmbeddings = try keys.size(.maxPositionEmbeddings, default: maxPositionEmbeddings)
        activation = try keys.choice(.activation, default: activation)
        layerNormEpsilon = try keys.positive(.layerNormEpsilon, default: layerNormEpsilon)
        projectionDim = try keys.size(.projectionDim, default: projectionDim)
        bosTokenID = try keys.tokenIDs(.bosTokenID, default: [49406]).first
        let ends = try keys.tokenIDs(.eosTokenID, default: [eosTokenID])
        guard ends.count == 1 else {
            throw keys.refusal(.eosTokenID, "one end token is needed, not \(ends.count)")
        }
        eosTokenID = ends[0]
        padTokenID = try keys.tokenIDs(.padTokenID, default: [1]).first
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode("clip_text_model", forKey: .modelType)
        try keys.encode(vocabSize, forKey: .vocabSize)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(maxPositionEmbeddings, forKey: .maxPositionEmbeddings)
        try keys.encode(activation, forKey: .activation)
        try keys.encode(layerNormEpsilon, forKey: .layerNormEpsilon)
        try keys.encode(projectionDim, forKey: .projectionDim)
        try keys.encode(bosTokenID, forKey: .bosTokenID)
        try keys.encode(eosTokenID, forKey: .eosTokenID)
        try keys.encode(padTokenID, forKey: .padTokenID)
    }
}

/// A CLIP model: both towers and the space they share.
package struct ClipConfig: Codable, Equatable, Sendable {
    package var text = ClipTextConfig()
    package var vision = ClipVisionConfig()
    package var projectionDim = 512
    package var logitScaleInitValue = 2.6592
    package var elementType: ElementType?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case text = "text_config"
        case vision = "vision_config"
        case textDict = "text_config_dict"
        case visionDict = "vision_config_dict"
        case projectionDim = "projection_dim"
        case logitScaleInitValue = "logit_scale_init_value"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        try keys.expectModelType("clip", .modelType)
        // OpenAI's first conversions carry both; transformers lets the *_dict win.
        text =
            try keys.decodeIfPresent(ClipTextConfig.self, forKey: .textDict)
            ?? keys.value(.text, default: text)
        vision =
            try keys.decodeIfPresent(ClipVisionConfig.self, forKey: .visionDict)
            ?? keys.value(.vision, default: vision)
        guard vision.kind == .clip else {
            throw keys.refusal(.vision, "the tower is \"\(vision.kind.rawValue)\", and a CLIP has its own")
        }
        projectionDim = try keys.size(.projectionDim, default: projectionDim)
        logitScaleInitValue = try keys.value(.logitScaleInitValue, default: logitScaleInitValue)
        elementType = try StoredElementType(from: decoder).elementType
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode("clip", forKey: .modelType)
        try keys.encode(text, forKey: .text)
        try keys.encode(vision, forKey: .vision)
        try keys.encode(projectionDim, forKey: .projectionDim)
        try keys.encode(logitScaleInitValue, forKey: .logitScaleInitValue)
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}
