import Checkpoint
import Files
import Foundation
import Imaging
import Kernels
import Model
import PictureWorld
import Random
import Records
import Tokenizer

/// A model and what it is measured on.
struct Workload {
    struct Prompt {
        let id: String
        let image: String
        let tokens: [Int32]
    }

    struct Pair {
        let id: String
        let image: String
        let prompt: [Int32]
        let chosen: [Int32]
        let rejected: [Int32]
    }

    static let answerTokens = 64
    private static let (promptCount, promptTokens) = (32, 40)

    let model: VisionLanguageModel
    let prompts: [Prompt]
    let pairs: [Pair]

    var parameterCount: Int { model.parameters.reduce(0) { $0 + $1.count } }

    /// What `peers.py --make` wrote.
    /// - Throws: what model, records and pictures throw.
    init(folder: URL, _ compute: Compute) throws {
        Compute.preferred = compute
        let model = try VisionLanguageModel(directory: folder.appendingPathComponent("model"))
        func records(_ name: String) throws -> [Record] {
            try Data(contentsOf: folder.appendingPathComponent(name)).split(separator: UInt8(ascii: "\n"))
                .map { try Record(parsing: ArraySlice($0)) }
        }
        func image(_ name: String) -> String { folder.appendingPathComponent(name).path }
        prompts = try records("prompts.jsonl").map { record in
            let prompt = try Records.Prompt(record)
            return Prompt(
                id: prompt.id, image: image(try record.requiredString("image")),
                tokens: try model.encode(
                    prompt: prompt.prompt, picture: model.shape(at: image(record.requiredString("image")))
                ).prompt)
        }
        pairs = try records("pairs.jsonl").map { record in
            let pair = try PreferencePair(record)
            let encoded = try model.encode(
                prompt: pair.prompt, picture: model.shape(at: image(record.requiredString("image"))),
                answers: [pair.chosen, pair.rejected])
            return Pair(
                id: pair.id, image: image(try record.requiredString("image")), prompt: encoded.prompt,
                chosen: encoded.answers[0], rejected: encoded.answers[1])
        }
        self.model = model
    }

    private init(model: VisionLanguageModel, prompts: [Prompt], pairs: [Pair]) {
        (self.model, self.prompts, self.pairs) = (model, prompts, pairs)
    }

    /// The same sizes without Python: random weights, drawn pictures, random tokens.
    /// - Parameter folder: where tokenizer, preprocessing and pictures are written.
    static func made(in folder: URL, _ compute: Compute) throws -> Workload {
        let model = try model(in: folder, compute)
        let images = try (0..<promptCount).map { index in
            let path = folder.appendingPathComponent("\(index).png").path
            try writePNG(Scene.generate(seed: 1, split: .dev, index: index).draw(size: 256), to: path)
            return path
        }
        var random = SplitMix64(seed: 1)
        func text(_ count: Int) -> [Int32] {
            (0..<count).map { _ in 300 + Int32(random.nextUniform() * 7000) }
        }
        let picture = model.pictureTokens(.tile)
        let prompts = images.indices.map { index in
            Prompt(
                id: "made-\(index)", image: images[index], tokens: text(8) + picture + text(promptTokens - 8))
        }
        let pairs = prompts.map { prompt in
            Pair(
                id: prompt.id, image: prompt.image, prompt: prompt.tokens, chosen: text(answerTokens),
                rejected: text(answerTokens))
        }
        return Workload(model: model, prompts: prompts, pairs: pairs)
    }

    private static func model(in folder: URL, _ compute: Compute) throws -> VisionLanguageModel {
        var config = LlavaConfig()
        (config.text.vocabSize, config.text.maxPositionEmbeddings) = (8000, 1024)
        (config.text.hiddenSize, config.text.intermediateSize, config.text.layerCount) = (768, 2048, 12)
        (config.text.headCount, config.text.keyValueHeadCount, config.text.headDim) = (12, 12, 64)
        (config.vision.imageSize, config.vision.patchSize, config.vision.layerCount) = (224, 16, 4)
        (config.vision.hiddenSize, config.vision.intermediateSize, config.vision.headCount) = (256, 1024, 4)
        config.imageTokenID = 3
        try BPETrainer(family: .llama, vocabularySize: 400).train(
            Array(repeating: "USER: \n ASSISTANT:", count: 2)
        )
        .write(to: folder, maximumLength: 1024)
        let processor = try ImageProcessor(
            size: .shortestEdge(224), crop: ImageProcessor.Crop(height: 224, width: 224),
            mean: ImageProcessor.clipMean, std: ImageProcessor.clipStd)
        try AtomicFile.write(
            processor.encodeConfiguration(),
            to: folder.appendingPathComponent("preprocessor_config.json").path)
        return try VisionLanguageModel(
            directory: folder, family: Llava(RandomSource(seed: 1, compute: compute), config: config),
            tokenizer: Tokenizer(directory: folder))
    }
}
