/// A decoder of LLaMA's build, as config.json describes it: LLaMA itself (Vicuna, SmolLM2), Mistral, Qwen2 and Phi-3. What
/// a file omits has the value of the transformers class that its `model_type` names.
package struct LlamaConfig: Codable, Equatable, Sendable {
    /// More than any decoder reads: rotary positions lie in a table.
    private static let longestContext = 1 << 22

    /// `model_type`
    package enum Kind: String, CaseIterable, Sendable {
        case llama, mistral, qwen2, phi3
        case qwen2VL = "qwen2_vl_text"
        case qwen25VL = "qwen2_5_vl_text"

        var isQwen: Bool { [.qwen2, .qwen2VL, .qwen25VL].contains(self) }
        /// Whether its rotary positions know rows and columns.
        var hasSections: Bool { self == .qwen2VL || self == .qwen25VL }
    }

    package enum Activation: String, Codable, CaseIterable, Sendable { case silu }

    package var kind = Kind.llama
    package var vocabSize = 32000
    package var hiddenSize = 4096
    package var intermediateSize = 11008
    package var layerCount = 32
    package var headCount = 32
    package var keyValueHeadCount = 32
    package var headDim = 128
    package var maxPositionEmbeddings = 2048
    /// How many tokens back a token sees, itself included; nil sees all.
    package var window: Int?
    package var rmsNormEpsilon = 1e-6
    package var rotary = RotaryConfig()
    package var tieWordEmbeddings = false
    /// Whether q, k and v have biases.
    package var queryKeyValueBias = false
    /// Whether the projection out of attention has one.
    package var outputBias = false
    package var mlpBias = false
    package var activation = Activation.silu
    package var bosTokenID: Int? = 1
    package var eosTokenIDs = [2]
    package var padTokenID: Int?
    /// How the weights are stored; not how they are computed with.
    package var elementType: ElementType?

    package init() {}

    /// Tokens that are read at most. A window is never reached within it, so that nothing needs one.
    package var context: Int { min(maxPositionEmbeddings, window ?? .max) }

    /// Whether q, k and v lie in one matrix, `qkv_proj`, and gate and up in another, `gate_up_proj`.
    package var isFused: Bool { kind == .phi3 }

    package init(defaultsOf kind: Kind) {
        self.kind = kind
        switch kind {
        case .llama: break
        case .mistral:
            (intermediateSize, keyValueHeadCount, maxPositionEmbeddings) = (14336, 8, 131_072)
            window = 4096
        case .qwen2:
            (vocabSize, intermediateSize, maxPositionEmbeddings) = (151_936, 22016, 32768)
            (queryKeyValueBias, bosTokenID, eosTokenIDs) = (true, nil, [])
        case .qwen2VL, .qwen25VL:
            (vocabSize, hiddenSize, intermediateSize, layerCount) = (152_064, 8192, 29568, 80)
            (headCount, keyValueHeadCount, maxPositionEmbeddings) = (64, 8, 32768)
            (rmsNormEpsilon, rotary.theta, queryKeyValueBias) = (1e-5, 1e6, true)
            (bosTokenID, eosTokenIDs) = (151_643, [151_645])
        case .phi3:
            (vocabSize, hiddenSize, intermediateSize, headDim) = (32064, 3072, 8192, 96)
            (maxPositionEmbeddings, rmsNormEpsilon) = (4096, 1e-5)
            (eosTokenIDs, padTokenID) = ([32000], 32000)
        }
    }

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
        case window = "sliding_window"
        case usesWindow = "use_sliding_window"
        case rmsNormEpsilon = "rms_norm_eps"
        case ropeTheta = "rope_theta"
        case ropeScaling = "rope_scaling"
        case ropeParameters = "rope_parameters"
        case ropeIsInterleaved = "rope_interleaved"
        case partialRotaryFactor = "partial_rotary_factor"
        case normalizesQueries = "qk_layer_norms"
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
        let kind = try keys.choice(.modelType, default: Kind.llama)
        try self.init(from: decoder, kind: kind)
    }

    /// As `init(from:)`, for a model whose decoders are of one kind, whatever name theirs has.
    init(from decoder: any Decoder, kind: Kind) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(defaultsOf: kind)
        try readShape(keys)
        maxPositionEmbeddings = try keys.size(.maxPositionEmbeddings, default: maxPositionEmbeddings)
        guard maxPositionEmbeddings <= Self.longestContext else {
            throw keys.refusal(
                .maxPositionEmbeddings, "\(maxPositionEmbeddings) is more than \(Self.longestContext)")
        }
        try readWindow(keys)
        rmsNormEpsilon = try keys.positive(.rmsNormEpsilon, default: rmsNormEpsilon)
        try readRotary(keys)
        tieWordEmbeddings = try keys.value(.tieWordEmbeddings, default: tieWordEmbeddings)
        if kind == .llama {
            queryKeyValueBias = try keys.value(.attentionBias, default: queryKeyValueBias)
            outputBias = queryKeyValueBias
            mlpBias = try keys.value(.mlpBias, default: mlpBias)
        }
        activation = try keys.choice(.activation, default: activation)
        bosTokenID = try keys.tokenIDs(.bosTokenID, default: bosTokenID.map { [$0] } ?? []).first
        eosTokenIDs = try keys.tokenIDs(.eosTokenIDs, default: eosTokenIDs)
        padTokenID = try keys.integer(.padTokenID) ?? padTokenID
        elementType = try StoredElementType(from: decoder).elementType
    }

    private mutating func readShape(_ keys: KeyedDecodingContainer<CodingKeys>) throws {
        vocabSize = try keys.size(.vocabSize, default: vocabSize)
        hiddenSize = try keys.size(.hiddenSize, default: hiddenSize)
        intermediateSize = try keys.size(.intermediateSize, default: intermediateSize)
        layerCount = try keys.size(.layerCount, default: layerCount)
        headCount = try keys.size(.headCount, default: headCount)
        // Some classes have a number for it.
        let groups =
            (kind == .mistral || kind.hasSections) && !keys.contains(.keyValueHeadCount)
            ? keyValueHeadCount : headCount
        keyValueHeadCount = try keys.size(.keyValueHeadCount, default: groups)
        guard headCount % keyValueHeadCount == 0 else {
            throw keys.refusal(
                .keyValueHeadCount, "\(keyValueHeadCount) does not divide the \(headCount) attention heads")
        }
        guard try keys.integer(.headDim) != nil || hiddenSize % headCount == 0 else {
            throw keys.refusal(.headCount, "\(headCount) does not divide the hidden size \(hiddenSize)")
        }
        headDim = try keys.size(.headDim, default: hiddenSize / headCount)
        guard headDim % 2 == 0 else {
            throw keys.refusal(.headDim, "\(headDim) is odd, but rotary positions turn pairs of channels")
        }
        // Idefics' decoders may, transformers' LLaMA doesn't.
        for key in [CodingKeys.normalizesQueries, .ropeIsInterleaved]
        where try keys.value(key, default: false) {
            throw keys.refusal(key, "true is not supported, only false")
        }
    }

    private mutating func readWindow(_ keys: KeyedDecodingContainer<CodingKeys>) throws {
        if keys.contains(.window) { window = try keys.integer(.window) }
        if kind == .llama { window = nil }
        if kind.isQwen, try !keys.value(.usesWindow, default: false) { window = nil }
        if let window, window < 1 { throw keys.refusal(.window, "\(window) is not above zero") }
    }

    private mutating func readRotary(_ keys: KeyedDecodingContainer<CodingKeys>) throws {
        rotary.theta = try keys.positive(.ropeTheta, default: rotary.theta)
        var turned = try keys.value(.partialRotaryFactor, default: 1.0)
        // transformers 5 takes the older key where both are there.
        for key in [CodingKeys.ropeScaling, .ropeParameters] {
            guard let parameters = try keys.decodeIfPresent(RotaryConfig.Parameters.self, forKey: key) else {
                continue
            }
            do { try rotary.read(parameters, context: maxPositionEmbeddings) } catch {
                throw keys.refusal(key, error.finding)
            }
            if kind == .phi3, rotary.kind != .default {
                throw keys.refusal(
                    key, "a Phi-3 with the rotary scaling \"\(rotary.kind.rawValue)\" is not supported")
            }
            turned = parameters.partialRotaryFactor ?? turned
            break
        }
        guard turned == 1 else {
            throw keys.refusal(.partialRotaryFactor, "\(turned) is not supported, only 1")
        }
        guard rotary.isFinite(headWidth: headDim, positions: context) else {
            let key = [CodingKeys.ropeScaling, .ropeParameters].first(where: keys.contains) ?? .ropeTheta
            throw keys.refusal(key, "positions turn by what is no number")
        }
        if !kind.hasSections { rotary.sections = nil }
        if kind.hasSections {
            let sections = rotary.sections ?? []
            guard sections.count == 3, sections.allSatisfy((1...headDim / 2).contains),
                sections.reduce(0, +) == headDim / 2
            else {
                throw keys.refusal(
                    .ropeScaling,
                    "mrope_section \(sections) doesn't part the \(headDim / 2) frequencies in three")
            }
        }
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue, forKey: .modelType)
        try keys.encode(vocabSize, forKey: .vocabSize)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(keyValueHeadCount, forKey: .keyValueHeadCount)
        try keys.encode(headDim, forKey: .headDim)
        try keys.encode(maxPositionEmbeddings, forKey: .maxPositionEmbeddings)
        if kind != .llama { try keys.encode(window, forKey: .window) }
        if kind.isQwen { try keys.encode(window != nil, forKey: .usesWindow) }
        try keys.encode(rmsNormEpsilon, forKey: .rmsNormEpsilon)
        // transformers 4 reads rope_theta and rope_scaling, transformers 5 keeps both in rope_parameters.
        try keys.encode(rotary.theta, forKey: .ropeTheta)
        try keys.encode(rotary.parameters, forKey: .ropeParameters)
        if rotary.kind != .default || rotary.sections != nil {
            try keys.encode(rotary.parameters, forKey: .ropeScaling)
        }
        try keys.encode(tieWordEmbeddings, forKey: .tieWordEmbeddings)
        if kind == .llama {
            try keys.encode(queryKeyValueBias, forKey: .attentionBias)
            try keys.encode(mlpBias, forKey: .mlpBias)
        }
        try keys.encode(activation, forKey: .activation)
        try keys.encode(bosTokenID, forKey: .bosTokenID)
        try keys.encode(tokenIDs: eosTokenIDs, forKey: .eosTokenIDs)
        try keys.encode(padTokenID, forKey: .padTokenID)
        try StoredElementType(elementType: elementType).encode(to: encoder)
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
