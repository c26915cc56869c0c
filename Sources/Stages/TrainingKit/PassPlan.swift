import Model
import ModelOptions
import StageKit
import Training

/// How the steps of a training are cut so that they fit the memory.
package struct PassPlan {
    package let passes: Passes
    /// Whether layers are computed again in the backward pass instead of kept.
    package let recomputes: Bool

    /// What learns.
    package enum Trained {
        case adapter(rank: Int)
        /// Of so many parameters.
        case model(parameters: Int)

        var rank: Int {
            switch self {
            case .adapter(let rank): rank
            case .model: 0
            }
        }
    }

    /// Keeps everything where it fits, else recomputes layers, which gives the same bits, and only then takes fewer
    /// tokens a pass, which adds the same gradients up in another order.
    ///
    /// - Parameters:
    ///   - groups: tokens of each example.
    ///   - batch: examples a step.
    ///   - tokens: of a pass at most, where that was said.
    ///   - count: passes a step where they fit, cut by examples instead of tokens.
    ///   - pictures: bytes of the features that are kept.
    /// - Throws: `StageError` with all numbers where even the longest example by itself is too much.
    package init(
        _ model: VisionLanguageModel, training: Trained, groups: [Int], batch: Int, tokens: Int? = nil,
        count: Int? = nil, pictures: Int, _ computing: ComputeOptions, _ run: StageRun
    ) throws {
        let (decoder, longest) = (model.decoder, groups.max() ?? 0)
        let footprint = Footprint(decoder, rank: training.rank)
        // The most that a step can bring together.
        let step = groups.sorted(by: >).prefix(batch).reduce(0, +)
        var fixed = MemoryPlan(limit: computing.memoryLimit)
        fixed.add("weights", model.family.weightBytes)
        switch training {
        case .adapter(let rank):
            fixed.add("adapter, its gradient and moments", decoder.adapterBytes(rank: rank))
        case .model(let parameters):
            fixed.add("values, gradients and moments", 16 * parameters)
        }
        fixed.add("pictures", pictures)
        fixed.add("reading pictures", Footprint.decodingBytes)
        func plan(_ limit: Int, recomputes: Bool) -> MemoryPlan {
            var plan = fixed
            let rows = max(longest, min(limit, step))
            plan.add(
                "\(rows) tokens a pass\(recomputes ? ", recomputed" : "")",
                footprint.training(tokens: rows, recomputes: recomputes))
            return plan
        }
        let wanted = count.map { (step + $0 - 1) / $0 } ?? tokens ?? 8192
        var limit = wanted
        var recomputes = false
        if plan(limit, recomputes: false).left < 0 { recomputes = true }
        while tokens == nil, limit > longest, plan(limit, recomputes: recomputes).left < 0 { limit /= 2 }
        let chosen = plan(limit, recomputes: recomputes)
        try chosen.check(
            remedy:
                "use shorter answers or fewer tokens of the picture, a lower rank or a smaller model, or give it more"
        )
        if run.isDryRun { run.console.say("\(chosen)") }
        if recomputes {
            run.console.say("layers are recomputed, at most \(limit) tokens a pass, to fit --memory")
        }
        passes = count.flatMap { limit == wanted ? .count($0) : nil } ?? .rows(limit)
        self.recomputes = recomputes
    }
}
