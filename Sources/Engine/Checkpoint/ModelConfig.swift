import Foundation

/// What config.json describes, by its `model_type`.
package enum ModelConfig: Equatable, Sendable {
    case llama(LlamaConfig)
    case clip(ClipConfig)
    case llava(LlavaConfig)

    /// - Parameters:
    ///   - data: the bytes of a config.json.
    ///   - path: names the file in errors.
    /// - Throws: `CheckpointError` naming file and key for an unknown `model_type`, a key of the wrong
    ///   type, and
    ///   a model that this package does not compute.
    package init(_ data: Data, path: String) throws {
        let header = try ConfigDocument.decode(Header.self, from: data, path: path)
        switch header.modelType {
        case "llama": self = .llama(try ConfigDocument.decode(LlamaConfig.self, from: data, path: path))
        case "clip": self = .clip(try ConfigDocument.decode(ClipConfig.self, from: data, path: path))
        case "llava": self = .llava(try ConfigDocument.decode(LlavaConfig.self, from: data, path: path))
        default:
            throw CheckpointError(
                "\(path): key model_type", "\"\(header.modelType)\" is not supported",
                "use a llama, clip or llava checkpoint in Hugging Face layout")
        }
    }

    private struct Header: Codable {
        let modelType: String
        enum CodingKeys: String, CodingKey { case modelType = "model_type" }
    }

    /// The class that transformers builds from this config.
    package var architecture: String {
        switch self {
        case .llama: "LlamaForCausalLM"
        case .clip: "CLIPModel"
        case .llava: "LlavaForConditionalGeneration"
        }
    }

    package var modelType: String {
        switch self {
        case .llama: "llama"
        case .clip: "clip"
        case .llava: "llava"
        }
    }

    /// The LLaVA model, or an error that says what the directory holds instead.
    package func llava(path: String) throws -> LlavaConfig {
        guard case .llava(let config) = self else { throw mismatch("llava", path: path) }
        return config
    }

    /// The CLIP model, or an error that says what the directory holds instead.
    package func clip(path: String) throws -> ClipConfig {
        guard case .clip(let config) = self else { throw mismatch("clip", path: path) }
        return config
    }

    private func mismatch(_ wanted: String, path: String) -> CheckpointError {
        CheckpointError(
            "\(path): key model_type", "it is \"\(modelType)\" where \"\(wanted)\" is needed",
            "give a \(wanted) checkpoint")
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
        case .llava(let config): try config.encode(to: encoder)
        }
    }
}
