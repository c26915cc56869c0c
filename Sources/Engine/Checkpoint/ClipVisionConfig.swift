/// The activations of CLIP's towers: OpenAI's models use the sigmoid approximation, LAION's the exact GELU, SigLIP's
/// the one by tanh.
package enum ClipActivation: String, Codable, CaseIterable, Sendable {
    case quickGELU = "quick_gelu"
    case gelu
    case geluTanh = "gelu_pytorch_tanh"
}

/// A tower of CLIP's build, as config.json describes it: CLIP's own, SigLIP's and Idefics3's (SmolVLM). What a file omits
/// has the value of the transformers class that its `model_type` names.
package struct ClipVisionConfig: Codable, Equatable, Sendable {
    /// `model_type`
    package enum Kind: String, CaseIterable, Sendable {
        /// A class token first, a norm before the layers.
        case clip = "clip_vision_model"
        /// Patches only, with a bias (Zhai et al. 2023).
        case siglip = "siglip_vision_model"
        /// SigLIP's, its positions found by where a patch lies in the picture.
        case idefics3 = "idefics3_vision"
        /// The same under another name.
        case smolVLM = "smolvlm_vision"
    }

    package var kind = Kind.clip
    package var hiddenSize = 768
    package var intermediateSize = 3072
    package var layerCount = 12
    package var headCount = 12
    package var channelCount = 3
    package var imageSize = 224
    package var patchSize = 32
    package var activation = ClipActivation.quickGELU
    package var layerNormEpsilon = 1e-5
    package var projectionDim = 512
    /// Whether SigLIP's pooling head lies in the file; no decoder reads it.
    package var hasPoolingHead = true

    package init() {}

    package init(defaultsOf kind: Kind) {
        self.kind = kind
        guard kind != .clip else { return }
        (activation, layerNormEpsilon) = (.geluTanh, 1e-6)
        if kind == .siglip { patchSize = 16 } else { (hiddenSize, headCount) = (1152, 16) }
    }

    /// The tower that transformers' `LlavaConfig` assumes where config.json has no `vision_config`:
    /// CLIP-L/14 at 336.
    static var llavaDefault: ClipVisionConfig {
        var config = ClipVisionConfig()
        config.hiddenSize = 1024
        config.intermediateSize = 4096
        config.layerCount = 24
        config.headCount = 16
        config.imageSize = 336
        config.patchSize = 14
        config.projectionDim = 768
        return config
    }

    /// The tower that `LlavaOnevisionConfig` assumes: SigLIP-so400m/14 at 384 without its last layer.
    static var oneVisionDefault: ClipVisionConfig {
        var config = ClipVisionConfig(defaultsOf: .siglip)
        config.hiddenSize = 1152
        config.intermediateSize = 4304
        config.layerCount = 26
        config.headCount = 16
        config.imageSize = 384
        config.patchSize = 14
        config.hasPoolingHead = false
        return config
    }

    /// Patches along a side; pixels at the right and lower edge that make no whole patch are left out.
    package var patchesPerSide: Int { imageSize / patchSize }
    /// Patches of one image, without the class token.
    package var patchCount: Int { patchesPerSide * patchesPerSide }
    /// Class tokens before them.
    package var classCount: Int { kind == .clip ? 1 : 0 }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case hiddenSize = "hidden_size"
        case intermediateSize = "intermediate_size"
        case layerCount = "num_hidden_layers"
        case headCount = "num_attention_heads"
        case channelCount = "num_channels"
        case imageSize = "image_size"
        case patchSize = "patch_size"
        case activation = "hidden_act"
        case layerNormEpsilon = "layer_norm_eps"
        case projectionDim = "projection_dim"
        case hasPoolingHead = "vision_use_head"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        try self.init(keys, defaultsOf: keys.choice(.modelType, default: Kind.clip))
    }

    /// As `init(from:)`, for a model whose towers are of one kind, whatever name theirs has.
    init(from decoder: any Decoder, kind: Kind) throws {
        try self.init(decoder.container(keyedBy: CodingKeys.self), defaultsOf: kind)
    }

    private init(_ keys: KeyedDecodingContainer<CodingKeys>, defaultsOf kind: Kind) throws {
        self.init(defaultsOf: kind)
        hiddenSize = try keys.size(.hiddenSize, default: hiddenSize)
        intermediateSize = try keys.size(.intermediateSize, default: intermediateSize)
        layerCount = try keys.size(.layerCount, default: layerCount)
        headCount = try keys.heads(.headCount, default: headCount, of: hiddenSize)
        channelCount = try keys.size(.channelCount, default: channelCount)
        guard channelCount == 3 else { throw keys.refusal(.channelCount, "only 3 channels are supported") }
        imageSize = try keys.size(.imageSize, default: imageSize)
        patchSize = try keys.size(.patchSize, default: patchSize)
        guard patchSize <= imageSize else {
            throw keys.refusal(.patchSize, "\(patchSize) is larger than the image of \(imageSize) pixels")
        }
        activation = try keys.choice(.activation, default: activation)
        layerNormEpsilon = try keys.positive(.layerNormEpsilon, default: layerNormEpsilon)
        projectionDim = try keys.size(.projectionDim, default: projectionDim)
        hasPoolingHead = try keys.value(.hasPoolingHead, default: hasPoolingHead)
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue, forKey: .modelType)
        try keys.encode(hiddenSize, forKey: .hiddenSize)
        try keys.encode(intermediateSize, forKey: .intermediateSize)
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(channelCount, forKey: .channelCount)
        try keys.encode(imageSize, forKey: .imageSize)
        try keys.encode(patchSize, forKey: .patchSize)
        try keys.encode(activation, forKey: .activation)
        try keys.encode(layerNormEpsilon, forKey: .layerNormEpsilon)
        if kind == .clip { try keys.encode(projectionDim, forKey: .projectionDim) }
        if kind == .siglip { try keys.encode(hasPoolingHead, forKey: .hasPoolingHead) }
    }
}
