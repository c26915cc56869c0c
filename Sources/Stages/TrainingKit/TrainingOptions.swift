import ArgumentParser
import Foundation
import Model
import StageKit
import Training

/// What differs between the programs that train: their defaults, and what an example is called.
package protocol TrainingDefaults {
    /// As "pairs".
    static var examples: String { get }
    static var batch: Int { get }
    static var learningRate: Double { get }
    static var saveEvery: Int { get }
}

/// Options of every program that trains.
package struct TrainingOptions<Defaults: TrainingDefaults>: ParsableArguments {
    @Flag(help: "Continue from the checkpoint of an interrupted run.") package var resume = false
    @Option(help: "\(Defaults.examples.capitalized) per step.") package var batch = Defaults.batch
    @Option(help: "Peak learning rate.") package var learningRate = Defaults.learningRate
    @Option(help: "Steps between checkpoints.") package var saveEvery = Defaults.saveEvery

    package init() {}

    package func validate() throws {
        try checkFromOne([("batch", batch), ("save-every", saveEvery)])
        if !(learningRate >= 0 && learningRate.isFinite) {
            throw ValidationError("--learning-rate \(learningRate): give a number from 0")
        }
    }
}

/// What differs between programs whose training ends after a number of steps.
package protocol StepDefaults: TrainingDefaults {
    static var steps: Int { get }
    static var stepsHelp: ArgumentHelp { get }
    static var weightDecay: Float { get }
}

extension StepDefaults {
    package static var stepsHelp: ArgumentHelp { "Number of steps." }
}

/// Options of programs that train a model for a number of steps, half a cosine after the warm-up.
package struct StepOptions<Defaults: StepDefaults>: ParsableArguments {
    @OptionGroup package var common: TrainingOptions<Defaults>
    @Option(help: Defaults.stepsHelp) package var steps = Defaults.steps
    @Option(help: "Steps of linear warm-up, before the cosine decay.") package var warmup = 100
    @Option(help: "Weight decay of matrices.") package var weightDecay = Defaults.weightDecay

    package init() {}

    package func validate() throws {
        if steps < 0 { throw ValidationError("--steps \(steps): give a number from 0") }
    }

    package func plan(_ order: any ExampleOrder) -> TrainingPlan {
        var optimizer = AdamW.Settings()
        optimizer.weightDecay = weightDecay
        optimizer.beta2 = 0.98
        return TrainingPlan(
            order: order, optimizer: optimizer,
            schedule: Schedule(shape: .cosine, peak: common.learningRate, warmup: warmup, steps: steps),
            saveEvery: common.saveEvery)
    }
}

/// What differs between programs that train an adapter.
package protocol AdapterDefaults: TrainingDefaults {
    static var schedule: Schedule.Shape { get }
    /// What `--hold-out` is a share of, and what for.
    static var heldOut: String { get }
}

/// Options of programs that train an adapter on pairs, for some epochs.
package struct AdapterTrainingOptions<Defaults: AdapterDefaults>: ParsableArguments {
    @OptionGroup package var common: TrainingOptions<Defaults>
    @Option(help: "Rank of the adapter.") package var rank = 16
    @Option(help: "LoRA alpha: the adapter's scale times its rank.") package var alpha = 32.0
    @Option(help: "Number of passes over the \(Defaults.examples).") package var epochs = 1
    @Option(
        help: ArgumentHelp(
            "Maximum tokens per forward pass, or as many of 8192 as the memory holds; a step with more takes several passes.",
            valueName: "n"))
    package var passTokens: Int?
    @Option(help: "Learning-rate schedule after warm-up.") package var schedule = Defaults.schedule
    @Option(help: "Share of the steps spent on linear warm-up.") package var warmupRatio = 0.03
    @Option(help: "Gradient norm to clip at; 0 for no clipping.") package var maxGradNorm: Float = 1
    @Option(help: "Share of the \(Defaults.heldOut).") package var holdOut = 0.05
    @Option(help: ArgumentHelp("Memory for cached image features.", valueName: "MiB"))
    package var featureMemory = 2048

    package init() {}

    package func validate() throws {
        try checkFromOne([("rank", rank), ("epochs", epochs), ("pass-tokens", passTokens ?? 1)])
        if !(0..<1).contains(holdOut) { throw ValidationError("--hold-out \(holdOut): give a share below 1") }
        if !(maxGradNorm >= 0) {
            throw ValidationError("--max-grad-norm \(maxGradNorm): give a number from 0")
        }
        if rank > 16384 { throw ValidationError("--rank \(rank): give a number up to 16384") }
        if !(0...1).contains(warmupRatio) {
            throw ValidationError("--warmup-ratio \(warmupRatio): give a share")
        }
    }

    package func attachAdapter(to decoder: Llama, seed: UInt64) {
        decoder.attachAdapter(rank: rank, scale: Float(alpha) / Float(rank), seed: seed)
    }

    /// - Parameter keys: of the pairs, by which each is held out or not.
    /// - Throws: `StageError` where none is left to train on.
    package func split(_ keys: [String]) throws -> HoldOut {
        let split = HoldOut(keys, share: holdOut)
        guard !split.training.isEmpty else {
            throw StageError.failed("every pair is held out; lower --hold-out")
        }
        return split
    }

    /// - Parameter count: examples that are trained on.
    package func plan(_ count: Int, weightDecay: Float = 0, seed: UInt64) -> TrainingPlan {
        var optimizer = AdamW.Settings()
        optimizer.weightDecay = weightDecay
        optimizer.clip = maxGradNorm
        let order = BatchOrder(count: count, batch: common.batch, seed: seed)
        let steps = epochs * order.stepsPerEpoch
        return TrainingPlan(
            order: order, optimizer: optimizer,
            schedule: Schedule(
                shape: schedule, peak: common.learningRate,
                warmup: Int((warmupRatio * Double(steps)).rounded(.up)), steps: steps),
            saveEvery: common.saveEvery)
    }
}

private func checkFromOne(_ options: [(name: String, value: Int)]) throws {
    for (name, value) in options where value < 1 {
        throw ValidationError("--\(name) \(value): give a number from 1")
    }
}

extension Schedule.Shape: ExpressibleByArgument {}
