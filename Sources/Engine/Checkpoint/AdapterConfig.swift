/// adapter_config.json of PEFT, as far as plain LoRA on linear layers goes.
///
/// Written are the keys of PEFT 0.10, which every later version reads.
struct AdapterConfig: Codable {
    let rank: Int
    let alpha: Double
    let usesRSLoRA: Bool
    let baseModelName: String?
    /// nil where the config names none. Written are full names: a bare `q_proj` would also match the vision tower's.
    let targets: AdapterTargets?

    init(rank: Int, alpha: Double, usesRSLoRA: Bool, baseModelName: String?, targetModules: [String]) {
        self.rank = rank
        self.alpha = alpha
        self.usesRSLoRA = usesRSLoRA
        self.baseModelName = baseModelName
        targets = AdapterTargets(names: .listed(targetModules))
    }

    enum CodingKeys: String, CodingKey, CaseIterable {
        case peftType = "peft_type"
        case taskType = "task_type"
        case rank = "r"
        case alpha = "lora_alpha"
        case dropout = "lora_dropout"
        case bias
        case fanInFanOut = "fan_in_fan_out"
        case targetModules = "target_modules"
        case excludedModules = "exclude_modules"
        case baseModelName = "base_model_name_or_path"
        case inferenceMode = "inference_mode"
        case initialisesWeights = "init_lora_weights"
        case usesRSLoRA = "use_rslora"
        case usesDoRA = "use_dora"
        case loraBias = "lora_bias"
        case rankPattern = "rank_pattern"
        case alphaPattern = "alpha_pattern"
        case modulesToSave = "modules_to_save"
        case layersToTransform = "layers_to_transform"
        case layersPattern = "layers_pattern"
        case layerReplication = "layer_replication"
        case targetParameters = "target_parameters"
        case trainableTokens = "trainable_token_indices"
        case revision
    }

    init(from decoder: any Decoder) throws {
        let keys = try decoder.container(keyedBy: CodingKeys.self)
        let type = try keys.decode(String.self, forKey: .peftType)
        guard type == "LORA" else {
            throw keys.refusal(.peftType, "\"\(type)\" is not supported, only \"LORA\"")
        }
        rank = try keys.size(.rank, default: 8)
        alpha = try keys.value(.alpha, default: 8)
        guard alpha.isFinite else { throw keys.refusal(.alpha, "\(alpha) is not finite") }
        usesRSLoRA = try keys.value(.usesRSLoRA, default: false)
        baseModelName = try keys.decodeIfPresent(String.self, forKey: .baseModelName)
        var targets = try keys.moduleNames(.targetModules).map { AdapterTargets(names: $0) }
        targets?.excluded = try keys.moduleNames(.excludedModules)
        targets?.layers = try keys.layers(.layersToTransform)
        self.targets = targets
        let bias = try keys.value(.bias, default: "none")
        guard bias == "none" else { throw keys.refusal(.bias, "\"\(bias)\" is not supported, only \"none\"") }
        for key in [CodingKeys.fanInFanOut, .usesDoRA, .loraBias] where try keys.value(key, default: false) {
            throw keys.refusal(key, "true is not supported, only false")
        }
        for key in [CodingKeys.rankPattern, .alphaPattern]
        where try !keys.value(key, default: [String: Double]()).isEmpty {
            throw keys.refusal(key, "values per module are not supported, only an empty object")
        }
        for key in [CodingKeys.modulesToSave, .layerReplication, .targetParameters, .trainableTokens]
        where keys.contains(key) {
            guard try keys.decodeNil(forKey: key) else {
                throw keys.refusal(key, "it is not supported, only null")
            }
        }
    }

    func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode("LORA", forKey: .peftType)
        try keys.encode("CAUSAL_LM", forKey: .taskType)
        try keys.encode(rank, forKey: .rank)
        try keys.encode(alpha, forKey: .alpha)
        try keys.encode(0.0, forKey: .dropout)
        try keys.encode("none", forKey: .bias)
        try keys.encode(false, forKey: .fanInFanOut)
        if case .listed(let names)? = targets?.names { try keys.encode(names, forKey: .targetModules) }
        try keys.encode(baseModelName, forKey: .baseModelName)
        try keys.encode(true, forKey: .inferenceMode)
        try keys.encode(true, forKey: .initialisesWeights)
        try keys.encode(usesRSLoRA, forKey: .usesRSLoRA)
        try keys.encode(false, forKey: .usesDoRA)
        try keys.encode([String: Int](), forKey: .rankPattern)
        try keys.encode([String: Int](), forKey: .alphaPattern)
        for key in [CodingKeys.modulesToSave, .layersToTransform, .layersPattern, .revision] {
            try keys.encodeNil(forKey: key)
        }
    }
}

extension KeyedDecodingContainer<AdapterConfig.CodingKeys> {
    fileprivate func moduleNames(_ key: Key) throws -> AdapterTargets.Names? {
        if try !contains(key) || decodeNil(forKey: key) { return nil }
        guard let text = try? decode(String.self, forKey: key) else {
            return .listed(try decode([String].self, forKey: key))
        }
        if text == "all-linear" { return .allLinear }
        do { _ = try Regex(text) } catch {
            throw refusal(key, "\"\(text)\" can't be read as a pattern")
        }
        return .pattern(text)
    }

    /// One number or several.
    fileprivate func layers(_ key: Key) throws -> [Int]? {
        if try !contains(key) || decodeNil(forKey: key) { return nil }
        if let one = try? decode(Int.self, forKey: key) { return [one] }
        return try decode([Int].self, forKey: key)
    }
}
