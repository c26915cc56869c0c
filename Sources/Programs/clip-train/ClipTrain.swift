import ArgumentParser
import Checkpoint
import Files
import Foundation
import Imaging
import Kernels
import Model
import ModelOptions
import PictureWorld
import Records
import StageKit
import Tokenizer
import Training
import TrainingKit

/// Trains the relevance model on pictures whose scenes are known.
@main struct ClipTrain: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "clip-train",
        abstract: "Train a small CLIP on single sentences about known scenes.",
        discussion: """
            Reads records with "image" and "scene" (scenes --kind clip) and writes a model directory in Hugging
            Face layout. Each picture has true sentences and false ones made from them; the scenes say what is
            true of which picture in a batch. With --patch-steps the vision tower first learns what each of its
            patches shows.
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pixels: PictureOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write the model to.", valueName: "folder"))
    var output: String
    @Option(help: ArgumentHelp("CLIP model to continue from.", valueName: "folder"))
    var model: String?
    @Option(
        help: ArgumentHelp("LLaVA model whose vision tower a new model starts from.", valueName: "folder"))
    var tower: String?
    @OptionGroup var training: StepOptions<Defaults>
    @Option(help: "First steps, in which only the vision tower learns, from what its patches show.")
    var patchSteps = 0
    @Option(help: "True sentences per picture and step.") var sentences = 2
    @Option(help: "True phrases per picture and step; they are shorter, so each word counts more.")
    var phrases = 2
    @Option(help: "False sentences made from each true one.") var falsehoods = 3
    @Flag(help: "Also train on the companions that captions invent, as false sentences; for an ablation.")
    var inventions = false
    @Option(help: "Weight of the loss that separates a true sentence from the false ones made from it.")
    var twinWeight = 2.0
    @Option(help: "Weight of the loss on each sentence's best patch, next to the class token's.")
    var patchWeight = 1.0
    @Option(help: "Factor on the learning rate of a pretrained vision tower, except its last layer.")
    var towerRate: Float = 1
    @Option(help: "Width of both towers.") var width = 192
    @Option(help: "Width of the space that both towers project into.") var projection = 384
    @Option(help: "Layers of the vision tower.") var visionLayers = 4
    @Option(help: "Layers of the text tower.") var textLayers = 3
    @Option(help: "Attention heads of both towers.") var heads = 6
    @Option(help: "Side of a picture, in pixels.") var imageSize = 128
    @Option(help: "Side of a patch, in pixels.") var patchSize = 16
    @Option(help: "Maximum size of the vocabulary, in words.") var vocabulary = 700
    @Option(help: ArgumentHelp("Records of unseen pictures, to score at the end.", valueName: "file"))
    var dev: [String] = []
    @Option(help: ArgumentHelp("Folder that the image paths of --dev are relative to.", valueName: "folder"))
    var devImageRoot = "."
    @Option(help: "Element type of the written weights.") var dtype = ElementType.f16

    enum Defaults: StepDefaults {
        static let examples = "pictures"
        static let (batch, learningRate, saveEvery) = (128, 1e-3, 200)
        static let (steps, weightDecay): (Int, Float) = (1800, 0.05)
        static let stepsHelp: ArgumentHelp = "Number of steps, including those of --patch-steps."
    }

    func validate() throws {
        if model != nil, tower != nil {
            throw ValidationError("--tower: the model of --model has its own; give one of the two")
        }
        if !(towerRate > 0) { throw ValidationError("--tower-rate \(towerRate): give a number above 0") }
        if !(0...training.steps).contains(patchSteps) {
            throw ValidationError(
                "--patch-steps \(patchSteps): give a number from 0 to --steps \(training.steps)")
        }
    }

    func run(in run: StageRun) throws {
        try engine.prepareTraining(run)
        let target = try AtomicFolder(output)
        let pictures = try ScenePictures(input, images, run)
        if run.isDryRun { return run.console.say("\(pictures.count) pictures can be trained on") }
        let session = try TrainingSession(
            target, resume: training.common.resume, reading: [model, tower], run)
        let (model, tokenizer, processor) = try start(pictures, session.folder, run)
        let vision = model.vision.config
        let patchTrainer = PatchTrainer(
            model.vision, depth: vision.layerCount - 1, groups: Scene.patchGroups)
        let parameters = model.parameters + (patchSteps > 0 ? patchTrainer.parameters : [])
        parameters.forEach { $0.train() }
        let above = ["vision_model.encoder.layers.\(vision.layerCount - 1).", "vision_model.post_layernorm."]
        for parameter in model.vision.parameters where !above.contains(where: parameter.name.hasPrefix) {
            parameter.rateShare = towerRate
        }

        let trainer = ContrastiveTrainer(model)
        let order = BatchOrder(count: pictures.count, batch: training.common.batch, seed: engine.seed)
        try session.train(
            parameters, training.plan(order), on: input,
            weightsChanged: {
                model.linears.forEach { $0.weightsChanged() }
                patchTrainer.weightsChanged()
            },
            gradients: { step, chosen in
                let ids = chosen.map { pictures.ids[$0] }
                if step < patchSteps {
                    let labels = chosen.map {
                        pictures.scenes[$0].patchLabels(grid: vision.imageSize / vision.patchSize)
                    }
                    let pixels = try pictures.loadPixels(chosen, processor)
                    return (patchTrainer.addGradients(pixels, labels: labels), ids)
                }
                let lesson = try pictures.lesson(
                    chosen, sentences: sentences, phrases: phrases, falsehoods: falsehoods,
                    inventions: inventions, seed: engine.seed &+ UInt64(step), tokenizer, processor)
                return (trainer.addGradients(lesson, twinWeight: twinWeight, patchWeight: patchWeight), ids)
            })
        try write(model, processor, dtype, to: session.folder)
        try session.publish()
        try scoreUnseen(model, tokenizer, processor, run)
    }

    /// `--model`, or random weights under a vision tower that already sees where `--tower` gives one.
    private func start(
        _ pictures: ScenePictures, _ folder: URL, _ run: StageRun
    ) throws -> (Clip, Tokenizer, ImageProcessor) {
        if let model {
            try run.addModel(model, role: "start")
            let directory = URL(fileURLWithPath: model)
            let checkpoint = try CheckpointDirectory.open(directory)
            let place = directory.appendingPathComponent("config.json").path
            let config = try checkpoint.config().clip(path: place)
            try CheckpointDirectory.copyCompanions(from: directory, to: folder)
            var processor = try ImageProcessor(directory: directory)
            try processor.read(as: pixels.reading)
            return (
                try Clip(CheckpointSource(checkpoint), config: config), try Tokenizer(directory: directory),
                processor
            )
        }
        let tokenizer = try trainTokenizer(pictures, folder)
        let config = config(tokenizer)
        var processor = try ImageProcessor(square: imageSize)
        try processor.read(as: pixels.reading)
        let new = try Clip(source(run), config: config)
        let first = Array(0..<min(training.common.batch, pictures.count))
        new.vision.levelPositions(with: try pictures.loadPixels(first, processor), Arena())
        return (new, tokenizer, processor)
    }

    /// Random weights, under a vision tower that already sees where `--tower` gives one.
    private func source(_ run: StageRun) throws -> any ParameterSource {
        let random = RandomSource(seed: engine.seed)
        guard let tower else { return random }
        try run.addModel(tower, role: "tower")
        return GraftedSource(
            base: random, graft: CheckpointSource(try .open(URL(fileURLWithPath: tower))),
            graftName: {
                let isGrafted = $0.hasPrefix("vision_model.") && !$0.contains("position_embedding")
                return isGrafted ? "model.vision_tower." + $0 : nil
            })
    }

    private func config(_ tokenizer: Tokenizer) -> ClipConfig {
        var config = ClipConfig()
        config.vision.hiddenSize = width
        config.vision.intermediateSize = 4 * width
        config.vision.layerCount = visionLayers
        config.vision.headCount = heads
        config.vision.imageSize = imageSize
        config.vision.patchSize = patchSize
        config.vision.projectionDim = projection
        config.text.vocabSize = tokenizer.vocabularySize
        config.text.hiddenSize = width
        config.text.intermediateSize = 4 * width
        config.text.layerCount = textLayers
        config.text.headCount = heads
        config.text.projectionDim = projection
        config.text.bosTokenID = tokenizer.bos.map { Int($0) }
        config.text.eosTokenID = Int(tokenizer.eos ?? 0)
        config.text.padTokenID = tokenizer.pad.map { Int($0) }
        config.projectionDim = projection
        return config
    }

    private func trainTokenizer(_ pictures: ScenePictures, _ folder: URL) throws -> Tokenizer {
        let trained = try BPETrainer(family: .clip, vocabularySize: vocabulary)
            .train(pictures.scenes.prefix(4000).flatMap { $0.trueSentences(seed: engine.seed) })
        try trained.write(to: folder, maximumLength: 77)
        return try Tokenizer(directory: folder)
    }

    private func write(_ model: Clip, _ processor: ImageProcessor, _ type: ElementType, to folder: URL) throws
    {
        var config = model.config
        config.elementType = type
        try ModelConfig.clip(config).write(to: folder.appendingPathComponent("config.json"))
        try AtomicFile.write(
            try processor.encodeConfiguration(),
            to: folder.appendingPathComponent("preprocessor_config.json").path)
        try model.parameters.write(to: folder.appendingPathComponent("model.safetensors"), as: type)
    }

    private func scoreUnseen(
        _ model: Clip, _ tokenizer: Tokenizer, _ processor: ImageProcessor, _ run: StageRun
    ) throws {
        guard !dev.isEmpty else { return }
        var root = images
        root.imageRoot = devImageRoot
        let unseen = try ScenePictures(InputOptions(files: dev), root, run)
        let probe = SentenceProbe(model: model, tokenizer: tokenizer, processor: processor)
        for (kind, accuracy, count) in try probe.accuracies(on: unseen, seed: engine.seed) {
            run.console.say("\(kind.rawValue): \(accuracy) of \(count) true sentences preferred")
            run.addMetric("preferred/\(kind.rawValue)", accuracy)
        }
    }
}
