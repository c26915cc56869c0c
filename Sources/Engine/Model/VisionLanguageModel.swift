import Checkpoint
import Foundation
import Imaging
import Kernels
import Synchronization
import Tokenizer

/// A model that sees, with all that belongs to it: tokenizer, chat template, picture preprocessing.
package final class VisionLanguageModel: @unchecked Sendable {
    package let directory: URL
    /// Folders of the adapters that were folded in, in their order; not of one beside.
    package let adapters: [String]
    package let family: any VisionLanguageFamily
    package let tokenizer: Tokenizer
    package let template: ChatTemplate
    /// Set, where it is, before the model is used.
    package var images: any PictureProcessor
    /// Where features of pictures are kept beyond this process; set, where it is, before the model is used.
    package var features: FeatureCache?
    private let shapes = Mutex<[String: PictureShape]>([:])
    /// The token written at the end of a trained answer.
    package let end: Int32
    /// Tokens whose text ends a sentence: those that are a full stop, alone or after white space.
    package let periods: Set<Int32>
    /// SHA-256 of the base checkpoint; adapters folded in are named after it.
    package let baseDigest: String
    package let digest: String
    /// That of what makes rows of pictures: of the base, or with the adapters that change tower or projector.
    package let pictureDigest: String
    /// Adapters that were folded in and change nothing, by their folders.
    package let idleAdapters: [String]
    /// Where it was read from.
    private let checkpoint: CheckpointDirectory?

    /// Opens a Hugging Face directory and folds `adapters` into its weights, in order.
    ///
    /// - Parameters:
    ///   - adapters: each trained over the model with those before it, as rounds are.
    ///   - beside: an adapter that was trained over the bare checkpoint, whatever came since; folded in last.
    ///   - check: of the memory that it will take, before weights are read for their digest.
    /// - Throws: `CheckpointError`, `TokenizerError`, `ImageError` for what is missing or doesn't fit, and what `check`
    ///   throws; an adapter that names another base is refused.
    package convenience init(
        directory: URL, adapters: [URL] = [], beside: URL? = nil, template: String? = nil,
        check: (any VisionLanguageFamily) throws -> Void = { _ in }
    ) throws {
        let checkpoint = try CheckpointDirectory.open(directory)
        let place = directory.appendingPathComponent("config.json").path
        let family = try checkpoint.config().family(CheckpointSource(checkpoint), path: place)
        // Before adapters are folded in: they stay beside what would round them away.
        if Compute.preferred == .int8 { family.decoder.quantize() }
        try self.init(
            directory: directory, family: family, tokenizer: Tokenizer(directory: checkpoint.language),
            template: template, adapters: adapters.map(\.relativePath), checkpoint: checkpoint
        ) {
            try check(family)
            let base = try checkpoint.digest()
            var made = Identity(base: base)
            func fold(_ adapter: URL, over trained: String) throws {
                let read = try PEFTAdapter.read(adapter, expecting: trained)
                if read.changesNothing { made.idleAdapters.append(adapter.relativePath) }
                try family.attach(read, from: adapter.path)
                family.settleAdapter()
                made.whole = try ModelDigest.chain(made.whole, adapter: adapter, scale: read.scale)
                if family.changesPictures(read) { made.pictures = made.whole }
            }
            for adapter in adapters { try fold(adapter, over: made.whole) }
            if let beside { try fold(beside, over: base) }
            return made
        }
    }

    /// What a model is called by.
    package struct Identity {
        var base = ""
        var whole = ""
        /// Of what decides a picture's features.
        var pictures = ""
        var idleAdapters: [String] = []

        package init() {}

        init(base: String) { (self.base, whole, pictures) = (base, base, base) }
    }

    /// Puts a model together with the tokenizer and the preprocessing that lie in `directory`.
    ///
    /// - Parameter identity: is asked last, when all else is found to fit: digesting weights takes a while.
    package init(
        directory: URL, family: any VisionLanguageFamily, tokenizer: Tokenizer, template: String? = nil,
        adapters: [String] = [], checkpoint: CheckpointDirectory? = nil,
        identity: () throws -> Identity = { Identity() }
    ) throws {
        self.adapters = adapters
        self.checkpoint = checkpoint
        (self.directory, self.family, self.tokenizer) = (directory, family, tokenizer)
        let config = family.modelConfig
        self.template =
            checkpoint?.vila != nil
            ? try ChatTemplate(vilaReading: tokenizer, named: template)
            : try ChatTemplate(
                checkpoint: directory, tokenizer: tokenizer, named: template, otherwise: config.usualTemplate)
        if let unread = checkpoint?.names.first(where: { family.decoder.leavesOut($0) }) {
            throw CheckpointError(
                directory.appendingPathComponent("config.json").path,
                "it has \(family.decoder.layers.count) layers, and the weights have more (\(unread))",
                "fetch the config.json of these weights")
        }
        let ending = self.template.end.flatMap { tokenizer.id(of: $0) }
        guard let end = ending ?? tokenizer.eos ?? family.decoder.config.eosTokenIDs.first.map({ Int32($0) })
        else {
            throw CheckpointError(
                directory.appendingPathComponent("config.json").path,
                "neither it nor the tokenizer names the token that ends an answer",
                "add eos_token_id to its text_config")
        }
        guard (0..<family.decoder.config.vocabSize).contains(Int(end)) else {
            throw CheckpointError(
                directory.appendingPathComponent("config.json").path,
                "an answer ends with the token \(end), and the model reads \(family.decoder.config.vocabSize)",
                "give the tokenizer.json of this checkpoint")
        }
        self.end = end
        periods = Set([".", "▁.", "Ġ."].compactMap { tokenizer.id(of: $0) })
        let preprocessing = checkpoint?.tower?.url ?? directory
        images = try config.pictureProcessor(in: preprocessing)
        if let misfit = family.check(images) {
            throw CheckpointError(
                preprocessing.appendingPathComponent("preprocessor_config.json").path, misfit,
                "give the preprocessor_config.json of this checkpoint")
        }
        let identity = try identity()
        (baseDigest, digest, pictureDigest) = (identity.base, identity.whole, identity.pictures)
        idleAdapters = identity.idleAdapters
    }

    /// Writes config.json and the weights in the layout of the checkpoint; tokenizer and preprocessing are copied where they
    /// lie elsewhere.
    ///
    /// Tensors of the checkpoint that are no part of what is computed (a tower's pooling head, buffers) are written as
    /// they stand.
    package func write(to folder: URL, as type: ElementType) throws {
        var config = family.modelConfig
        config.elementType = type
        if let checkpoint, let vila = checkpoint.vila {
            return try write(vila, of: checkpoint, to: folder, as: type)
        }
        if config.isOriginalLlava, let checkpoint {
            try checkpoint.writeOriginalConfig(to: folder, as: type)
        } else {
            try config.write(to: folder.appendingPathComponent("config.json"))
        }
        try parameters.write(
            to: folder.appendingPathComponent("model.safetensors"), as: type, settled: family.adapterTargets,
            carrying: unread(), naming: config.isOriginalLlava ? TensorNames.original : { $0 })
        try CheckpointDirectory.copyCompanions(from: directory, to: folder)
    }

    /// Writes a VILA's folders again.
    private func write(
        _ vila: VilaFolders, of checkpoint: CheckpointDirectory, to folder: URL, as type: ElementType
    ) throws {
        try checkpoint.writeVilaConfigs(to: folder, as: type)
        let others = try unread()
        for part in VilaFolders.Part.allCases {
            try parameters.filter { VilaFolders.part(of: $0.name) == part }.write(
                to: folder.appendingPathComponent("\(part.rawValue)/model.safetensors"), as: type,
                settled: family.adapterTargets,
                carrying: others.filter { VilaFolders.part(of: $0.key) == part }, naming: vila.stored)
        }
        try CheckpointDirectory.copyCompanions(
            from: vila.language, to: folder.appendingPathComponent(VilaFolders.Part.language.rawValue))
    }

    /// A head beside a tied one isn't the model's.
    private func unread() throws -> [String: TensorView] {
        guard let checkpoint else { return [:] }
        var known = Set(parameters.map { TensorNames.canonical($0.name) })
        if decoder.config.tieWordEmbeddings { known.insert("lm_head.weight") }
        let names = checkpoint.names.filter { !known.contains($0) }
        return try Dictionary(uniqueKeysWithValues: names.map { ($0, try checkpoint.tensor(named: $0)) })
    }

    package var decoder: Llama { family.decoder }

    /// Of tower, projector and decoder.
    package var parameters: [Parameter] { family.parameters }
    /// Whether tower and projector learn where they are trained.
    package var trainsTower: Bool { family.trainsTower }
    package var towerParameters: [Parameter] { family.towerParameters }

    /// Call after an optimiser step on them.
    package func weightsChanged() { family.linears.forEach { $0.weightsChanged() } }

    /// Tokens that the model reads at most: picture, prompt and answer together.
    package var context: Int { decoder.config.context }

    /// Ids that it can draw; its tokenizer may know fewer.
    package var vocabularySize: Int { decoder.config.vocabSize }

    /// The picture at `path` as the tower reads it.
    package func input(at path: String) throws -> TowerInput { try images.input(at: path) }

    /// Whether a picture's rows depend on its size.
    var cutsPictures: Bool { !(images is ImageProcessor) }

    /// What of the picture at `path` decides how many rows it takes and which text stands for it. One whose size doesn't
    /// show in that isn't opened.
    ///
    /// - Throws: `ImageError`.
    package func shape(at path: String) throws -> PictureShape {
        guard cutsPictures else { return .tile }
        if let known = shapes.withLock({ $0[path] }) { return known }
        // Which way up it is may stand behind the pixels, so that a header isn't enough.
        let image = try decodeImage(at: path, alpha: images.alpha)
        let shape = try images.shape(of: PictureSize(height: image.height, width: image.width))
        shapes.withLock { $0[path] = shape }
        return shape
    }

    /// Rows that a photograph of 640 × 480 takes in the decoder.
    package var usualPictureRows: Int {
        let shape = try? images.shape(of: PictureSize(height: 480, width: 640))
        return family.rows(of: shape ?? .tile)
    }

    /// Pictures that outlive the arena.
    ///
    package func pictures(_ inputs: [TowerInput], _ arena: Arena) -> [Picture] {
        family.pictures(inputs, arena)
    }

    /// The same for training, to be gone back through where tower or projector is trained.
    package func encode(_ inputs: [TowerInput], _ arena: Arena) -> PictureTape {
        func trained(_ parameters: [Parameter]) -> Int { parameters.count { $0.isTrained } }
        guard trained(parameters) == trained(decoder.parameters) else {
            return family.tape(of: inputs, arena)
        }
        let made = family.features(of: inputs, arena)
        return PictureTape(features: made.values, rows: made.rows, grids: made.grids) { _, _ in }
    }

    /// - Parameter dFeatures: `[rows × C]` of `tape.features`.
    package func encodeBackward(_ tape: PictureTape, dFeatures: Matrix, _ arena: Arena) {
        tape.backward(dFeatures, arena)
    }
}
