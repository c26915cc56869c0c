import Foundation

/// A LoRA adapter in the layout of Hugging Face PEFT: adapter_config.json and adapter_model.safetensors.
///
/// PEFT's layout: keys are `base_model.model.<module>.lora_A.weight` of shape [r, in] and `lora_B.weight`
/// of shape [out, r]; the update of a weight [out, in] is `scale · B · A`.
package struct PEFTAdapter: Sendable, Equatable {
    /// The update of one linear layer.
    package struct Module: Sendable, Equatable {
        /// Canonical, without PEFT's prefix: `model.language_model.layers.0.self_attn.q_proj`.
        package let name: String
        package let inputWidth: Int
        package let outputWidth: Int
        /// [rank, inputWidth], row-major.
        package var a: [Float]
        /// [outputWidth, rank], row-major.
        package var b: [Float]

        package init(name: String, inputWidth: Int, outputWidth: Int, a: [Float], b: [Float]) {
            self.name = name
            self.inputWidth = inputWidth
            self.outputWidth = outputWidth
            self.a = a
            self.b = b
        }

        /// Whether the update is 0.
        package var changesNothing: Bool { b.allSatisfy { $0 == 0 } || a.allSatisfy { $0 == 0 } }
    }

    package var rank: Int
    package var alpha: Double
    package var usesRSLoRA: Bool
    package var baseModelName: String?
    /// `CheckpointDirectory.digest()` of the base; nil in adapters that other programs wrote.
    package var baseDigest: String?
    /// In order of their names' UTF-8 bytes.
    package var modules: [Module]
    /// What its config names; where it names nothing, the modules that it has.
    package let targets: AdapterTargets

    package init(
        rank: Int, alpha: Double, usesRSLoRA: Bool = false, baseModelName: String?, baseDigest: String?,
        modules: [Module], targets: AdapterTargets? = nil
    ) {
        self.rank = rank
        self.alpha = alpha
        self.usesRSLoRA = usesRSLoRA
        self.baseModelName = baseModelName
        self.baseDigest = baseDigest
        self.modules = modules.sorted { precedesByUTF8($0.name, $1.name) }
        self.targets = targets ?? AdapterTargets(names: .listed(self.modules.map(\.name)))
    }

    /// α/r, or α/√r with rank-stabilised LoRA.
    package var scale: Float {
        Float(usesRSLoRA ? alpha / Double(rank).squareRoot() : alpha / Double(rank))
    }

    /// Whether the update of every layer is 0, as that of an adapter which has learned nothing: a fresh one's B is 0.
    package var changesNothing: Bool { scale == 0 || modules.allSatisfy(\.changesNothing) }

    private static let configName = "adapter_config.json"
    private static let weightsName = "adapter_model.safetensors"
    private static let digestKey = "base_digest"
    private static let prefix = "base_model.model."

    /// Reads the adapter in `directory`.
    ///
    /// - Parameter baseDigest: the digest of the model it is to be put on; an adapter that names another is
    ///   refused, one that names none is accepted. nil checks nothing.
    /// - Throws: `CheckpointError` where files are missing or damaged, for LoRA variants that this package
    ///   does not compute, and for an adapter of another base.
    package static func read(_ directory: URL, expecting baseDigest: String? = nil) throws -> PEFTAdapter {
        let configURL = directory.appendingPathComponent(configName)
        let config = try ConfigDocument.decode(
            AdapterConfig.self, from: ConfigDocument.data(of: configURL), path: configURL.path)
        try checkFiles(of: directory)
        let file = try SafetensorsFile(directory.appendingPathComponent(weightsName))
        let digest = file.metadata[digestKey]
        if let digest, let baseDigest, digest != baseDigest {
            throw CheckpointError(
                directory.path,
                "the adapter was trained on the model with digest \(digest.prefix(12))…"
                    + (config.baseModelName.map { " (\($0))" } ?? "") + ", not on \(baseDigest.prefix(12))…",
                "give the base model that it was trained on")
        }
        let adapter = PEFTAdapter(
            rank: config.rank, alpha: config.alpha, usesRSLoRA: config.usesRSLoRA,
            baseModelName: config.baseModelName, baseDigest: digest,
            modules: try modules(of: file, rank: config.rank), targets: config.targets)
        let unmet = adapter.targets.unmet(by: adapter.modules.map(\.name))
        guard unmet.isEmpty else { throw partial(unmet.joined(separator: ", "), file.path) }
        return adapter
    }

    /// Refuses what other trainers leave beside an adapter or in its place.
    private static func checkFiles(of directory: URL) throws {
        func has(_ name: String) -> Bool {
            FileManager.default.fileExists(atPath: directory.appendingPathComponent(name).path)
        }
        if !has(weightsName), has("adapter_model.bin") {
            throw CheckpointError(
                directory.appendingPathComponent("adapter_model.bin").path,
                "the weights are a pickle, which could hold code and isn't read",
                "convert it there: python -c \"import torch, safetensors.torch as s; "
                    + "s.save_file({k: v.contiguous() for k, v in torch.load('adapter_model.bin', "
                    + "map_location='cpu', weights_only=True).items()}, '\(weightsName)')\"")
        }
        if has("non_lora_trainables.bin") {
            throw CheckpointError(
                directory.appendingPathComponent("non_lora_trainables.bin").path,
                "weights trained along with the adapter, usually the projector's, which are not folded here",
                "merge both with LLaVA's scripts/merge_lora_weights.py and give the model, or move the file away to "
                    + "take the adapter alone")
        }
    }

    private static func partial(_ what: String, _ place: String) -> CheckpointError {
        CheckpointError(
            place, "target_modules of \(configName) names \(what), but there are no tensors for it",
            "save the adapter again; without them that layer would not be adapted")
    }

    /// Checks that the adapter has tensors for all that its config names among a model's linear layers: one that
    /// was cut short would be half of what was trained.
    ///
    /// - Parameters:
    ///   - modules: canonical names.
    ///   - place: names the adapter in errors.
    /// - Throws: `CheckpointError`.
    package func checkThatItCovers(_ modules: [String], place: String) throws {
        let held = Set(self.modules.map(\.name))
        let missing = try targets.meant(among: modules).filter { !held.contains($0) }
        guard let first = missing.first else { return }
        let more = missing.count > 1 ? " and \(missing.count - 1) more layers" : ""
        throw Self.partial(first + more, place)
    }

    private static func modules(of file: SafetensorsFile, rank: Int) throws -> [Module] {
        var halves: [String: (a: TensorView?, b: TensorView?)] = [:]
        for key in file.names {
            let isA = key.hasSuffix(".lora_A.weight")
            guard key.hasPrefix(prefix), isA || key.hasSuffix(".lora_B.weight") else {
                throw CheckpointError(
                    "\(file.path): tensor \(key)", "it is neither lora_A nor lora_B of a linear layer",
                    "use an adapter of plain LoRA")
            }
            let name = TensorNames.module(
                String(key.dropFirst(prefix.count).dropLast(".lora_A.weight".count)))
            let view = try file.tensor(named: key)
            let occupied = isA ? halves[name]?.a : halves[name]?.b
            guard occupied == nil else {
                throw CheckpointError(
                    "\(file.path): tensor \(key)", "the module \(name) occurs under two spellings",
                    "keep one of them")
            }
            if isA {
                halves[name, default: (nil, nil)].a = view
            } else {
                halves[name, default: (nil, nil)].b = view
            }
        }
        guard !halves.isEmpty else {
            throw CheckpointError(file.path, "it holds no LoRA tensors", "give a trained adapter")
        }
        return try halves.map { name, half in
            guard let a = half.a, let b = half.b else {
                throw CheckpointError(
                    file.path, "the module \(name) has only one of lora_A and lora_B",
                    "save the adapter again")
            }
            guard a.shape.count < 4 else {
                throw CheckpointError(
                    "\(file.path): module \(name)",
                    "lora_A \(a.shape) is of a convolution, and LoRA on linear layers is read only",
                    "fold it by PEFT's merge_and_unload and take that model")
            }
            guard a.shape.count == 2, b.shape.count == 2, a.shape[0] == rank, b.shape[1] == rank else {
                throw CheckpointError(
                    "\(file.path): module \(name)",
                    "lora_A \(a.shape) and lora_B \(b.shape) do not have the rank r = \(rank) of \(configName)",
                    "use the config that belongs to these weights")
            }
            return Module(
                name: name, inputWidth: a.shape[1], outputWidth: b.shape[0], a: try a.floats(),
                b: try b.floats())
        }
    }

    /// Writes the adapter into `directory`, which is created where needed; each file appears whole or not
    /// at all.
    ///
    /// - Throws: `CheckpointError` where a module's values do not fit its widths, `FileError` where writing fails.
    package func write(to directory: URL, as elementType: ElementType = .f32) throws {
        do {
            try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        } catch {
            throw CheckpointError(
                directory.path, "it cannot be created (\(error.localizedDescription))",
                "choose another place")
        }
        let tensors = modules.flatMap { module in
            [
                SafetensorsWriter.Tensor(
                    "\(Self.prefix)\(module.name).lora_A.weight", shape: [rank, module.inputWidth],
                    as: elementType,
                    values: module.a),
                SafetensorsWriter.Tensor(
                    "\(Self.prefix)\(module.name).lora_B.weight", shape: [module.outputWidth, rank],
                    as: elementType,
                    values: module.b),
            ]
        }
        try SafetensorsWriter.write(
            tensors, to: directory.appendingPathComponent(Self.weightsName),
            // PEFT reads tensors only, so the header's metadata is the place it is sure to leave alone.
            metadata: baseDigest.map { [Self.digestKey: $0] } ?? [:])
        let config = AdapterConfig(
            rank: rank, alpha: alpha, usesRSLoRA: usesRSLoRA, baseModelName: baseModelName,
            targetModules: modules.map(\.name))
        try ConfigDocument.write(config, to: directory.appendingPathComponent(Self.configName))
    }
}
