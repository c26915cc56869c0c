import Foundation

/// config.json of a LLaVA as LLaVA's own code writes it (haotian-liu/LLaVA, `llava/model`): the decoder's keys on top, and
/// beside them how it sees. The tower's shape and preprocessing lie in the tower's own folder.
struct OriginalLlavaConfig: Decodable {
    /// `model_type`; the first is that of the oldest.
    enum Kind: String, CaseIterable {
        case llava
        case llama = "llava_llama"
        case mistral = "llava_mistral"
        case qwen2 = "llava_qwen"

        var decoder: LlamaConfig.Kind {
            switch self {
            case .llava, .llama: .llama
            case .mistral: .mistral
            case .qwen2: .qwen2
            }
        }
    }

    /// `mm_vision_select_feature`: without the class token, or with it.
    enum Feature: String, CaseIterable {
        case patch
        case withClass = "cls_patch"
    }

    let text: LlamaConfig
    /// `mm_vision_tower`: a name of the Hugging Face hub, or a path.
    let tower: String
    let towerWidth: Int?
    let layer: Int
    let feature: Feature
    let aspectRatio: LlavaConfig.AspectRatio
    /// (width, height) each.
    let pinpoints: [[Int]]?

    /// That of a VILA, whose tower has a folder beside.
    init(
        text: LlamaConfig, towerWidth: Int?, layer: Int, feature: Feature,
        aspectRatio: LlavaConfig.AspectRatio
    ) {
        (self.text, self.tower, self.towerWidth) = (text, TowerFolder.name, towerWidth)
        (self.layer, self.feature, self.aspectRatio, pinpoints) = (layer, feature, aspectRatio, nil)
    }

    enum CodingKeys: String, CodingKey {
        case modelType = "model_type"
        case tower = "mm_vision_tower"
        case towerWidth = "mm_hidden_size"
        case projector = "mm_projector_type"
        case layer = "mm_vision_select_layer"
        case feature = "mm_vision_select_feature"
        case aspectRatio = "image_aspect_ratio"
        case pinpoints = "image_grid_pinpoints"
        case merging = "mm_patch_merge_type"
        case marksPictures = "mm_use_im_start_end"
        case hasScales = "s2"
        case resampler = "mm_resampler_type"
    }

    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        text = try LlamaConfig(from: decoder, kind: keys.choice(.modelType, default: Kind.llama).decoder)
        tower = try keys.decode(String.self, forKey: .tower)
        towerWidth = try keys.integer(.towerWidth)
        layer = try keys.integer(.layer) ?? -2
        feature = try keys.choice(.feature, default: .patch)
        aspectRatio = try keys.choice(.aspectRatio, default: .square)
        guard aspectRatio != .resize else {
            throw keys.refusal(.aspectRatio, "\"resize\" is not supported, only in VILA's layout")
        }
        pinpoints = try aspectRatio == .anyres ? keys.decodeIfPresent([[Int]].self, forKey: .pinpoints) : nil
        try Self.refuseWhatIsNotComputed(keys)
        if aspectRatio == .anyres { try checkTiles(keys) }
    }

    private static func refuseWhatIsNotComputed(_ keys: KeyedDecodingContainer<CodingKeys>) throws {
        let projector = try keys.value(.projector, default: "linear")
        guard projector == "mlp2x_gelu" else {
            throw keys.refusal(.projector, "\"\(projector)\" is not supported, only \"mlp2x_gelu\"")
        }
        for key in [CodingKeys.marksPictures, .hasScales] where try keys.value(key, default: false) {
            throw keys.refusal(key, "true is not supported, only false")
        }
        if let resampler = try keys.decodeIfPresent(String.self, forKey: .resampler) {
            throw keys.refusal(.resampler, "\"\(resampler)\" is not supported, only none")
        }
    }

    private func checkTiles(_ keys: KeyedDecodingContainer<CodingKeys>) throws {
        let merging = try keys.value(.merging, default: "flat")
        guard merging == "spatial_unpad" else {
            throw keys.refusal(
                .merging, "\"\(merging)\" is not supported for tiles, only \"spatial_unpad\"")
        }
        guard let pinpoints, !pinpoints.isEmpty, pinpoints.allSatisfy({ $0.count == 2 }) else {
            throw keys.refusal(.pinpoints, "tiles need pairs of width and height")
        }
    }

    /// nil for another layout, and for what is no configuration at all: `ModelConfig` says that.
    static func read(_ data: Data, path: String) throws -> OriginalLlavaConfig? {
        guard let sign = try? JSONDecoder().decode(Sign.self, from: data), sign.isOriginal else {
            return nil
        }
        return try ConfigDocument.decode(OriginalLlavaConfig.self, from: data, path: path)
    }

    private struct Sign: Decodable {
        let modelType: String
        let tower: String?
        let text: Presence?
        /// VILA's.
        let parts: Presence?

        struct Presence: Decodable { init(from decoder: any Decoder) {} }

        enum CodingKeys: String, CodingKey {
            case modelType = "model_type"
            case tower = "mm_vision_tower"
            case text = "text_config"
            case parts = "llm_cfg"
        }

        var isOriginal: Bool {
            text == nil && parts == nil
                && (tower != nil || modelType != "llava" && Kind(rawValue: modelType) != nil)
        }
    }

    // MARK: - The tower

    /// Where the tower lies, if it does: `vision_tower` beside config.json, else where `mm_vision_tower` leads from there.
    func towerFolder(in directory: URL) -> URL? {
        let named =
            tower.hasPrefix("/") ? URL(fileURLWithPath: tower) : directory.appendingPathComponent(tower)
        return [directory.appendingPathComponent(TowerFolder.name), named].first {
            $0.standardizedFileURL != directory.standardizedFileURL
                && FileManager.default.fileExists(atPath: $0.appendingPathComponent("config.json").path)
        }
    }

    /// The weights of a tower that is nowhere.
    func missingTower(in directory: URL) -> CheckpointError {
        CheckpointError(
            "\(directory.appendingPathComponent("config.json").path): key \(CodingKeys.tower.rawValue)",
            "the vision tower \"\(tower)\" is not among the weights, nor is there a folder of that name",
            "put the tower, in transformers' layout, into \(directory.appendingPathComponent(TowerFolder.name).path)"
        )
    }

    /// The shape of the CLIPs that LLaVAs were published with; theirs come with the tower inside or none at all.
    private var publishedTower: ClipVisionConfig? {
        var config = ClipVisionConfig.llavaDefault
        switch tower.split(separator: "/").last {
        case "clip-vit-large-patch14-336": return config
        case "clip-vit-large-patch14":
            config.imageSize = 224
            return config
        default: return nil
        }
    }

    // MARK: - As transformers describes it

    /// - Parameters:
    ///   - shape: of the tower, where its folder tells it.
    ///   - path: names config.json in errors.
    /// - Throws: `CheckpointError` for a tower that isn't known, or isn't that of the checkpoint.
    func llava(tower shape: ClipVisionConfig?, path: String) throws -> LlavaConfig {
        func refusal(_ key: CodingKeys, _ finding: String, _ remedy: String) -> CheckpointError {
            CheckpointError("\(path): key \(key.rawValue)", finding, remedy)
        }
        guard let vision = shape ?? publishedTower else {
            throw refusal(
                .tower, "the shape of the vision tower \"\(tower)\" isn't known",
                "put the tower's config.json into a folder \(TowerFolder.name) beside this one")
        }
        let other = "give the tower that this checkpoint was trained on"
        if let towerWidth, towerWidth != vision.hiddenSize {
            throw refusal(
                .towerWidth, "\(towerWidth) is not the width of the vision tower, \(vision.hiddenSize)",
                other)
        }
        guard (-vision.layerCount - 1...vision.layerCount).contains(layer) else {
            throw refusal(.layer, "\(layer) is outside the tower's \(vision.layerCount) layers", other)
        }
        // LLaVA's code leaves out the first row whether or not it is a class token.
        guard feature == .withClass || vision.classCount == 1 else {
            throw refusal(
                .feature, "\"patch\" would leave out a patch of a tower that has no class token",
                "set it to \"cls_patch\" if the checkpoint was trained on all patches")
        }
        var config = LlavaConfig(defaultsOf: aspectRatio == .anyres ? .next : .llava)
        (config.text, config.vision, config.aspectRatio) = (text, vision, aspectRatio)
        config.imageTokenID = LlavaConfig.outerImageToken
        config.visionFeatureLayer = layer
        config.featureSelection = feature == .patch ? .default : .full
        config.gridPinpoints = pinpoints?.map { [$0[1], $0[0]] }
        (config.padTokenID, config.elementType) = (text.padTokenID, text.elementType)
        guard !config.kind.packsTiles || config.tileRows == vision.patchCount else {
            throw refusal(
                .feature,
                "\"cls_patch\" leaves \(config.tileRows) rows of a tile's \(vision.patchCount) patches",
                "use another checkpoint")
        }
        return config
    }
}
