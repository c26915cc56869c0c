import Checkpoint
import Foundation
import Model
import ModelOptions
import StageKit
import Training

/// A training as a stage, from its folder to what is published there: the steps with their progress and
/// checkpoints, what is held out, the result. The same for every program that trains.
package struct TrainingSession {
    /// Where the result is made: empty, or with what an interrupted run left there.
    package let folder: URL
    private let target: AtomicFolder
    private let resume: Bool
    private let run: StageRun

    /// - Parameters:
    ///   - resume: continue from the checkpoint of an interrupted run.
    ///   - models: that are opened later.
    /// - Throws: `StageError`, with exit code 75 where another process fills the folder.
    package init(
        _ target: AtomicFolder, resume: Bool, reading models: [String?] = [], _ run: StageRun
    ) throws {
        try run.checkThatNoModelIs(in: target.output, others: models.compactMap { $0 })
        folder = URL(fileURLWithPath: try target.prepare(keeping: resume))
        self.target = target
        self.resume = resume
        self.run = run
    }

    /// Takes the steps of `plan`, and warns where they changed no weight.
    ///
    /// - Parameters:
    ///   - parameters: those of them that are trained are.
    ///   - input: the records, which name the run for its checkpoints.
    ///   - weightsChanged: called after each step.
    ///   - gradients: adds the gradients of a step's examples; returns its metrics, the loss first, and the ids of
    ///     its records.
    /// - Throws: `NotFinite`, `TrainingStateError`, `StageError`, and what `gradients` throws.
    package func train(
        _ parameters: [Parameter], _ plan: TrainingPlan, on input: InputOptions,
        weightsChanged: @escaping () -> Void,
        gradients: (_ step: Int, _ examples: [Int]) throws -> (Metrics, records: [String])
    ) throws {
        try run.checkThatNoModelIs(in: target.output)
        let loop = TrainingLoop(
            optimizer: AdamW(parameters, plan.optimizer), schedule: plan.schedule, directory: folder,
            saveEvery: plan.saveEvery, identity: try run.identity(input), weightsChanged: weightsChanged)
        var order = plan.order
        let progress = run.progress(
            total: plan.schedule.steps, unit: "steps", resumed: resume ? try loop.savedSteps : 0)
        let nothing = try loop.run(
            resume: resume, report: { _, metrics in progress.advance(detail: describe(metrics)) },
            gradients: { step in try gradients(step, order.examples(step: step)) })
        progress.finish()
        if let nothing { run.console.warn("\(nothing)") }
    }

    /// Says and notes what `evaluate` finds of the pairs that were held out, where there are any.
    package func measure(_ heldOut: [Int], _ evaluate: ([Int]) throws -> Metrics) throws {
        guard !heldOut.isEmpty else { return }
        let metrics = try evaluate(heldOut)
        run.console.say("held out \(heldOut.count) pairs: \(describe(metrics))")
        for metric in metrics { run.addMetric("eval_" + metric.name, metric.value) }
    }

    /// Writes the trained adapter of `model` to the folder.
    package func writeAdapter(of model: VisionLanguageModel, as type: ElementType = .f32) throws {
        try model.decoder.adapter(baseModelName: model.directory.relativePath, baseDigest: model.digest)?
            .write(to: folder, as: type)
    }

    /// Writes the trained adapter of `model` and what it lies over, so that the folder names a policy.
    package func writePolicy(of model: VisionLanguageModel, as type: ElementType = .f32) throws {
        try writeAdapter(of: model, as: type)
        try Policy(model: model.directory.relativePath, adapters: model.adapters)
            .write(to: folder.path, at: target.output)
    }

    /// Puts the folder in its place, once the result is written.
    package func publish() throws {
        try TrainingLoop.removeCheckpoint(in: folder)
        try target.publish()
        try run.addOutput(target.output, kind: .model)
    }
}
