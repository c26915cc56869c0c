import Files
import Foundation
import JSON

/// A VILA-1.5 (NVlabs/VILA, branch vila1.5): config.json says how it sees; decoder, tower and projector have folders of
/// their own, written by `save_pretrained` of `llava/model/llava_arch.py`.
package struct VilaFolders: Sendable {
    /// The decoder's, which has the tokenizer too.
    package let language: URL
    let projector: URL
    let tower: TowerFolder
    let config: LlavaConfig

    /// By their folders' names.
    package enum Part: String, CaseIterable {
        case language = "llm"
        case tower = "vision_tower"
        case projector = "mm_projector"
    }

    /// nil for another layout.
    ///
    /// - Throws: `CheckpointError` for a folder that is missing or doesn't fit, and for what isn't computed.
    init?(_ data: Data, in url: URL) throws {
        guard Self.isSigned(data) else { return nil }
        let path = url.appendingPathComponent("config.json").path
        let top = try ConfigDocument.decode(Top.self, from: data, path: path)
        func folder(_ name: String) throws -> URL {
            let part = url.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: part.appendingPathComponent("config.json").path)
            else {
                throw CheckpointError(
                    path, "its folder \(name) is missing, or has no config.json", "fetch the whole VILA")
            }
            return part
        }
        language = try folder(Part.language.rawValue)
        projector = try folder(Part.projector.rawValue)
        tower = try TowerFolder(folder(TowerFolder.name))
        func part<Part: Decodable>(_ folder: URL) throws -> Part {
            let file = folder.appendingPathComponent("config.json")
            return try ConfigDocument.decode(Part.self, from: ConfigDocument.data(of: file), path: file.path)
        }
        let text: LlamaConfig = try part(language)
        if let width = top.width, width != text.hiddenSize {
            throw CheckpointError(
                "\(path): key hidden_size", "\(width) is not the width of the decoder, \(text.hiddenSize)",
                "give the decoder that this checkpoint was trained with")
        }
        let kind: ProjectorKind = try part(projector)
        var config = try OriginalLlavaConfig(
            text: text, towerWidth: top.towerWidth, layer: top.layer, feature: top.feature,
            aspectRatio: top.aspectRatio
        ).llava(tower: tower.shape, path: path)
        config.projector = kind.projector
        guard config.projector == .mlp || config.selectedRows == config.vision.patchCount else {
            throw CheckpointError(
                "\(path): key mm_vision_select_feature",
                "\"mlp_downsample\" needs the tower's \(config.vision.patchCount) patches, not \(config.selectedRows) rows",
                "set it to what the checkpoint was trained on")
        }
        self.config = config
    }

    /// The folder of the decoder and its tokenizer, where `url` is a VILA.
    package static func language(of url: URL) -> URL? {
        let config = try? ConfigDocument.data(of: url.appendingPathComponent("config.json"))
        guard let config, isSigned(config) else { return nil }
        return url.appendingPathComponent(Part.language.rawValue)
    }

    private static func isSigned(_ config: Data) -> Bool {
        (try? JSONDecoder().decode(Sign.self, from: config)) != nil
    }

    private struct Sign: Decodable {
        let parts: Presence
        struct Presence: Decodable { init(from decoder: any Decoder) {} }
        enum CodingKeys: String, CodingKey { case parts = "llm_cfg" }
    }

    private struct Top: Decodable {
        let width: Int?
        let towerWidth: Int?
        let layer: Int
        let feature: OriginalLlavaConfig.Feature
        let aspectRatio: LlavaConfig.AspectRatio

        enum CodingKeys: String, CodingKey {
            case width = "hidden_size"
            case towerWidth = "mm_hidden_size"
            case layer = "mm_vision_select_layer"
            case feature = "mm_vision_select_feature"
            case aspectRatio = "image_aspect_ratio"
            case hasScales = "s2"
            case marksPictures = "mm_use_im_start_end"
            case encoder = "image_encoder"
        }

        init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            for key in [CodingKeys.hasScales, .marksPictures] where try keys.value(key, default: false) {
                throw keys.refusal(key, "true is not supported, only false")
            }
            // Its joined patches go across, not down, and it ends each picture with a line break.
            guard !keys.contains(.encoder) else {
                throw keys.refusal(.encoder, "a model of NVILA's code is not supported, only VILA-1.5")
            }
            width = try keys.integer(.width)
            towerWidth = try keys.integer(.towerWidth)
            layer = try keys.integer(.layer) ?? -2
            feature = try keys.choice(.feature, default: .patch)
            aspectRatio = try keys.choice(.aspectRatio, default: .square)
            guard aspectRatio != .anyres else {
                throw keys.refusal(.aspectRatio, "\"anyres\" is not supported in VILA's layout")
            }
        }
    }

    private struct ProjectorKind: Decodable {
        let projector: LlavaConfig.Projector
        enum CodingKeys: String, CodingKey { case kind = "mm_projector_type" }

        init(from decoder: any Decoder) throws {
            let keys = try decoder.container(keyedBy: CodingKeys.self)
            _ = try keys.decode(String.self, forKey: .kind)
            projector = try keys.choice(.kind, default: .mlp)
        }
    }

    // MARK: - Names

    private var steps: [(stored: String, canonical: String)] {
        let prefix = "model.multi_modal_projector."
        return switch config.projector {
        case .mlp: [("layers.0.", prefix + "linear_1."), ("layers.2.", prefix + "linear_2.")]
        case .downsampling:
            [
                ("layers.1.", prefix + "norm."), ("layers.2.", prefix + "linear_1."),
                ("layers.4.", prefix + "linear_2."),
            ]
        }
    }

    package static func part(of name: String) -> Part {
        let name = TensorNames.canonical(name)
        if name.hasPrefix(TensorNames.tower) { return .tower }
        return name.hasPrefix("model.multi_modal_projector.") ? .projector : .language
    }

    /// The name in its part's file of what is canonically called so.
    package func stored(_ canonical: String) -> String {
        if let step = steps.first(where: { canonical.hasPrefix($0.canonical) }) {
            return step.stored + canonical.dropFirst(step.canonical.count)
        }
        return canonical.hasPrefix(TensorNames.tower)
            ? String(canonical.dropFirst(TensorNames.tower.count)) : TensorNames.original(canonical)
    }

    /// The name that a tensor of the projector's file has in a LLaVA.
    func canonicalOfProjector(_ stored: String) -> String? {
        steps.first { stored.hasPrefix($0.stored) }.map { $0.canonical + stored.dropFirst($0.stored.count) }
    }
}

extension CheckpointDirectory {
    /// Writes config.json of a VILA and of its parts again, for weights of `type`, and makes their folders.
    ///
    /// - Throws: `CheckpointError`, `FileError`.
    package func writeVilaConfigs(to folder: URL, as type: ElementType) throws {
        let place = folder.appendingPathComponent("config.json").path
        var top = try ConfigDocument.object(configData, path: place)
        // VILA's code takes this one, and carries what the parts say.
        top.set("model_dtype", .string("torch.\(type.torchName)"))
        for part in VilaFolders.Part.allCases {
            guard case .object(var copy)? = top["\(part.rawValue)_cfg"] else { continue }
            copy.setElementType(type)
            top.set("\(part.rawValue)_cfg", .object(copy))
        }
        try AtomicFile.write(top.text + "\n", to: place)
        for part in VilaFolders.Part.allCases {
            let (from, to) = (
                url.appendingPathComponent(part.rawValue), folder.appendingPathComponent(part.rawValue)
            )
            try FileManager.default.createDirectory(at: to, withIntermediateDirectories: true)
            let own = from.appendingPathComponent("config.json")
            var config = try ConfigDocument.object(ConfigDocument.data(of: own), path: own.path)
            config.setElementType(type)
            try AtomicFile.write(config.text + "\n", to: to.appendingPathComponent("config.json").path)
            for name in ["preprocessor_config.json", "processor_config.json"] {
                let file = from.appendingPathComponent(name)
                guard FileManager.default.fileExists(atPath: file.path) else { continue }
                try AtomicFile.write(try Data(contentsOf: file), to: to.appendingPathComponent(name).path)
            }
        }
    }
}
