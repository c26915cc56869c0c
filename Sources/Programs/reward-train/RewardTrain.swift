import ArgumentParser
import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import ModelOptions
import Records
import RewardModels
import Rewards
import RunLedger
import StageKit
import Training
import TrainingKit

/// Trains a LoRA and a head that score answers, on comparisons of two.
@main struct RewardTrain: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "reward-train",
        abstract: "Train a reward model on comparisons, with or without facts.",
        discussion: """
            Reads pairs {"id","image","prompt","chosen","rejected","facts"} and writes a folder with a PEFT
            adapter, reward_head.safetensors and reward_config.json, with which calibrate --reward scores
            answers. After each answer the prompt file asks the model to grade it, and shows it the facts in
            a new order in every epoch; a record without facts is graded without.
              reward-train pairs.jsonl --model data/llava --prompt-file data/prompts/grade-short.txt -o reward
            """)
    static let immaterialOptions: Set<String> = ["save-every", "feature-memory"]

    @OptionGroup var input: InputOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: TrainingPictureOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("Folder to write the reward model to.", valueName: "folder")
    )
    var output: String
    @Option(help: ArgumentHelp("Text that asks for a grade.", valueName: "file")) var promptFile: String
    @Flag(inversion: .prefixedNo, help: "Show the record's facts to the grader.")
    var facts = true
    @OptionGroup var looks: RewardPictureOptions
    @OptionGroup var training: AdapterTrainingOptions<Defaults>
    @Option(help: "Weight of |mean of all scores|, added to the loss.") var centering = 1e-3
    @Flag(help: "Print the tokens read for each comparison's chosen answer, with ids, and stop.")
    var dumpTokens = false

    enum Defaults: AdapterDefaults {
        static let examples = "comparisons"
        static let (batch, learningRate, saveEvery) = (16, 2e-4, 50)
        static let schedule = Schedule.Shape.constant
        static let heldOut = "pictures whose comparisons are held out to measure accuracy"
    }

    func validate() throws {
        if !(centering >= 0) { throw ValidationError("--centering \(centering): give a number from 0") }
    }

    func run(in run: StageRun) throws {
        try engine.prepareTraining(run)
        let target = try AtomicFolder(output)
        let file = try run.promptFile(promptFile)
        let prompt = try GradingPrompt(file.text, place: "--prompt-file \(promptFile)")
        let policy = try model.open(run, pictures.reading)
        let grader = Grader(policy, prompt, showsFacts: facts)
        let view = try looks.view(of: input, seed: engine.seed, run)
        let read = try run.records(input) {
            try Comparisons.Comparison(
                $0, grader, images, view, epochs: training.epochs, seed: engine.seed)
        }
        guard !read.isEmpty else {
            throw StageError.failed(
                "no pairs to train on, the input has none; see what pair dropped, and why")
        }
        let comparisons = Comparisons(read, policy, featureMemory: training.featureMemory << 20)
        if dumpTokens { return comparisons.dump(policy, run.console) }
        let bare = read.count { !$0.hasFacts }
        if facts, bare > 0 { run.console.say("\(bare) of \(read.count) pairs have no facts") }
        let decoder = policy.decoder
        let cut = try PassPlan(
            policy, training: .adapter(rank: training.rank), groups: comparisons.lengths,
            batch: training.common.batch, tokens: training.passTokens, pictures: comparisons.pictureBytes,
            engine.computing, run)
        if run.isDryRun {
            run.console.say("\(read.count) pairs can be trained on")
            var work = WorkEstimate(policy)
            for (pair, rows) in zip(read, comparisons.lengths) {
                try work.add(rows: rows, picture: pair.image)
            }
            return try work.say(
                training: training.rank, epochs: Double(training.epochs), recomputes: cut.recomputes, run)
        }

        training.attachAdapter(to: decoder, seed: engine.seed)
        let head = RewardHead(width: decoder.config.hiddenSize, seed: engine.seed)
        let parameters = decoder.adapterParameters + head.parameters
        parameters.forEach { $0.train() }
        let trainer = GroupTrainer(
            decoder, RewardLoss(centering: centering), head: head, passes: cut.passes,
            recomputes: cut.recomputes)
        let session = try TrainingSession(target, resume: training.common.resume, run)
        let split = try training.split(comparisons.all.map(\.holdOutKey))
        let count = parameters.reduce(0) { $0 + $1.count }
        run.console.say("training \(count) parameters on \(split.training.count) pairs")
        let plan = training.plan(split.training.count, seed: engine.seed)
        try session.train(
            parameters, plan, on: input,
            weightsChanged: { decoder.adapterTargets.forEach { $0.adapterChanged() } },
            gradients: { step, places in
                let epoch = step * training.epochs / plan.schedule.steps
                let batch = try comparisons.examples(places.map { split.training[$0] }, epoch: epoch)
                return (trainer.addGradients(batch), batch.map(\.id))
            })
        try session.measure(split.heldOut) { trainer.evaluate(try comparisons.examples($0)) }

        try session.writeAdapter(of: policy)
        try head.write(to: RewardModel.head(in: session.folder))
        try RewardConfig(
            baseDigest: policy.digest, promptID: file.name, prompt: prompt, showsFacts: facts,
            picture: looks.picture.rawValue
        ).write(to: session.folder)
        try session.publish()
    }
}
