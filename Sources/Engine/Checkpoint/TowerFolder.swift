import Files
import Foundation
import JSON

/// A vision tower in a folder of its own, as LLaVA's own code takes it from: a CLIP or SigLIP in transformers' layout, whole
/// or its tower alone.
package struct TowerFolder: Sendable {
    /// Where one is looked for beside a LLaVA's config.json.
    static let name = "vision_tower"

    package let url: URL
    let shape: ClipVisionConfig

    /// - Throws: `CheckpointError` where config.json is of something else.
    init(_ url: URL) throws {
        self.url = url
        let path = url.appendingPathComponent("config.json").path
        let data = try ConfigDocument.data(of: url.appendingPathComponent("config.json"))
        switch try ConfigDocument.decode(Header.self, from: data, path: path).modelType {
        case "clip": shape = try ConfigDocument.decode(ClipConfig.self, from: data, path: path).vision
        case "siglip": shape = try ConfigDocument.decode(SiglipConfig.self, from: data, path: path).vision
        case let type:
            shape = try ConfigDocument.decode(ClipVisionConfig.self, from: data, path: path)
            guard shape.kind == .clip || shape.kind == .siglip else {
                throw CheckpointError(
                    "\(path): key model_type", "the tower \"\(type)\" is none of a LLaVA's",
                    "give a CLIP or SigLIP")
            }
        }
    }

    private struct Header: Decodable {
        let modelType: String
        enum CodingKeys: String, CodingKey { case modelType = "model_type" }
    }

    /// The names that the tensors of `files` have in a LLaVA; nil for those of a text tower and what lies beside.
    func naming(_ files: [SafetensorsFile]) -> (_ stored: String) -> String? {
        let inner = "vision_model."
        let isPart = files.contains { $0.names.contains { $0.hasPrefix(inner) } }
        return { stored in
            if isPart { return stored.hasPrefix(inner) ? TensorNames.tower + stored : nil }
            return TensorNames.tower + inner + stored
        }
    }
}

extension CheckpointDirectory {
    /// Writes config.json of a LLaVA in the layout of its own code again, for weights of `type` that include the tower, and
    /// the tower's shape and preprocessing in a folder of their own.
    ///
    /// - Throws: `CheckpointError`, `FileError`.
    package func writeOriginalConfig(to folder: URL, as type: ElementType) throws {
        let file = folder.appendingPathComponent("config.json")
        var document = try ConfigDocument.object(configData, path: file.path)
        document.setElementType(type)
        // LLaVA's code then reads the tower's weights from here.
        document.set("unfreeze_mm_vision_tower", .bool(true))
        try AtomicFile.write(document.text + "\n", to: file.path)
        guard let tower else { return }
        let place = folder.appendingPathComponent(TowerFolder.name)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for name in ["config.json", "preprocessor_config.json", "processor_config.json"] {
            let from = tower.url.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: from.path) else { continue }
            try AtomicFile.write(try Data(contentsOf: from), to: place.appendingPathComponent(name).path)
        }
    }
}
