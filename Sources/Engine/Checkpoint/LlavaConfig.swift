/// A LLaVA model: vision tower, projector and decoder. What a file omits has the value of the transformers class that its
/// `model_type` names.
package struct LlavaConfig: Codable, Equatable, Sendable {
    /// `model_type`
    package enum Kind: String, CaseIterable, Sendable {
        /// LLaVA-1.5: a picture is one tile.
        case llava
        /// LLaVA-NeXT: tiles, and a learned end of a row.
        case next = "llava_next"
        /// LLaVA-OneVision: the same with a bound on the rows.
        case oneVision = "llava_onevision"

        package var packsTiles: Bool { self != .llava }
    }

    /// `default` leaves the class token out, `full` keeps it.
    package enum FeatureSelection: String, Codable, CaseIterable, Sendable {
        case `default`
        case full
    }

    package enum ProjectorActivation: String, Codable, CaseIterable, Sendable { case gelu }

    /// `image_aspect_ratio` of LLaVA's own code: what becomes of a picture before the tower's preprocessing.
    package enum AspectRatio: String, CaseIterable, Sendable {
        /// Nothing.
        case square
        /// It is padded to a square.
        case pad
        /// It is cut into tiles.
        case anyres
        /// It is squeezed to the tower's square; VILA's only.
        case resize
    }

    /// `mm_projector_type`
    package enum Projector: String, CaseIterable, Sendable {
        case mlp = "mlp2x_gelu"
        /// VILA-1.5: four patches that share a corner become one row, normalized before the two layers.
        case downsampling = "mlp_downsample"
    }

    package var kind = Kind.llava
    package var text = LlamaConfig()
    package var vision = ClipVisionConfig.llavaDefault
    package var imageTokenID = 32000
    /// The hidden state that feeds the projector: 0 is the embedding, negative numbers count from the last
    /// layer.
    package var visionFeatureLayer = -2
    package var featureSelection = FeatureSelection.default
    package var projectorActivation = ProjectorActivation.gelu
    package var projectorBias = true
    package var projector = Projector.mlp
    package var padTokenID: Int?
    package var elementType: ElementType?

    /// `image_grid_pinpoints` as they stand, (height, width) each: the preprocessing's are read.
    package var gridPinpoints: [[Int]]?
    /// Of LLaVA-OneVision, "anyres_max_9": tiles' worth of rows above which a picture's are made fewer.
    package var mostTiles: Int?
    /// Carried.
    package var videoTokenID: Int?
    /// Of a checkpoint in the layout of LLaVA's own code; nil in transformers', whose preprocessing says it.
    package var aspectRatio: AspectRatio?

    /// What stands for a picture's rows where no token does: above all ids.
    static let outerImageToken = 1 << 24

    /// Whether the checkpoint is in the layout of LLaVA's own code: without a token for pictures, and with margins of tiles
    /// rounded as there.
    package var isOriginal: Bool { aspectRatio != nil }

    package init() {}

    package init(defaultsOf kind: Kind) {
        self.kind = kind
        guard kind == .oneVision else { return }
        text = LlamaConfig(defaultsOf: .qwen2)
        vision = .oneVisionDefault
        (imageTokenID, videoTokenID) = (151_646, 151_647)
        (visionFeatureLayer, featureSelection, mostTiles) = (-1, .full, 9)
    }

    /// Rows that one tile takes in the decoder, from the vision config: `image_seq_length` in a file is only a hint to
    /// transformers' processor, absent or stale in many checkpoints.
    package var tileRows: Int {
        switch projector {
        case .mlp: selectedRows
        case .downsampling: squaresPerSide * squaresPerSide
        }
    }

    /// Rows of the tower that the projector reads of one tile.
    package var selectedRows: Int {
        vision.patchCount + vision.classCount - (featureSelection == .default ? 1 : 0)
    }

    /// Squares of 2 × 2 patches, the last of an odd side half empty.
    package var squaresPerSide: Int { (vision.patchesPerSide + 1) / 2 }

    /// Rows that a picture of one tile takes: those of the tile, and the end of a row.
    package var imageTokenCount: Int { tileRows + (kind.packsTiles ? 1 : 0) }

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
        case gridPinpoints = "image_grid_pinpoints"
        case aspectRatio = "vision_aspect_ratio"
        case videoTokenIndex = "video_token_index"
        case videoTokenID = "video_token_id"
    }

    package init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        self.init(defaultsOf: try keys.choice(.modelType, default: Kind.llava))
        text = try keys.value(.text, default: text)
        vision = try keys.value(.vision, default: vision)
        guard vision.kind == .clip || vision.kind == .siglip else {
            throw keys.refusal(.vision, "the tower \"\(vision.kind.rawValue)\" is none of a LLaVA's")
        }
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
        gridPinpoints = try keys.decodeIfPresent([[Int]].self, forKey: .gridPinpoints)
        if kind == .oneVision { try readOneVision(keys) }
        guard !kind.packsTiles || tileRows == vision.patchCount else {
            throw keys.refusal(
                .featureSelection,
                "\"\(featureSelection.rawValue)\" leaves \(tileRows) rows of a tile's \(vision.patchCount) patches"
            )
        }
        elementType = try StoredElementType(from: decoder).elementType
    }

    private mutating func readOneVision(_ keys: KeyedDecodingContainer<CodingKeys>) throws {
        videoTokenID =
            try keys.integer(.videoTokenIndex) ?? keys.integer(.videoTokenID) ?? videoTokenID
        let ratio = try keys.value(.aspectRatio, default: "anyres_max_9")
        guard let match = ratio.wholeMatch(of: /anyres_max_([1-9]\d?)/), let most = Int(match.output.1) else {
            throw keys.refusal(
                .aspectRatio, "\"\(ratio)\" is not supported, only \"anyres_max_\" with a number")
        }
        mostTiles = most
    }

    private static func layer(
        _ keys: KeyedDecodingContainer<CodingKeys>, default fallback: Int, of vision: ClipVisionConfig
    ) throws -> Int {
        let layer: Int
        if let list = try? keys.decodeIfPresent([Int].self, forKey: .visionFeatureLayer) {
            guard list.count == 1 else {
                throw keys.refusal(
                    .visionFeatureLayer, "a list of \(list.count) layers is not supported, only one layer")
            }
            layer = list[0]
        } else {
            layer = try keys.integer(.visionFeatureLayer) ?? fallback
        }
        guard (-vision.layerCount - 1...vision.layerCount).contains(layer) else {
            throw keys.refusal(
                .visionFeatureLayer,
                "\(layer) is outside the tower's \(vision.layerCount) layers")
        }
        return layer
    }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode(kind.rawValue, forKey: .modelType)
        try keys.encode(text, forKey: .text)
        try keys.encode(vision, forKey: .vision)
        try keys.encode(imageTokenID, forKey: .imageTokenIndex)
        if kind != .oneVision { try keys.encode(tileRows, forKey: .imageTokenCount) }
        try keys.encode(visionFeatureLayer, forKey: .visionFeatureLayer)
        try keys.encode(featureSelection, forKey: .featureSelection)
        try keys.encode(projectorActivation, forKey: .projectorActivation)
        try keys.encode(projectorBias, forKey: .projectorBias)
        try keys.encode(text.tieWordEmbeddings, forKey: .tieWordEmbeddings)
        try keys.encodeIfPresent(padTokenID, forKey: .padTokenID)
        try keys.encodeIfPresent(gridPinpoints, forKey: .gridPinpoints)
        try keys.encodeIfPresent(videoTokenID, forKey: .videoTokenIndex)
        try keys.encodeIfPresent(mostTiles.map { "anyres_max_\($0)" }, forKey: .aspectRatio)
        try StoredElementType(elementType: elementType).encode(to: encoder)
    }
}
