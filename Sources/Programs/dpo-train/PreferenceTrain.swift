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
import TrainingKit

/// Direct preference optimization of a LoRA on pairs of answers.
@main struct PreferenceTrain: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "dpo-train",
        abstract: "Train a LoRA adapter on preference pairs.",
        discussion: """
            Reads pairs {"id","image","prompt","chosen","rejected"} and writes a PEFT adapter; a pair without id
            is named by its line number. The reference is the model with the adapters given by --adapter folded
            in; its log-probabilities are computed once and kept in pairs.jsonl in the adapter's folder.
              dpo-train pairs.jsonl --model data/llava --image-root images -o adapter
            """)
    static let immaterialOptions: Set<String> = ["save-every", "feature-memory"]

    @OptionGroup var input: InputOptions
    @OptionGroup var images: ImageOptions
    @OptionGroup var pictures: TrainingPictureOptions
    @OptionGroup var engine: EngineOptions
    @OptionGroup var model: ModelOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("Folder to write the adapter to.", valueName: "folder"))
    var output: String
    @Option(help: ArgumentHelp("Adapter to continue training instead of a fresh one.", valueName: "folder"))
    var initialAdapter: String?
    @OptionGroup(title: "Loss") var lossOptions: LossOptions
    @OptionGroup var training: AdapterTrainingOptions<Defaults>
    @Option(help: "Weight decay of the adapter.") var weightDecay: Float = 0
    @Flag(help: "Print the tokens of each pair's chosen answer with ids and labels, and stop.")
    var dumpTokens = false

    enum Defaults: AdapterDefaults {
        static let examples = "pairs"
        static let (batch, learningRate, saveEvery) = (16, 2e-4, 50)
        static let schedule = Schedule.Shape.cosine
        static let heldOut = "pairs held out to measure reward accuracy"
    }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(
            ["rank", "alpha"], where: initialAdapter != nil,
            belongingTo: "a fresh adapter, not to --initial-adapter")
    }

    func run(in run: StageRun) throws {
        try engine.prepareTraining(run)
        let target = try AtomicFolder(output)
        let policy = try model.open(run, pictures.reading)
        let examples = try run.records(input, from: .unnamed) {
            try PairSet.Pair($0, policy, images, gamma: lossOptions.gamma)
        }
        guard !examples.isEmpty else {
            throw StageError.failed(
                "no pairs to train on, the input has none; see what pair dropped, and why")
        }
        if lossOptions.gamma != 1, examples.allSatisfy({ $0.weights == nil }) {
            throw StageError.failed(
                "--gamma \(lossOptions.gamma): no pair says what was changed; mark it with pair --align-edits"
            )
        }
        let pairs = PairSet(
            examples, policy, featureMemory: training.featureMemory << 20,
            scoresAreSums: lossOptions.scoresAreSums)
        if dumpTokens { return pairs.dump(policy, run.console) }
        let initial = try initialAdapter.map { try PEFTAdapter.read(URL(fileURLWithPath: $0)) }
        if let initial, let initialAdapter { try policy.decoder.attach(initial, from: initialAdapter) }
        let cut = try PassPlan(
            policy, training: .adapter(rank: initial?.rank ?? training.rank), groups: pairs.lengths,
            batch: training.common.batch, tokens: training.passTokens, pictures: pairs.pictureBytes,
            engine.computing, run)
        if run.isDryRun {
            run.console.say("\(pairs.examples.count) pairs can be trained on")
            var work = WorkEstimate(policy)
            for (pair, rows) in zip(pairs.examples, pairs.lengths) {
                try work.add(rows: rows, picture: pair.image)
            }
            return try work.say(
                training: initial?.rank ?? training.rank, epochs: Double(training.epochs),
                recomputes: cut.recomputes, readsReference: true, run)
        }

        if initial == nil { training.attachAdapter(to: policy.decoder, seed: engine.seed) }
        policy.decoder.adapterParameters.forEach { $0.train() }
        let session = try TrainingSession(target, resume: training.common.resume, run)
        let trainer = GroupTrainer(
            policy.decoder, lossOptions.preferenceLoss, passes: cut.passes, recomputes: cut.recomputes)
        try pairs.findReference(trainer, digest: policy.digest, folder: session.folder, run)
        let split = try training.split(examples.map(\.id))
        try train(policy.decoder, trainer, pairs, split.training, session, run)
        try session.measure(split.heldOut) { trainer.evaluate(try pairs.examples($0)) }
        try session.writePolicy(of: policy)
        try session.publish()
    }

    private func train(
        _ decoder: Llama, _ trainer: GroupTrainer<PreferenceLoss>, _ pairs: PairSet, _ chosen: [Int],
        _ session: TrainingSession, _ run: StageRun
    ) throws {
        let parameters = decoder.adapterParameters
        let count = parameters.reduce(0) { $0 + $1.count }
        run.console.say(
            "training \(count) parameters on \(decoder.adapterTargets.count) layers, \(chosen.count) pairs")
        let plan = training.plan(chosen.count, weightDecay: weightDecay, seed: engine.seed)
        try session.train(
            parameters, plan, on: input,
            weightsChanged: { decoder.adapterTargets.forEach { $0.adapterChanged() } },
            gradients: { _, places in
                let batch = try pairs.examples(places.map { chosen[$0] })
                return (trainer.addGradients(batch), batch.map(\.id))
            })
    }
}
