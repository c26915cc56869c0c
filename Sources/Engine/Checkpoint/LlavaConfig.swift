/// A LLaVA model: vision tower, projector and decoder. What a file omits has the value of transformers'
/// `LlavaConfig`.
package struct LlavaConfig: Codable, Equatable, Sendable {
    /// `default` leaves the class token out, `full` keeps it.
    package enum FeatureSelection: String, Codable, CaseIterable, Sendable {
        case `default`
        case full
    }

    package enum ProjectorActivation: String, Codable, CaseIterable, Sendable { case gelu }

    package var text = LlamaConfig()
    package var vision = ClipVisionConfig.llavaDefault
    package var imageTokenID = 32000
    /// The hidden state that feeds the projector: 0 is the embedding, negative numbers count from the last
    /// layer.
    package var visionFeatureLayer = -2
    package var featureSelection = FeatureSelection.default
    package var projectorActivation = ProjectorActivation.gelu
    package var projectorBias = true
    package var padTokenID: Int?
    package var elementType: ElementType?

    package init() {}

    /// Tokens that one image takes in the decoder, from the vision config: `image_seq_length` in a file is
    /// only a hint to transformers' processor, absent or stale in many checkpoints.
    package var imageTokenCount: Int { vision.patchCount + (featureSelection == .full ? 1 : 0) }

    /// How many of the tower's layers have to run to reach `visionFeatureLayer`.
    package var visionLayersNeeded: Int {
        visionFeatureLayer < 0 ? vision.layerCount + 1 + visionFeatureLayer : visionFeatureLayer
    }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case text = "text_config"
        case vision = "vision_config"
        case imageTokenIndex = "image_token_index"
        case imageTokenID = "image_token_id"
        case imageTokenCount = "image_seq_length"
        case visionFeatureLayer = "vision_feature_layer"
        case featureSelection = "vision_feature_select_strategy"
        case projectorActivation = "projector_hidden_act"
        case projectorBias = "multimodal_projector_bias"
        case tieWordEmbeddings = "tie_word_embeddings"
        case padTokenID = "pad_token_id"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        try keys.expectModelType("llava", .modelType)
        text = try keys.value(.text, default: text)
        vision = try keys.value(.vision, default: vision)
        // Newer files may say it on top only.
        if try keys.value(.tieWordEmbeddings, default: false) { text.tieWordEmbeddings = true }
        let index = try keys.integer(.imageTokenIndex)
        let identifier = try keys.integer(.imageTokenID)
        if let index, let identifier, index != identifier {
            throw keys.refusal(.imageTokenID, "\(identifier) contradicts image_token_index \(index)")
        }
        imageTokenID = index ?? identifier ?? imageTokenID
        guard (0..<1 << 24).contains(imageTokenID) else {
            throw keys.refusal(.imageTokenIndex, "\(imageTokenID) is not a token id")
        }
        visionFeatureLayer = try Self.layer(keys, default: visionFeatureLayer, of: vision)
        featureSelection = try keys.choice(.featureSelection, default: featureSelection)
        projectorActivation = try keys.choice(.projectorActivation, default: projectorActivation)
        projectorBias = try keys.value(.projectorBias, default: projectorBias)
        padTokenID = try keys.integer(.padTokenID)
        elementType = try StoredElementType(from: decoder).elementType
    }

    private static func layer(
        _ keys: KeyedDecodingContainer<CodingKeys>, default fallback: Int, of vision: ClipVisionConfig
    ) throws -> Int {
        if (try? keys.decodeIfPresent([Int].self, forKey: .visionFeatureLayer)) != nil {
            throw keys.refusal(.visionFeatureLayer, "a list of layers is not supported, only one layer")
        }
        let layer = try keys.integer(.visionFeatureLayer) ?? fallback
        guard (-vision.layerCount - 1...vision.layerCount).contains(layer) else {
            throw keys.refusal(
                .visionFeatureLayer,
                "\(layer) is outside the tower's \(vision.layerCount) layers")
        }
        return layer
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode("llava", forKey: .modelType)
        try keys.encode(text, forKey: .text)
        try keys.encode(vision, forKey: .vision)
        try keys.encode(imageTokenID, forKey: .imageTokenIndex)
        try keys.encode(imageTokenCount, forKey: .imageTokenCount)
        try keys.encode(visionFeatureLayer, forKey: .visionFeatureLayer)
        try keys.encode(featureSelection, forKey: .featureSelection)
        try keys.encode(projectorActivation, forKey: .projectorActivation)
        try keys.encode(projectorBias, forKey: .projectorBias)
        try keys.encode(text.tieWordEmbeddings, forKey: .tieWordEmbeddings)
        try keys.encodeIfPresent(padTokenID, forKey: .padTokenID)
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}
