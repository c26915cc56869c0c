/// A LLaMA decoder, as config.json describes it. What a file omits has the value of transformers'
/// `LlamaConfig`.
package struct LlamaConfig: Codable, Equatable, Sendable {
    package enum Activation: String, Codable, CaseIterable, Sendable { case silu }

    package var vocabSize = 32000
    package var hiddenSize = 4096
    package var intermediateSize = 11008
    package var layerCount = 32
    package var headCount = 32
    package var keyValueHeadCount = 32
    package var headDim = 128
    package var maxPositionEmbeddings = 2048
    package var rmsNormEpsilon = 1e-6
    package var ropeTheta = 10000.0
    package var tieWordEmbeddings = false
    package var attentionBias = false
    package var mlpBias = false
    package var activation = Activation.silu
    package var bosTokenID: Int? = 1
    package var eosTokenIDs = [2]
    package var padTokenID: Int?
    /// How the weights are stored; not how they are computed with.
    package var elementType: ElementType?

    package init() {}

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case vocabSize = "vocab_size"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case keyValueHeadCount = "num_key_value_heads"
        case headDim = "head_dim"
        case maxPositionEmbeddings = "max_position_embeddings"
        case rmsNormEpsilon = "rms_norm_eps"
        case ropeTheta = "rope_theta"
        case ropeScaling = "rope_scaling"
        case ropeParameters = "rope_parameters"
        case partialRotaryFactor = "partial_rotary_factor"
        case tieWordEmbeddings = "tie_word_embeddings"
        case attentionBias = "attention_bias"
        case mlpBias = "mlp_bias"
        case activation = "hidden_act"
        case bosTokenID = "bos_token_id"
        case eosTokenIDs = "eos_token_id"
        case padTokenID = "pad_token_id"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        try keys.expectModelType("llama", .modelType)
        vocabSize = try keys.size(.vocabSize, default: vocabSize)
        hiddenSize = try keys.size(.hiddenSize, default: hiddenSize)
        intermediateSize = try keys.size(.intermediateSize, default: intermediateSize)
        layerCount = try keys.size(.layerCount, default: layerCount)
        headCount = try keys.size(.headCount, default: headCount)
        keyValueHeadCount = try keys.size(.keyValueHeadCount, default: headCount)
        guard headCount % keyValueHeadCount == 0 else {
            throw keys.refusal(
                .keyValueHeadCount, "\(keyValueHeadCount) does not divide the \(headCount) attention heads")
        }
        guard hiddenSize % headCount == 0 else {
            throw keys.refusal(.headCount, "\(headCount) does not divide the hidden size \(hiddenSize)")
        }
        headDim = try keys.size(.headDim, default: hiddenSize / headCount)
        guard headDim % 2 == 0 else {
            throw keys.refusal(.headDim, "\(headDim) is odd, but rotary positions turn pairs of channels")
        }
        maxPositionEmbeddings = try keys.size(.maxPositionEmbeddings, default: maxPositionEmbeddings)
        rmsNormEpsilon = try keys.positive(.rmsNormEpsilon, default: rmsNormEpsilon)
        ropeTheta = try Self.ropeTheta(keys, default: ropeTheta)
        tieWordEmbeddings = try keys.value(.tieWordEmbeddings, default: tieWordEmbeddings)
        attentionBias = try keys.value(.attentionBias, default: attentionBias)
        mlpBias = try keys.value(.mlpBias, default: mlpBias)
        activation = try keys.choice(.activation, default: activation)
        bosTokenID = try keys.tokenIDs(.bosTokenID, default: [1]).first
        eosTokenIDs = try keys.tokenIDs(.eosTokenIDs, default: eosTokenIDs)
        padTokenID = try keys.integer(.padTokenID)
        elementType = try StoredElementType(from: decoder).elementType
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode("llama", forKey: .modelType)
        try keys.encode(vocabSize, forKey: .vocabSize)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(keyValueHeadCount, forKey: .keyValueHeadCount)
        try keys.encode(headDim, forKey: .headDim)
        try keys.encode(maxPositionEmbeddings, forKey: .maxPositionEmbeddings)
        try keys.encode(rmsNormEpsilon, forKey: .rmsNormEpsilon)
        // transformers 4 reads rope_theta, transformers 5 keeps it in rope_parameters.
        try keys.encode(ropeTheta, forKey: .ropeTheta)
        try keys.encode(RopeParameters(ropeTheta: ropeTheta, ropeType: "default"), forKey: .ropeParameters)
        try keys.encode(tieWordEmbeddings, forKey: .tieWordEmbeddings)
        try keys.encode(attentionBias, forKey: .attentionBias)
        try keys.encode(mlpBias, forKey: .mlpBias)
        try keys.encode(activation, forKey: .activation)
        try keys.encode(bosTokenID, forKey: .bosTokenID)
        try keys.encode(tokenIDs: eosTokenIDs, forKey: .eosTokenIDs)
        try keys.encode(padTokenID, forKey: .padTokenID)
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}

extension LlamaConfig {
    /// `rope_scaling` (its type under `type` or `rope_type`) and the newer `rope_parameters`.
    private struct RopeParameters: Codable {
        var ropeTheta: Double?
        var ropeType: String?
        var type: String?
        var partialRotaryFactor: Double?

        enum CodingKeys: String, CodingKey {
            case ropeTheta = "rope_theta"
            case ropeType = "rope_type"
            case type
            case partialRotaryFactor = "partial_rotary_factor"
        }
    }

    private static func ropeTheta(_ keys: KeyedDecodingContainer<CodingKeys>, default fallback: Double) throws
        -> Double
    {
        var theta = try keys.positive(.ropeTheta, default: fallback)
        var rotaryFactor = try keys.value(.partialRotaryFactor, default: 1.0)
        for key in [CodingKeys.ropeScaling, .ropeParameters] {
            guard let parameters = try keys.decodeIfPresent(RopeParameters.self, forKey: key) else {
                continue
            }
            let type = parameters.ropeType ?? parameters.type ?? "default"
            guard ["default", "none"].contains(type) else {
                throw keys.refusal(key, "the rotary scaling \"\(type)\" is not supported, only \"default\"")
            }
            rotaryFactor = parameters.partialRotaryFactor ?? rotaryFactor
            theta = parameters.ropeTheta ?? theta
            guard theta > 0, theta.isFinite else { throw keys.refusal(key, "rope_theta is not above zero") }
        }
        guard rotaryFactor == 1 else {
            throw keys.refusal(.partialRotaryFactor, "\(rotaryFactor) is not supported, only 1")
        }
        return theta
    }
}

/// The element type of stored weights: `torch_dtype` until transformers 4, `dtype` since 5.
struct StoredElementType: Codable {
    var elementType: ElementType?

    enum CodingKeys: String, CodingKey {
        case torchDType = "torch_dtype"
        case dtype
    }

    init(elementType: ElementType?) { self.elementType = elementType }

    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        for key in [CodingKeys.dtype, .torchDType] {
            // Only a hint: the tensors say themselves how they are stored.
            guard let name = try keys.decodeIfPresent(String.self, forKey: key) else { continue }
            elementType = ElementType(torchName: name)
            return
        }
    }

    func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        // The older key: transformers 5 reads both.
        try keys.encodeIfPresent(elementType?.torchName, forKey: .torchDType)
    }
}
