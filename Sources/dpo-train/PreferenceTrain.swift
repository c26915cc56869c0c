import ArgumentParser
import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import ModelOptions
import Records
import StageKit
import Training

/// Direct preference optimisation of a LoRA on pairs of answers.
@main struct PreferenceTrain: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "dpo-train",
        abstract: "Train a LoRA adapter on preference pairs.",
        discussion: """
            Reads pairs {"id","image","prompt","chosen","rejected"} and writes a PEFT adapter; a pair without id
            is named by the number of its line. The reference is the model with the adapters given by --adapter
            folded in; its log-probabilities are computed once and kept in pairs.jsonl beside the adapter.
              dpo-train pairs.jsonl --model data/llava --image-root images -o adapter
            """)
    static let immaterialOptions: Set<String> = ["save-every", "feature-memory"]

    @OptionGroup var input: InputOptions
    @OptionGroup var images: ImageOptions
    @Option(help: "Transparent pixels: laid onto white, or their alpha dropped.")
    var imageAlpha = AlphaRule.white
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Adapter to write.", valueName: "folder"))
    var output: String
    @Option(help: ArgumentHelp("Adapter to start from instead of a fresh one.", valueName: "folder"))
    var initialAdapter: String?
    @Flag(help: "Go on from the checkpoint of an interrupted run.") var resume = false
    @Option(help: "Rank of the adapter.") var rank = 16
    @Option(help: "Scale of the adapter times its rank.") var alpha = 32.0
    @OptionGroup(title: "Loss") var lossOptions: LossOptions
    @Option(help: "Times that each pair is seen.") var epochs = 1
    @Option(help: "Pairs of a step.") var batch = 16
    @Option(help: "Tokens of a forward pass at most; a step's other pairs go in further passes.")
    var passTokens = 8192
    @Option(help: "Highest learning rate.") var learningRate = 2e-4
    @Option(help: "Shape of the schedule after warm-up.") var schedule = Schedule.Shape.cosine
    @Option(help: "Share of the steps that is linear warm-up.") var warmupRatio = 0.03
    @Option(help: "Decay of the adapter.") var weightDecay: Float = 0
    @Option(help: "Largest norm of the gradient; 0 for any.") var maxGradNorm: Float = 1
    @Option(help: "Share of the pairs that is held out to measure reward accuracy.") var holdOut = 0.05
    @Option(help: "Steps between checkpoints.") var saveEvery = 50
    @Option(help: ArgumentHelp("Memory for image features.", valueName: "MiB")) var featureMemory = 2048
    @Flag(help: "Print token, id and label of each pair's chosen answer, and stop.") var dumpTokens = false

    func validate() throws {
        if rank < 1 { throw ValidationError("--rank \(rank): give a number from 1") }
        if epochs < 1 { throw ValidationError("--epochs \(epochs): give a number from 1") }
        if batch < 1 { throw ValidationError("--batch \(batch): give a number from 1") }
        if !(0..<1).contains(holdOut) { throw ValidationError("--hold-out \(holdOut): give a share below 1") }
        if !(0...1).contains(warmupRatio) {
            throw ValidationError("--warmup-ratio \(warmupRatio): give a share")
        }
        if saveEvery < 1 { throw ValidationError("--save-every \(saveEvery): give a number from 1") }
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(
            ["rank", "alpha"], where: initialAdapter != nil,
            belongingTo: "a fresh adapter, not to --initial-adapter")
    }

    func run(in run: StageRun) throws {
        try engine.prepare(run)
        let target = try AtomicFolder(output)
        let policy = try model.open(run, imageAlpha)
        let examples = try run.records(input, from: .unnamed) {
            try PairSet.Pair($0, policy, images, gamma: lossOptions.gamma)
        }
        guard !examples.isEmpty else { throw StageError.failed("no pairs to train on; give files of pairs") }
        if lossOptions.gamma != 1, examples.allSatisfy({ $0.weights == nil }) {
            throw StageError.failed(
                "--gamma \(lossOptions.gamma): no pair says what was changed; mark it with pair --align-edits"
            )
        }
        let pairs = PairSet(
            examples, policy, featureMemory: featureMemory << 20, scoresAreSums: lossOptions.scoresAreSums)
        if dumpTokens { return pairs.dump(policy, run.console) }
        if run.isDryRun { return run.console.say("\(pairs.examples.count) pairs can be trained on") }
        try attachAdapter(policy)

        let folder = URL(fileURLWithPath: try target.prepare(keeping: resume))
        let trainer = PreferenceTrainer(
            policy.decoder, lossOptions.preferenceLoss, rowLimit: passTokens)
        let reference = try pairs.reference(trainer, digest: policy.digest, folder: folder, run)
        let split = pairs.split(holdOut: holdOut)
        let loop = try train(policy, trainer, pairs, reference, split.training, folder, run)
        if !split.heldOut.isEmpty { try measure(trainer, pairs, reference, split.heldOut, run) }

        let adapter = policy.decoder.adapter(
            baseModelName: model.model, baseDigest: policy.digest)
        try adapter?.write(to: folder)
        try loop.finish()
        try target.publish()
        try run.addOutput(output, kind: .model)
    }

    private func attachAdapter(_ policy: VisionLanguageModel) throws {
        let decoder = policy.decoder
        if let initialAdapter {
            try decoder.attach(PEFTAdapter.read(URL(fileURLWithPath: initialAdapter)), from: initialAdapter)
        } else {
            decoder.attachAdapter(rank: rank, scale: Float(alpha) / Float(rank), seed: engine.seed)
        }
        decoder.adapterParameters.forEach { $0.train() }
    }

    private func train(
        _ policy: VisionLanguageModel, _ trainer: PreferenceTrainer, _ pairs: PairSet,
        _ reference: [PairScores], _ training: [Int], _ folder: URL, _ run: StageRun
    ) throws -> TrainingLoop {
        guard !training.isEmpty else { throw StageError.failed("every pair is held out; lower --hold-out") }
        let decoder = policy.decoder
        let parameters = decoder.adapterParameters
        let count = parameters.reduce(0) { $0 + $1.count }
        run.console.say(
            "training \(count) parameters on \(decoder.adapterTargets.count) layers, \(training.count) pairs")
        var settings = AdamW.Settings()
        settings.weightDecay = weightDecay
        settings.clip = maxGradNorm
        var order = BatchOrder(count: training.count, batch: batch, seed: engine.seed)
        let steps = epochs * order.stepsPerEpoch
        let loop = TrainingLoop(
            optimiser: AdamW(parameters, settings),
            schedule: Schedule(
                shape: schedule, peak: learningRate, warmup: Int((warmupRatio * Double(steps)).rounded(.up)),
                steps: steps),
            directory: folder, saveEvery: saveEvery, identity: try run.identity(input),
            weightsChanged: { decoder.adapterTargets.forEach { $0.adapterChanged() } })
        let progress = run.progress(
            total: steps, unit: "steps", resumed: resume ? try loop.savedSteps : 0)
        let nothing = try loop.run(
            resume: resume, report: { _, metrics in progress.advance(detail: describe(metrics)) },
            gradients: { step in
                let chosen = order.examples(step: step).map { training[$0] }
                let metrics = trainer.addGradients(
                    try pairs.examples(chosen), reference: chosen.map { reference[$0] })
                return (metrics, chosen.map { pairs.examples[$0].id })
            })
        progress.finish()
        if let nothing { run.console.warn("\(nothing)") }
        return loop
    }

    private func measure(
        _ trainer: PreferenceTrainer, _ pairs: PairSet, _ reference: [PairScores], _ heldOut: [Int],
        _ run: StageRun
    ) throws {
        let metrics = trainer.evaluate(try pairs.examples(heldOut), reference: heldOut.map { reference[$0] })
        run.console.say("held out \(heldOut.count) pairs: \(describe(metrics))")
        for metric in metrics { run.addMetric("eval_" + metric.name, metric.value) }
    }
}

extension Schedule.Shape: ExpressibleByArgument {}
