import Foundation

/// Learning rate over a run: linear warm-up from 0, then constant, linear or half a cosine to `floor · peak`,
/// as transformers' `get_*_schedule_with_warmup` (floor 0).
package struct Schedule: Sendable, Codable {
    package enum Shape: String, Sendable, Codable, CaseIterable { case constant, linear, cosine }

    package let shape: Shape
    package let peak: Double
    package let warmup: Int
    package let steps: Int
    package var floor: Double = 0

    package init(shape: Shape, peak: Double, warmup: Int, steps: Int, floor: Double = 0) {
        (self.shape, self.peak, self.warmup, self.steps, self.floor) = (shape, peak, warmup, steps, floor)
    }

    /// The rate of the step with `done` steps behind it.
    package func rate(afterSteps done: Int) -> Double {
        if done < warmup { return peak * Double(done) / Double(max(1, warmup)) }
        let progress = min(1, Double(done - warmup) / Double(max(1, steps - warmup)))
        let share =
            switch shape {
            case .constant: 1.0
            case .linear: 1 - progress
            case .cosine: 0.5 * (1 + cos(Double.pi * progress))
            }
        return peak * (floor + (1 - floor) * share)
    }
}
