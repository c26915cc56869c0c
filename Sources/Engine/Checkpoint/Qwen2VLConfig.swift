/// The tower of Qwen2-VL or Qwen2.5-VL. What a file omits has the value of transformers' `Qwen2VLVisionConfig` and
/// `Qwen2_5_VLVisionConfig`.
package struct Qwen2VLVisionConfig: Equatable, Sendable {
    package var kind: Qwen2VLConfig.Kind
    package var hiddenSize = 1280
    /// Width of the decoder.
    package var outputSize = 3584
    package var intermediateSize = 5120
    package var layerCount = 32
    package var headCount = 16
    package var patchSize = 14
    /// Patches a side that become one row of the decoder.
    package var mergeSize = 2
    /// Times that a still stands in a patch.
    package var frameCount = 2
    /// Side of a window in pixels (Qwen2.5-VL).
    package var windowSize = 112
    /// Layers that see the whole picture, the others windows; nil where all do (Qwen2-VL).
    package var wholeLayers: [Int]?

    package init(defaultsOf kind: Qwen2VLConfig.Kind) {
        self.kind = kind
        guard kind == .qwen25 else { return }
        (hiddenSize, intermediateSize, wholeLayers) = (3584, 3420, [7, 15, 23, 31])
    }

    /// Floats of a patch.
    package var patchInputs: Int { 3 * frameCount * patchSize * patchSize }
    /// Merged patches along a window's side.
    package var windowUnits: Int { windowSize / patchSize / mergeSize }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case embedDim = "embed_dim"
        case hiddenSize = "hidden_size"
        case outputSize = "out_hidden_size"
        case intermediateSize = "intermediate_size"
        case widening = "mlp_ratio"
        case layerCount = "depth"
        case headCount = "num_heads"
        case channelCount = "in_channels"
        case patchSize = "patch_size"
        case mergeSize = "spatial_merge_size"
        case frameCount = "temporal_patch_size"
        case windowSize = "window_size"
        case wholeLayers = "fullatt_block_indexes"
        case activation = "hidden_act"
    }

    init(from decoder: any Decoder, kind: Qwen2VLConfig.Kind) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(defaultsOf: kind)
        switch kind {
        case .qwen2:
            hiddenSize = try keys.size(.embedDim, default: hiddenSize)
            outputSize = try keys.size(.hiddenSize, default: outputSize)
            intermediateSize = hiddenSize * (try keys.size(.widening, default: 4))
        case .qwen25:
            hiddenSize = try keys.size(.hiddenSize, default: hiddenSize)
            outputSize = try keys.size(.outputSize, default: outputSize)
            intermediateSize = try keys.size(.intermediateSize, default: intermediateSize)
            windowSize = try keys.size(.windowSize, default: windowSize)
            wholeLayers = try keys.value(.wholeLayers, default: wholeLayers)
        }
        layerCount = try keys.size(.layerCount, default: layerCount)
        headCount = try keys.size(.headCount, default: headCount)
        guard hiddenSize % headCount == 0, hiddenSize / headCount % 4 == 0 else {
            throw keys.refusal(
                .headCount, "\(headCount) does not part the width \(hiddenSize) in heads of a multiple of 4")
        }
        guard try keys.size(.channelCount, default: 3) == 3 else {
            throw keys.refusal(.channelCount, "only 3 channels are supported")
        }
        patchSize = try keys.size(.patchSize, default: patchSize)
        mergeSize = try keys.size(.mergeSize, default: mergeSize)
        frameCount = try keys.size(.frameCount, default: frameCount)
        guard kind == .qwen2 || windowUnits > 0 else {
            throw keys.refusal(
                .windowSize, "\(windowSize) holds no patch of \(patchSize) merged by \(mergeSize)")
        }
        let activation = try keys.value(.activation, default: kind.activation)
        guard activation == kind.activation else {
            throw keys.refusal(
                .activation, "\"\(activation)\" is not supported here, only \"\(kind.activation)\"")
        }
    }

    func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue + "_vision", forKey: .modelType)
        switch kind {
        case .qwen2:
            try keys.encode(hiddenSize, forKey: .embedDim)
            try keys.encode(outputSize, forKey: .hiddenSize)
            try keys.encode(intermediateSize / hiddenSize, forKey: .widening)
        case .qwen25:
            try keys.encode(hiddenSize, forKey: .hiddenSize)
            try keys.encode(outputSize, forKey: .outputSize)
            try keys.encode(intermediateSize, forKey: .intermediateSize)
            try keys.encode(windowSize, forKey: .windowSize)
            try keys.encode(wholeLayers, forKey: .wholeLayers)
        }
        try keys.encode(layerCount, forKey: .layerCount)
        try keys.encode(headCount, forKey: .headCount)
        try keys.encode(3, forKey: .channelCount)
        try keys.encode(patchSize, forKey: .patchSize)
        try keys.encode(mergeSize, forKey: .mergeSize)
        try keys.encode(frameCount, forKey: .frameCount)
        try keys.encode(kind.activation, forKey: .activation)
    }
}

/// A Qwen2-VL or Qwen2.5-VL model. The hub's files have the decoder's keys on top, newer ones in `text_config`.
package struct Qwen2VLConfig: Codable, Equatable, Sendable {
    /// `model_type`
    package enum Kind: String, CaseIterable, Sendable {
        case qwen2 = "qwen2_vl"
        case qwen25 = "qwen2_5_vl"

        var decoder: LlamaConfig.Kind { self == .qwen2 ? .qwen2VL : .qwen25VL }
        var activation: String { self == .qwen2 ? "quick_gelu" : "silu" }
    }

    package var kind: Kind
    package var text: LlamaConfig
    package var vision: Qwen2VLVisionConfig
    package var imageTokenID = 151_655
    /// `video_token_id`, `vision_start_token_id` and `vision_end_token_id`: carried.
    package var otherTokenIDs = [151_656, 151_652, 151_653]
    package var elementType: ElementType?

    package init(defaultsOf kind: Kind) {
        self.kind = kind
        text = LlamaConfig(defaultsOf: kind.decoder)
        vision = Qwen2VLVisionConfig(defaultsOf: kind)
    }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case text = "text_config"
        case vision = "vision_config"
        case imageTokenID = "image_token_id"
        case videoTokenID = "video_token_id"
        case startTokenID = "vision_start_token_id"
        case endTokenID = "vision_end_token_id"
        case tieWordEmbeddings = "tie_word_embeddings"
    }

    private static let otherKeys = [CodingKeys.videoTokenID, .startTokenID, .endTokenID]

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        let kind = try keys.choice(.modelType, default: Kind.qwen2)
        self.init(defaultsOf: kind)
        let isNested = try keys.contains(.text) && !keys.decodeNil(forKey: .text)
        text = try LlamaConfig(
            from: isNested ? keys.superDecoder(forKey: .text) : decoder, kind: kind.decoder)
        if try keys.value(.tieWordEmbeddings, default: false) { text.tieWordEmbeddings = true }
        if keys.contains(.vision) {
            vision = try Qwen2VLVisionConfig(from: keys.superDecoder(forKey: .vision), kind: kind)
        }
        guard vision.outputSize == text.hiddenSize else {
            throw keys.refusal(
                .vision,
                "the tower gives rows of \(vision.outputSize), and the decoder has \(text.hiddenSize)")
        }
        imageTokenID = try keys.integer(.imageTokenID) ?? imageTokenID
        guard (0..<1 << 24).contains(imageTokenID) else {
            throw keys.refusal(.imageTokenID, "\(imageTokenID) is not a token id")
        }
        for (index, key) in Self.otherKeys.enumerated() {
            otherTokenIDs[index] = try keys.integer(key) ?? otherTokenIDs[index]
        }
        elementType = try StoredElementType(from: decoder).elementType
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue, forKey: .modelType)
        try keys.encode(text, forKey: .text)
        try vision.encode(to: keys.superEncoder(forKey: .vision))
        try keys.encode(imageTokenID, forKey: .imageTokenID)
        for (key, id) in zip(Self.otherKeys, otherTokenIDs) { try keys.encode(id, forKey: key) }
        try keys.encode(text.tieWordEmbeddings, forKey: .tieWordEmbeddings)
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}
