import ArgumentParser
import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import ModelOptions
import Records
import Reward
import Rewards
import RunLedger
import StageKit
import Training

/// Trains a LoRA and a head that score answers, on comparisons of two.
@main struct RewardTrain: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "reward-train",
        abstract: "Train a reward model on comparisons, with facts before its eyes.",
        discussion: """
            Reads pairs {"id","image","prompt","chosen","rejected","facts"} and writes a folder with a PEFT
            adapter, reward_head.safetensors and reward_config.json, from which calibrate --reward scores
            answers. After each answer the model is asked to grade it by the prompt file, which shows it the
            facts in an order of their own in every epoch; a record without facts is graded without.
              reward-train pairs.jsonl --model data/llava --prompt-file data/prompts/grade-short.txt -o reward
            """)
    static let immaterialOptions: Set<String> = ["save-every", "feature-memory"]

    @OptionGroup var input: InputOptions
    @OptionGroup var images: ImageOptions
    @Option(help: "Transparent pixels: laid onto white, or their alpha dropped.")
    var imageAlpha = AlphaRule.white
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    @Option(name: [.short, .long], help: ArgumentHelp("Reward model to write.", valueName: "folder"))
    var output: String
    @Flag(help: "Go on from the checkpoint of an interrupted run.") var resume = false
    @Option(help: ArgumentHelp("How a grade is asked for.", valueName: "file")) var promptFile: String
    @Flag(inversion: .prefixedNo, help: "Show the facts of a record to who grades its answers.")
    var facts = true
    @OptionGroup var looks: RewardPictureOptions
    @Option(help: "Rank of the adapter.") var rank = 16
    @Option(help: "Scale of the adapter times its rank.") var alpha = 32.0
    @Option(help: "Weight of |mean of all scores| beside the loss.") var centring = 1e-3
    @Option(help: "Times that each comparison is seen.") var epochs = 1
    @Option(help: "Comparisons of a step.") var batch = 16
    @Option(help: "Tokens of a forward pass at most; a step's other comparisons go in further passes.")
    var passTokens = 8192
    @Option(help: "Highest learning rate.") var learningRate = 2e-4
    @Option(help: "Shape of the schedule after warm-up.") var schedule = Schedule.Shape.constant
    @Option(help: "Share of the steps that is linear warm-up.") var warmupRatio = 0.03
    @Option(help: "Largest norm of the gradient; 0 for any.") var maxGradNorm: Float = 1
    @Option(help: "Share of the pictures whose comparisons are held out to measure accuracy.")
    var holdOut = 0.05
    @Option(help: "Steps between checkpoints.") var saveEvery = 50
    @Option(help: ArgumentHelp("Memory for image features.", valueName: "MiB")) var featureMemory = 2048
    @Flag(help: "Print token and id of what is read of each comparison's chosen answer, and stop.")
    var dumpTokens = false

    func validate() throws {
        for (name, value) in [
            ("rank", rank), ("epochs", epochs), ("batch", batch), ("pass-tokens", passTokens),
            ("save-every", saveEvery),
        ] where value < 1 {
            throw ValidationError("--\(name) \(value): give a number from 1")
        }
        if !(0..<1).contains(holdOut) { throw ValidationError("--hold-out \(holdOut): give a share below 1") }
        if !(0...1).contains(warmupRatio) {
            throw ValidationError("--warmup-ratio \(warmupRatio): give a share")
        }
        if !(centring >= 0) { throw ValidationError("--centring \(centring): give a number from 0") }
    }

    func run(in run: StageRun) throws {
        try engine.prepare(run)
        let target = try AtomicFolder(output)
        let file = try run.promptFile(promptFile)
        let prompt = try GradingPrompt(file.text, place: "--prompt-file \(promptFile)")
        let policy = try model.open(run, imageAlpha)
        let grader = Grader(policy, prompt, showsFacts: facts)
        let view = try looks.view(of: input, seed: engine.seed, run)
        let read = try run.records(input) {
            try Comparisons.Comparison($0, grader, images, view, epochs: epochs, seed: engine.seed)
        }
        guard !read.isEmpty else { throw StageError.failed("no pairs to train on; give files of pairs") }
        let comparisons = Comparisons(read, policy, featureMemory: featureMemory << 20)
        if dumpTokens { return comparisons.dump(policy, run.console) }
        let bare = read.count { !$0.hasFacts }
        if facts, bare > 0 { run.console.say("\(bare) of \(read.count) pairs have no facts") }
        if run.isDryRun { return run.console.say("\(read.count) pairs can be trained on") }

        let decoder = policy.decoder
        decoder.attachAdapter(rank: rank, scale: Float(alpha) / Float(rank), seed: engine.seed)
        let head = RewardHead(width: decoder.config.hiddenSize, seed: engine.seed)
        let trainer = RewardTrainer(decoder, head, RewardLoss(centring: centring), rowLimit: passTokens)
        trainer.parameters.forEach { $0.train() }
        let folder = URL(fileURLWithPath: try target.prepare(keeping: resume))
        let split = comparisons.split(holdOut: holdOut)
        let identity = try run.identity(input)
        let loop = try train(trainer, comparisons, split.training, folder, identity, run)
        if !split.heldOut.isEmpty { try measure(trainer, comparisons, split.heldOut, run) }

        let config = RewardConfig(
            baseDigest: policy.digest, promptID: file.name, prompt: prompt,
            showsFacts: facts, picture: looks.picture.rawValue)
        try decoder.adapter(baseModelName: model.model, baseDigest: policy.digest)?
            .write(to: folder)
        try head.write(to: RewardModel.head(in: folder))
        try config.write(to: folder)
        try loop.finish()
        try target.publish()
        try run.addOutput(output, kind: .model)
    }

    private func train(
        _ trainer: RewardTrainer, _ comparisons: Comparisons, _ training: [Int], _ folder: URL,
        _ identity: String, _ run: StageRun
    ) throws -> TrainingLoop {
        guard !training.isEmpty else { throw StageError.failed("every pair is held out; lower --hold-out") }
        let count = trainer.parameters.reduce(0) { $0 + $1.count }
        run.console.say("training \(count) parameters on \(training.count) pairs")
        var settings = AdamW.Settings()
        settings.clip = maxGradNorm
        var order = BatchOrder(count: training.count, batch: batch, seed: engine.seed)
        let perEpoch = order.stepsPerEpoch
        let steps = epochs * perEpoch
        let loop = TrainingLoop(
            optimiser: AdamW(trainer.parameters, settings),
            schedule: Schedule(
                shape: schedule, peak: learningRate, warmup: Int((warmupRatio * Double(steps)).rounded(.up)),
                steps: steps),
            directory: folder, saveEvery: saveEvery, identity: identity,
            weightsChanged: { trainer.weightsChanged() })
        let progress = run.progress(total: steps, unit: "steps", resumed: resume ? try loop.savedSteps : 0)
        let nothing = try loop.run(
            resume: resume, report: { _, metrics in progress.advance(detail: describe(metrics)) },
            gradients: { step in
                let chosen = order.examples(step: step).map { training[$0] }
                let metrics = trainer.addGradients(
                    try comparisons.examples(chosen, epoch: step / perEpoch))
                return (metrics, chosen.map { comparisons.all[$0].id })
            })
        progress.finish()
        if let nothing { run.console.warn("\(nothing)") }
        return loop
    }

    private func measure(
        _ trainer: RewardTrainer, _ comparisons: Comparisons, _ heldOut: [Int], _ run: StageRun
    ) throws {
        let metrics = trainer.evaluate(try comparisons.examples(heldOut))
        run.console.say("held out \(heldOut.count) pairs: \(describe(metrics))")
        for metric in metrics { run.addMetric("eval_" + metric.name, metric.value) }
    }
}

extension Schedule.Shape: ExpressibleByArgument {}
