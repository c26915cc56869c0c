import Checkpoint
import Files
import Foundation
import Imaging
import Kernels
import Model
import Tokenizer

/// A small LLaVA that does not exist yet: a tokenizer made from the texts, everything else at random but for
/// the vision tower where a trained CLIP gives its own.
struct NewModel {
    /// A CLIP whose tower and preprocessing it takes over.
    let tower: URL?
    /// The tower it gets otherwise.
    let vision: ClipVisionConfig
    let width: Int
    let layers: Int
    let heads: Int
    let keyValueHeads: Int
    let inner: Int
    let vocabulary: Int
    let context: Int
    let seed: UInt64

    /// Writes tokenizer and preprocessing to `folder` and makes the model.
    func make(texts: [String], in folder: URL) throws -> VisionLanguageModel {
        try BPETrainer(family: .llama, vocabularySize: vocabulary)
            .train(texts + templateTexts).write(to: folder, maximumLength: context)
        let tokenizer = try Tokenizer(directory: folder)
        try AtomicFile.write(
            try processor().encodeConfiguration(processorClass: "LlavaProcessor"),
            to: folder.appendingPathComponent("preprocessor_config.json").path)
        let (source, vision) = try start()
        try writeProcessor(patch: vision.patchSize, in: folder)
        return try VisionLanguageModel(
            directory: folder, family: Llava(source, config: config(tokenizer, vision)), tokenizer: tokenizer)
    }

    /// What transformers' `LlavaProcessor` wants beside our own files: how many tokens a picture has, and turns.
    private func writeProcessor(patch: Int, in folder: URL) throws {
        let processor = """
            {
              "image_token": "<image>",
              "num_additional_image_tokens": 1,
              "patch_size": \(patch),
              "processor_class": "LlavaProcessor",
              "vision_feature_select_strategy": "default"
            }

            """
        for (name, text) in [
            ("processor_config.json", processor), ("chat_template.jinja", ChatTemplate.llavaJinja),
        ] {
            try AtomicFile.write(text, to: folder.appendingPathComponent(name).path)
        }
    }

    private func processor() throws -> ImageProcessor {
        if let tower { return try ImageProcessor(directory: tower) }
        return try ImageProcessor(square: vision.imageSize)
    }

    private func start() throws -> (any ParameterSource, ClipVisionConfig) {
        let random = RandomSource(seed: seed)
        guard let tower else { return (random, vision) }
        let checkpoint = try CheckpointDirectory.open(tower)
        let clip = try checkpoint.config().clip(path: tower.appendingPathComponent("config.json").path)
        let grafted = GraftedSource(
            base: random, graft: CheckpointSource(checkpoint),
            graftName: { name in
                let prefix = "model.vision_tower."
                return name.hasPrefix(prefix) ? String(name.dropFirst(prefix.count)) : nil
            })
        return (grafted, clip.vision)
    }

    /// The template's own words must be in the vocabulary.
    private var templateTexts: [String] { Array(repeating: "USER: \n ASSISTANT:", count: 50) }

    private func config(_ tokenizer: Tokenizer, _ vision: ClipVisionConfig) -> LlavaConfig {
        var config = LlavaConfig()
        config.vision = vision
        config.imageTokenID = Int(tokenizer.id(of: ChatTemplate.image) ?? -1)
        config.padTokenID = tokenizer.pad.map { Int($0) }
        config.text.vocabSize = tokenizer.vocabularySize
        config.text.hiddenSize = width
        config.text.intermediateSize = inner
        config.text.layerCount = layers
        config.text.headCount = heads
        config.text.keyValueHeadCount = keyValueHeads
        config.text.headDim = width / heads
        config.text.maxPositionEmbeddings = context
        config.text.tieWordEmbeddings = true
        config.text.bosTokenID = tokenizer.bos.map { Int($0) }
        config.text.eosTokenIDs = tokenizer.eos.map { [Int($0)] } ?? []
        config.text.padTokenID = config.padTokenID
        return config
    }
}
