import Kernels
import Random

/// What the steps of a training are, but for their gradients.
package struct TrainingPlan {
    package var order: any ExampleOrder
    package var optimizer: AdamW.Settings
    package var schedule: Schedule
    /// Steps between checkpoints.
    package var saveEvery: Int

    package init(order: any ExampleOrder, optimizer: AdamW.Settings, schedule: Schedule, saveEvery: Int) {
        self.order = order
        self.optimizer = optimizer
        self.schedule = schedule
        self.saveEvery = saveEvery
    }
}

/// Which examples a step sees: a function of the step alone, so that a resumed run sees what an uninterrupted one
/// would.
package protocol ExampleOrder {
    /// Positions of the examples of `step`.
    mutating func examples(step: Int) -> [Int]
}

/// Which examples are trained on and which are held out: an example's key decides, so that adding some moves
/// none of the others.
package struct HoldOut {
    package let training: [Int]
    package let heldOut: [Int]

    /// - Parameter share: of the keys that is held out, in the long run.
    package init(_ keys: [String], share: Double) {
        let isHeldOut = keys.map { key in
            var generator = SplitMix64(seed: 0, key: key)
            return generator.nextUniform() < share
        }
        training = keys.indices.filter { !isHeldOut[$0] }
        heldOut = keys.indices.filter { isHeldOut[$0] }
    }
}
