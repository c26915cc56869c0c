import ArgumentParser
import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import ModelOptions
import Records
import StageKit
import Tokenizer
import Training
import TrainingKit

/// Supervised training of a LLaVA: a small one from nothing, more of an existing one, or an adapter over it.
@main struct SupervisedTrain: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "sft-train",
        abstract: "Train a LLaVA on captions and answers.",
        discussion: """
            Reads records {"id","image","samples":[{"prompt","answer"},…]} (scenes --kind captions, import --to
            lessons), where "history" holds a sample's earlier turns, and writes a model directory in Hugging Face
            layout. All texts about one picture share its computation. Without --model a new model is made: its
            tokenizer from the texts, its vision tower from --tower if given, the rest at random. Several files
            are mixed by weight, whatever their lengths:
              sft-train talks.jsonl closed.jsonl captions.jsonl --weight 2 --weight 1 --weight 1 -o model
            With --rank a LoRA is trained instead of the model, and a PEFT adapter is written:
              sft-train lessons.jsonl --model llava --rank 64 -o adapter
            """)

    @OptionGroup var input: InputOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: TrainingPictureOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("Folder to write the model or adapter to.", valueName: "folder")
    )
    var output: String
    @Option(help: ArgumentHelp("LLaVA model to continue from.", valueName: "folder")) var model: String?
    @Option(help: ArgumentHelp("Train a LoRA adapter of this rank over --model.", valueName: "r")) var rank:
        Int?
    @Option(help: "LoRA alpha: the adapter's scale times its rank; twice the rank by default.") var alpha:
        Double?
    @Option(help: ArgumentHelp("CLIP model whose vision tower a new model starts from.", valueName: "folder"))
    var tower: String?
    @Flag(help: "Don't train the vision tower.") var freezeTower = false
    @OptionGroup var training: StepOptions<Defaults>
    @Option(help: "Number of forward passes per step; more save memory.") var passes = 2
    @Option(
        help:
            "Balance b of short and long answers: each token of an n-token answer weighs n^-b, so 0 counts tokens and 1 counts answers."
    )
    var lengthBalance: Float = 0.5
    @Option(
        help: ArgumentHelp("Share of a file in every step; give one for each file, in order.", valueName: "w")
    )
    var weight: [Double] = []
    @Option(help: "Width of a new decoder and a new vision tower.") var width = 192
    @Option(help: "Layers of a new vision tower; the last is unused (vision_feature_layer -2).")
    var visionLayers = 4
    @Option(help: "Picture side of a new vision tower, in pixels.") var imageSize = 128
    @Option(help: "Patch side of a new vision tower, in pixels.") var patchSize = 16
    @Option(help: "Layers of a new decoder.") var layers = 6
    @Option(help: "Attention heads of a new decoder.") var heads = 6
    @Option(help: "Key and value heads of a new decoder.") var keyValueHeads = 6
    @Option(help: "MLP width of a new decoder.") var inner = 512
    @Option(help: "Maximum size of a new vocabulary, in words.") var vocabulary = 900
    @Option(help: "Context length of a new model, in tokens, including those of the image.") var context = 512
    @Option(help: "Element type of the written weights.") var dtype = ElementType.f16

    /// Options that only a model made anew has a use for.
    private static let ofNewModels = [
        "tower", "width", "vision-layers", "image-size", "patch-size", "layers", "heads", "key-value-heads",
        "inner", "vocabulary", "context",
    ]

    enum Defaults: StepDefaults {
        static let examples = "pictures"
        static let (batch, learningRate, saveEvery) = (64, 1e-3, 200)
        static let (steps, weightDecay): (Int, Float) = (2000, 0.02)
    }

    func validate() throws {
        if passes < 1 { throw ValidationError("--passes \(passes): give a number from 1") }
        if let rank, rank < 1 { throw ValidationError("--rank \(rank): give a number from 1") }
        if rank != nil, model == nil { throw ValidationError("--rank: give the --model to train it on") }
        if weight.isEmpty { return }
        if weight.count != input.paths.count || Set(input.paths).count != input.paths.count {
            throw ValidationError(
                "--weight: \(weight.count) weights for \(Set(input.paths).count) files; give one for each")
        }
        if let bad = weight.first(where: { !($0 > 0 && $0.isFinite) }) {
            throw ValidationError("--weight \(bad): give a number above 0")
        }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(Self.ofNewModels, where: model != nil, belongingTo: "a new model, not to --model")
        try given.refuse(["freeze-tower"], where: rank != nil, belongingTo: "the training of a model")
        try given.refuse(["alpha"], where: rank == nil, belongingTo: "--rank")
    }

    func run(in run: StageRun) throws {
        try engine.prepareTraining(run)
        let target = try AtomicFolder(output)
        let lessons = try run.records(input) { try Lesson($0, images) }
        guard !lessons.isEmpty else {
            throw StageError.failed("no records to train on; give files of samples")
        }
        if run.isDryRun {
            run.console.say("\(lessons.count) pictures can be trained on")
            guard model != nil else { return }
            let start = try open(lessons, URL(fileURLWithPath: output), run)
            let cut = try plan(start, lessons, run)
            var work = WorkEstimate(start)
            for (lesson, rows) in zip(lessons, lengths(of: lessons, start)) {
                try work.add(rows: rows, picture: lesson.image)
            }
            let epochs = Double(training.steps * training.common.batch) / Double(lessons.count)
            let learns = rank == nil && !freezeTower && start.trainsTower
            return try work.say(
                training: rank, epochs: epochs, recomputes: cut.recomputes,
                towerPasses: learns ? 3 * epochs : epochs, run)
        }
        let session = try TrainingSession(
            target, resume: training.common.resume, reading: [model, tower], run)
        let start = try open(lessons, session.folder, run)
        start.images = try start.images.reading(as: pictures.reading)
        guard rank != nil || freezeTower || start.trainsTower else {
            throw StageError.usage(
                "--model \(model ?? ""): the tower of this family isn't trained here; give --freeze-tower, or --rank "
                    + "for an adapter")
        }
        let cut = try plan(start, lessons, run)
        let parameters = trainedParameters(of: start)
        let encoder = LessonEncoder(model: start)
        let count = parameters.reduce(0) { $0 + ($1.isTrained ? $1.count : 0) }
        run.console.say("training \(count) parameters on \(lessons.count) pictures")

        let trainer = GroupTrainer(
            start.decoder, SupervisedLoss(lengthBalance: lengthBalance), encoder: start,
            passes: cut.passes, recomputes: cut.recomputes)
        try session.train(
            parameters, training.plan(try order(of: lessons)), on: input,
            weightsChanged: { [rank] in
                if rank == nil { return start.weightsChanged() }
                start.decoder.adapterTargets.forEach { $0.adapterChanged() }
            },
            gradients: { _, places in
                let batch = try encoder.encode(places.map { lessons[$0] })
                return (trainer.addGradients(batch), batch.map(\.id))
            })
        if rank == nil {
            try start.write(to: session.folder, as: dtype)
        } else {
            try session.writePolicy(of: start, as: dtype)
        }
        try session.publish()
    }

    /// - Throws: `StageError` where the training takes more memory than it may.
    private func plan(_ model: VisionLanguageModel, _ lessons: [Lesson], _ run: StageRun) throws -> PassPlan {
        let all = model.parameters.reduce(0) { $0 + $1.count }
        let frozen = freezeTower ? model.towerParameters.reduce(0) { $0 + $1.count } : 0
        return try PassPlan(
            model, training: rank.map { .adapter(rank: $0) } ?? .model(parameters: all - frozen),
            groups: lengths(of: lessons, model), batch: training.common.batch, count: passes, pictures: 0,
            engine.computing, run)
    }

    /// Tokens of each. A picture's rows are those of a usual one: reading them all would take as long as a pass over
    /// them.
    private func lengths(of lessons: [Lesson], _ model: VisionLanguageModel) -> [Int] {
        lessons.map { lesson in
            lesson.texts.reduce(lesson.image == nil ? 0 : model.usualPictureRows) {
                $0 + model.tokenizer.encode($1).count + 8
            }
        }
    }

    private func trainedParameters(of model: VisionLanguageModel) -> [Parameter] {
        if let rank {
            let scale = Float(alpha ?? Double(2 * rank)) / Float(rank)
            model.decoder.attachAdapter(rank: rank, scale: scale, seed: engine.seed)
            model.decoder.adapterParameters.forEach { $0.train() }
            return model.decoder.adapterParameters
        }
        model.parameters.forEach { $0.train() }
        if freezeTower { model.towerParameters.forEach { $0.freeze() } }
        return model.parameters
    }

    /// The pictures of a step: those of one shuffle, or of the files by their weights.
    private func order(of lessons: [Lesson]) throws -> any ExampleOrder {
        let batch = training.common.batch
        if weight.isEmpty { return BatchOrder(count: lessons.count, batch: batch, seed: engine.seed) }
        let counts = input.paths.map { path in lessons.count { $0.file == path } }
        if let empty = counts.firstIndex(of: 0) {
            throw StageError.failed("\(input.paths[empty]): no records to mix in; leave the file out")
        }
        return MixedOrder(counts: counts, weights: weight, batch: batch, seed: engine.seed)
    }

    /// The model to train: `--model`, or a new one whose small files are written to `folder` first.
    private func open(_ lessons: [Lesson], _ folder: URL, _ run: StageRun) throws -> VisionLanguageModel {
        if let model {
            return try ModelOptions(model, adapter: [], template: nil, features: .none).open(run)
        }
        if let tower { try run.addModel(tower, role: "tower") }
        let maker = NewModel(
            tower: tower.map { URL(fileURLWithPath: $0) }, vision: vision, width: width, layers: layers,
            heads: heads,
            keyValueHeads: keyValueHeads, inner: inner, vocabulary: vocabulary, context: context,
            seed: engine.seed)
        return try maker.make(texts: lessons.prefix(4000).flatMap(\.texts), in: folder)
    }

    private var vision: ClipVisionConfig {
        var config = ClipVisionConfig()
        config.hiddenSize = width
        config.intermediateSize = 4 * width
        config.layerCount = visionLayers
        config.headCount = heads
        config.imageSize = imageSize
        config.patchSize = patchSize
        config.projectionDim = width
        return config
    }
}
