import Foundation

/// What config.json describes, by its `model_type`.
package enum ModelConfig: Equatable, Sendable {
    case llama(LlamaConfig)
    case clip(ClipConfig)
    case siglip(SiglipConfig)
    case llava(LlavaConfig)
    case smolVLM(SmolVLMConfig)
    case qwen2VL(Qwen2VLConfig)

    /// - Parameters:
    ///   - data: the bytes of a config.json.
    ///   - path: names the file in errors.
    ///   - tower: the shape of its tower, which a LLaVA in the layout of its own code has elsewhere.
    /// - Throws: `CheckpointError` naming file and key for an unknown `model_type`, a key of the wrong
    ///   type, and
    ///   a model that this package does not compute.
    package init(_ data: Data, path: String, tower: ClipVisionConfig? = nil) throws {
        if let original = try OriginalLlavaConfig.read(data, path: path) {
            self = .llava(try original.llava(tower: tower, path: path))
            return
        }
        let header = try ConfigDocument.decode(Header.self, from: data, path: path)
        switch header.modelType {
        case "llama": self = .llama(try ConfigDocument.decode(LlamaConfig.self, from: data, path: path))
        case "clip": self = .clip(try ConfigDocument.decode(ClipConfig.self, from: data, path: path))
        case "siglip", "siglip2":
            self = .siglip(try ConfigDocument.decode(SiglipConfig.self, from: data, path: path))
        case "llava", "llava_next", "llava_onevision":
            self = .llava(try ConfigDocument.decode(LlavaConfig.self, from: data, path: path))
        case "idefics3", "smolvlm":
            self = .smolVLM(try ConfigDocument.decode(SmolVLMConfig.self, from: data, path: path))
        case "qwen2_vl", "qwen2_5_vl":
            self = .qwen2VL(try ConfigDocument.decode(Qwen2VLConfig.self, from: data, path: path))
        default:
            throw CheckpointError(
                "\(path): key model_type", "\"\(header.modelType)\" is not supported", Self.remedy)
        }
    }

    /// Families that are aligned, by their `model_type`.
    private static let seeing = [
        "llava", "llava_next", "llava_onevision", "idefics3", "smolvlm", "qwen2_vl", "qwen2_5_vl",
    ]

    private static let remedy =
        "align a \(seeing.dropLast().joined(separator: ", ")) or \(seeing.last!) checkpoint in Hugging Face layout, "
        + "with a clip, siglip or siglip2 one for relevance"

    private struct Header: Codable {
        let modelType: String
        enum CodingKeys: String, CodingKey { case modelType = "model_type" }
    }

    /// The class that transformers builds from this config.
    package var architecture: String {
        switch self {
        case .llama(let config):
            switch config.kind {
            case .llama: "LlamaForCausalLM"
            case .mistral: "MistralForCausalLM"
            case .qwen2: "Qwen2ForCausalLM"
            case .phi3: "Phi3ForCausalLM"
            case .qwen2VL: "Qwen2VLTextModel"
            case .qwen25VL: "Qwen2_5_VLTextModel"
            }
        case .clip: "CLIPModel"
        case .siglip(let config): config.kind == .fixed ? "SiglipModel" : "Siglip2Model"
        case .llava(let config):
            switch config.kind {
            case .llava: "LlavaForConditionalGeneration"
            case .next: "LlavaNextForConditionalGeneration"
            case .oneVision: "LlavaOnevisionForConditionalGeneration"
            }
        case .smolVLM(let config):
            switch config.kind {
            case .idefics3: "Idefics3ForConditionalGeneration"
            case .smolvlm: "SmolVLMForConditionalGeneration"
            }
        case .qwen2VL(let config):
            switch config.kind {
            case .qwen2: "Qwen2VLForConditionalGeneration"
            case .qwen25: "Qwen2_5_VLForConditionalGeneration"
            }
        }
    }

    package var modelType: String {
        switch self {
        case .llama(let config): config.kind.rawValue
        case .clip: "clip"
        case .siglip(let config): config.kind.rawValue
        case .llava(let config): config.kind.rawValue
        case .smolVLM(let config): config.kind.rawValue
        case .qwen2VL(let config): config.kind.rawValue
        }
    }

    /// The LLaVA model, or an error that says what the directory holds instead.
    package func llava(path: String) throws -> LlavaConfig {
        guard case .llava(let config) = self else { throw blindness(path: path) }
        return config
    }

    /// The CLIP model, or an error that says what the directory holds instead.
    package func clip(path: String) throws -> ClipConfig {
        guard case .clip(let config) = self else {
            throw CheckpointError(
                "\(path): key model_type", "it is \"\(modelType)\" where \"clip\" is needed",
                "give a clip checkpoint")
        }
        return config
    }

    /// This is no model that answers questions about pictures.
    package func blindness(path: String) -> CheckpointError {
        let what =
            switch self {
            case .llama: "a language model alone, which sees no picture"
            default: "a model that scores pictures and sentences, and answers nothing"
            }
        return CheckpointError("\(path): key model_type", "\"\(modelType)\" is \(what)", Self.remedy)
    }

    /// How the weights are stored.
    package var elementType: ElementType? {
        get {
            switch self {
            case .llama(let config): config.elementType
            case .clip(let config): config.elementType
            case .siglip(let config): config.elementType
            case .llava(let config): config.elementType
            case .smolVLM(let config): config.elementType
            case .qwen2VL(let config): config.elementType
            }
        }
        set {
            switch self {
            case .llama(var config):
                config.elementType = newValue
                self = .llama(config)
            case .clip(var config):
                config.elementType = newValue
                self = .clip(config)
            case .siglip(var config):
                config.elementType = newValue
                self = .siglip(config)
            case .llava(var config):
                config.elementType = newValue
                self = .llava(config)
            case .smolVLM(var config):
                config.elementType = newValue
                self = .smolVLM(config)
            case .qwen2VL(var config):
                config.elementType = newValue
                self = .qwen2VL(config)
            }
        }
    }

    /// Writes a config.json that transformers' `from_pretrained` opens, atomically.
    package func write(to url: URL) throws { try ConfigDocument.write(self, to: url) }
}

extension ModelConfig: Encodable {
    private enum CodingKeys: String, CodingKey { case architectures }

    package func encode(to encoder: any Encoder) throws {
        var keys = encoder.container(keyedBy: CodingKeys.self)
        try keys.encode([architecture], forKey: .architectures)
        switch self {
        case .llama(let config): try config.encode(to: encoder)
        case .clip(let config): try config.encode(to: encoder)
        case .siglip(let config): try config.encode(to: encoder)
        case .llava(let config): try config.encode(to: encoder)
        case .smolVLM(let config): try config.encode(to: encoder)
        case .qwen2VL(let config): try config.encode(to: encoder)
        }
    }
}
