import Checkpoint
import Foundation
import Kernels
import Model

/// A loss or a gradient that is no number; training stops on it rather than spoil the weights.
package struct NotFinite: Error, CustomStringConvertible {
    package let step: Int
    package let what: String
    package let records: [String]

    package var description: String {
        let (these, those) = records.count == 1 ? ("record", "that record") : ("records", "those records")
        return "step \(step + 1): \(what) is not finite at \(these) \(records.joined(separator: ", ")); "
            + "lower --learning-rate, or look at \(those)"
    }
}

/// A run after which every weight is what it was.
package struct NothingLearned: Sendable, CustomStringConvertible {
    let steps: Int
    /// Of the run's steps: the largest learning rate and norm of the gradient.
    let rate: Double
    let norm: Double

    package var description: String {
        "\(steps) steps changed no weight: the highest learning rate was \(rate) and the largest norm of a gradient "
            + "\(norm); raise --learning-rate or take more steps, or check that the records teach anything"
    }
}

/// What a step reports: TRL's names, in order.
package typealias Metrics = [(name: String, value: Double)]

/// The loop that all trainings share: gradients of a step, clipping, AdamW, a log line, now and then a
/// checkpoint from which a killed run continues to the same bytes.
package struct TrainingLoop {
    package let optimizer: AdamW
    package let schedule: Schedule
    /// Checkpoint and log live here.
    package let directory: URL
    /// Steps between checkpoints.
    package let saveEvery: Int
    /// Names the run that a checkpoint belongs to: arguments, data and model.
    package let identity: String
    /// Called after the weights changed.
    package let weightsChanged: () -> Void

    package init(
        optimizer: AdamW, schedule: Schedule, directory: URL, saveEvery: Int, identity: String,
        weightsChanged: @escaping () -> Void
    ) {
        self.optimizer = optimizer
        self.schedule = schedule
        self.directory = directory
        self.saveEvery = saveEvery
        self.identity = identity
        self.weightsChanged = weightsChanged
    }

    private var state: TrainingState { TrainingState(directory: directory, identity: identity) }

    /// Steps that an interrupted run has done, from which `run(resume: true)` goes on.
    package var savedSteps: Int { get throws { try state.savedSteps } }

    /// Runs to the schedule's last step.
    ///
    /// - Parameter resume: continue from the checkpoint if there is one.
    /// - Parameter gradients: adds the gradients of step `step` and returns its metrics, the loss first, and
    ///   the ids of its records.
    /// - Returns: nil where something was learned.
    /// - Throws: `NotFinite`, and what `gradients` throws.
    package func run(
        resume: Bool, report: (_ step: Int, Metrics) -> Void,
        gradients: (_ step: Int) throws -> (Metrics, records: [String])
    ) throws -> NothingLearned? {
        // A resumed run is held against its own beginning too: it starts from the same weights.
        let before = optimizer.fingerprint
        var highest = (rate: 0.0, norm: 0.0)
        if resume { try state.restore(optimizer) } else { try state.clear() }
        weightsChanged()
        while optimizer.step < schedule.steps {
            let step = optimizer.step
            let (metrics, records) = try gradients(step)
            if let bad = metrics.first(where: { !$0.value.isFinite }) {
                throw NotFinite(step: step, what: bad.name, records: records)
            }
            let rate = schedule.rate(afterSteps: step)
            let norm = optimizer.gradientNorm
            guard norm.isFinite else { throw NotFinite(step: step, what: "the gradient", records: records) }
            highest = (max(highest.rate, rate), max(highest.norm, norm))
            optimizer.update(rate: Float(rate), norm: norm)
            weightsChanged()
            let line = metrics + [("grad_norm", norm), ("learning_rate", rate)]
            try state.log(step: step + 1, line)
            report(step + 1, line)
            if (step + 1) % saveEvery == 0 { try state.save(optimizer) }
        }
        guard optimizer.fingerprint == before else { return nil }
        return NothingLearned(steps: optimizer.step, rate: highest.rate, norm: highest.norm)
    }

    /// To be called once the result is written.
    package static func removeCheckpoint(in directory: URL) throws {
        try TrainingState.removeCheckpoint(in: directory)
    }
}
