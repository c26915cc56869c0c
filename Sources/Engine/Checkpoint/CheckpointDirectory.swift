import Files
import Foundation

/// A Hugging Face model directory: config.json and weights in one safetensors file or in shards.
///
/// Tensors answer to their names of transformers 4.52 and later (`model.language_model.layers.0.…`,
/// `lm_head.weight`), whichever spelling the files use; see `TensorNames`. Those of a LLaVA in the layout of its own code
/// that hasn't its tower inside include those of the tower's folder.
package struct CheckpointDirectory: Sendable {
    package let url: URL
    /// config.json as it stands.
    package let configData: Data
    /// Canonical names, in order of their UTF-8 bytes.
    package let names: [String]
    /// The mapped weight files, in order of their names; those of a tower that lies apart come last.
    package let files: [SafetensorsFile]
    /// The tower's folder of a LLaVA in the layout of its own code.
    package let tower: TowerFolder?
    /// Those of a VILA.
    package let vila: VilaFolders?
    /// Where tokenizer and template lie.
    package var language: URL { vila?.language ?? url }

    private let places: Places

    /// Maps the weights of the directory `url`; nothing is read yet but headers.
    ///
    /// - Throws: `CheckpointError` where config.json or a weight file is missing or damaged; missing shards
    ///   are listed together.
    package static func open(_ url: URL) throws -> CheckpointDirectory {
        try CheckpointDirectory(url)
    }

    private init(_ url: URL) throws {
        self.url = url
        var isDirectory: ObjCBool = false
        guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory),
            isDirectory.boolValue
        else {
            throw CheckpointError(
                url.path, "there is no such directory",
                "give the path of a model directory")
        }
        configData = try ConfigDocument.data(of: url.appendingPathComponent("config.json"))
        let original = try OriginalLlavaConfig.read(
            configData, path: url.appendingPathComponent("config.json").path)
        vila = try VilaFolders(configData, in: url)
        if let vila {
            tower = vila.tower
            let parts = try [vila.language, vila.projector, vila.tower.url].map(Self.weights)
            var places = try Self.merge(parts[0], TensorNames.canonical)
            places.merge(try Self.merge(parts[1], vila.canonicalOfProjector)) { first, _ in first }
            places.merge(try Self.merge(parts[2], vila.tower.naming(parts[2]))) { first, _ in first }
            (files, self.places) = (parts.flatMap { $0 }, places)
            names = places.keys.sorted(by: precedesByUTF8)
            return
        }
        var files = try Self.weights(in: url)
        var places = try Self.merge(files, TensorNames.canonical)
        tower = try original?.towerFolder(in: url).map(TowerFolder.init)
        if let original, !places.keys.contains(where: { $0.hasPrefix(TensorNames.tower) }) {
            guard let tower else { throw original.missingTower(in: url) }
            let own = try Self.weights(in: tower.url)
            places.merge(try Self.merge(own, tower.naming(own))) { first, _ in first }
            files += own
        }
        (self.files, self.places) = (files, places)
        names = places.keys.sorted(by: precedesByUTF8)
    }

    private static func weights(in url: URL) throws -> [SafetensorsFile] {
        let index = url.appendingPathComponent("model.safetensors.index.json")
        let single = url.appendingPathComponent("model.safetensors")
        if FileManager.default.fileExists(atPath: single.path) { return [try SafetensorsFile(single)] }
        if FileManager.default.fileExists(atPath: index.path) { return try ShardIndex(index).open() }
        throw CheckpointError(
            url.path, "it has neither model.safetensors nor model.safetensors.index.json",
            "fetch the weights, or convert a .bin checkpoint to safetensors")
    }

    private typealias Places = [String: (file: SafetensorsFile, storedName: String)]

    /// - Parameter naming: the canonical name of a stored one; nil for a tensor that is left out.
    private static func merge(
        _ files: [SafetensorsFile], _ naming: (_ stored: String) -> String?
    ) throws -> Places {
        var places: Places = [:]
        for file in files {
            for storedName in file.names {
                guard let name = naming(storedName) else { continue }
                if let other = places.updateValue((file, storedName), forKey: name) {
                    throw CheckpointError(
                        "\(file.path): tensor \(storedName)",
                        "\(other.file.path) holds the same weight as \(other.storedName)",
                        "keep one of the two")
                }
            }
        }
        return places
    }

    package func has(_ name: String) -> Bool { places[TensorNames.canonical(name)] != nil }

    /// - Throws: `CheckpointError` where no file has the tensor under any of its spellings.
    package func tensor(named name: String) throws -> TensorView {
        guard let place = places[TensorNames.canonical(name)] else {
            throw CheckpointError(
                url.path, "there is no tensor \(TensorNames.canonical(name)) among its \(names.count)",
                "check that config.json belongs to these weights")
        }
        return try place.file.tensor(named: place.storedName)
    }

    /// As `tensor(named:)`, with a shape that config.json promises.
    ///
    /// - Throws: `CheckpointError` where the tensor is missing or has another shape.
    package func tensor(named name: String, shape: [Int]) throws -> TensorView {
        let view = try tensor(named: name)
        guard view.shape == shape else {
            throw CheckpointError(
                "\(view.file.path): tensor \(view.name)",
                "its shape is \(view.shape), config.json asks for \(shape)",
                "check that config.json belongs to these weights")
        }
        return view
    }

    package func shape(of name: String) throws -> [Int] { try tensor(named: name).shape }

    /// Widens the tensor into `destination`, row-major.
    package func read(_ name: String, into destination: UnsafeMutableBufferPointer<Float>) throws {
        try tensor(named: name).read(into: destination)
    }

    /// All elements of the tensor as f32, row-major.
    package func floats(_ name: String) throws -> [Float] { try tensor(named: name).floats() }

    /// The model that config.json describes.
    package func config() throws -> ModelConfig {
        if let vila { return .llava(vila.config) }
        return try ModelConfig(
            configData, path: url.appendingPathComponent("config.json").path, tower: tower?.shape)
    }

    /// SHA-256 of config.json, the tower's where it has one, and the weight files: what an adapter names as its base.
    package func digest() throws -> String {
        let parts = (vila.map { [$0.language, $0.projector] } ?? []) + (tower.map { [$0.url] } ?? [])
        let configs = ([url] + parts).map {
            $0.appendingPathComponent("config.json")
        }
        return try ModelDigest.contentDigest(of: configs + files.map { URL(fileURLWithPath: $0.path) })
    }
}

/// `model.safetensors.index.json`: which shard holds which tensor.
private struct ShardIndex {
    private struct Document: Decodable {
        let weightMap: [String: String]
        enum CodingKeys: String, CodingKey { case weightMap = "weight_map" }
    }

    private let url: URL
    private let weightMap: [String: String]

    init(_ url: URL) throws {
        self.url = url
        weightMap = try ConfigDocument.decode(
            Document.self, from: ConfigDocument.data(of: url), path: url.path
        )
        .weightMap
    }

    /// Maps every shard and checks that it holds what the index says.
    func open() throws -> [SafetensorsFile] {
        let directory = url.deletingLastPathComponent()
        let shardNames = Set(weightMap.values).sorted(by: precedesByUTF8)
        for name in shardNames where name.isEmpty || name.contains("/") || name.hasPrefix(".") {
            throw CheckpointError(
                "\(url.path): key weight_map", "the shard \"\(name)\" is not a plain file name",
                "keep shards beside the index")
        }
        let missing = shardNames.filter {
            !FileManager.default.fileExists(atPath: directory.appendingPathComponent($0).path)
        }
        guard missing.isEmpty, !shardNames.isEmpty else {
            throw CheckpointError(
                url.path,
                shardNames.isEmpty
                    ? "it names no shards"
                    : "\(missing.count) of \(shardNames.count) shards are missing: "
                        + missing.joined(separator: ", "),
                "fetch them into the same directory")
        }
        let files = try shardNames.map { try SafetensorsFile(directory.appendingPathComponent($0)) }
        let fileOfShard = Dictionary(uniqueKeysWithValues: zip(shardNames, files))
        for (name, shard) in weightMap.sorted(by: { precedesByUTF8($0.key, $1.key) }) {
            guard let file = fileOfShard[shard], file.has(name) else {
                throw CheckpointError(
                    url.path, "it places \(name) in \(shard), which does not hold it",
                    "fetch the index and the shards from the same revision")
            }
        }
        return files
    }
}

extension CheckpointDirectory {
    /// Writes `model.safetensors.index.json`.
    ///
    /// - Parameter shards: the file of each tensor.
    package static func writeIndex(_ shards: [String: String], to folder: URL) throws {
        try ConfigDocument.write(
            ["weight_map": shards], to: folder.appendingPathComponent("model.safetensors.index.json"))
    }

    /// Copies what makes up a Hugging Face directory beside configuration and weights: tokenizer, template,
    /// preprocessing.
    package static func copyCompanions(from directory: URL, to folder: URL) throws {
        guard folder.standardizedFileURL != directory.standardizedFileURL else { return }
        let names = [
            "tokenizer.json", "tokenizer.model", "spiece.model", "tokenizer_config.json",
            "special_tokens_map.json", "added_tokens.json",
            "preprocessor_config.json", "processor_config.json", "chat_template.jinja", "chat_template.json",
            "generation_config.json",
        ]
        for name in names {
            let from = directory.appendingPathComponent(name)
            guard FileManager.default.fileExists(atPath: from.path) else { continue }
            try AtomicFile.write(try Data(contentsOf: from), to: folder.appendingPathComponent(name).path)
        }
    }
}
