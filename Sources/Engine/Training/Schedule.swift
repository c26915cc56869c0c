import Foundation

/// Learning rate over a run: linear warm-up, then constant, linear or half a cosine to `floor · peak`, as transformers'
/// `get_*_schedule_with_warmup` (floor 0) without their first step. Those begin at a rate of 0, so that their first
/// step moves nothing, and a run of one step with warm-up trains nothing at all. Here the steps of warm-up have the
/// rates 1/(w + 1), …, w/(w + 1) of the peak, which is what theirs has after its first step with one step more of
/// warm-up and in all; without warm-up both are the same.
package struct Schedule: Sendable, Codable {
    package enum Shape: String, Sendable, Codable, CaseIterable { case constant, linear, cosine }

    package let shape: Shape
    package let peak: Double
    /// Steps below the peak; the next one has it.
    package let warmup: Int
    package let steps: Int
    package var floor: Double = 0

    package init(shape: Shape, peak: Double, warmup: Int, steps: Int, floor: Double = 0) {
        self.shape = shape
        self.peak = peak
        self.warmup = warmup
        self.steps = steps
        self.floor = floor
    }

    /// The rate of the step with `done` steps behind it: above 0 for each of the run.
    package func rate(afterSteps done: Int) -> Double {
        if done < warmup { return peak * Double(done + 1) / Double(warmup + 1) }
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
