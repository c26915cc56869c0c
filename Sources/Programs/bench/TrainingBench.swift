import Kernels
import Model
import Training

/// Steps of `dpo-train` as TRL takes them: pictures read and encoded, the reference's log-probabilities, gradients
/// of a LoRA of rank 128 on the seven projections, AdamW. TRL runs the reference inside each step; here too
/// every pair gets its pass, as in one epoch of `dpo-train`, which keeps the result for the next ones.
final class TrainingBench {
    static let rank = 128
    private let workload: Workload
    private let trainer: GroupTrainer<PreferenceLoss>
    private let optimiser: AdamW
    /// Remembers no picture, so that each is encoded in every step.
    private let pictures: PictureCache

    init(_ workload: Workload) {
        self.workload = workload
        let decoder = workload.model.decoder
        decoder.attachAdapter(rank: Self.rank, scale: 2, seed: 1)
        decoder.adapterParameters.forEach { $0.train() }
        trainer = GroupTrainer(decoder, PreferenceLoss(beta: 0.1))
        pictures = PictureCache(workload.model, memory: 0)
        optimiser = AdamW(decoder.adapterParameters, AdamW.Settings())
    }

    deinit { workload.model.decoder.adapterTargets.forEach { $0.attach(nil) } }

    /// The batch size with the most pairs per second; the first step of each warms up.
    func climb(_ sizes: [Int]) throws -> Int {
        var (best, rate) = (sizes[0], 0.0)
        for size in sizes {
            try step(batchSize: size, first: 0)
            let own = try turn(batchSize: size)
            guard own > 0.97 * rate else { break }
            if own > rate { (best, rate) = (size, own) }
        }
        return best
    }

    /// Pairs per second of one step.
    func turn(batchSize: Int) throws -> Double {
        Double(batchSize) / (try wallSeconds { try step(batchSize: batchSize, first: 0) })
    }

    func step(batchSize: Int, first: Int) throws {
        let pairs = (first..<first + batchSize).map { workload.pairs[$0 % workload.pairs.count] }
        let shown = try pictures.pictures(at: pairs.map(\.image))
        var batch = zip(pairs, shown).map { pair, picture in
            PreferenceExample(
                id: pair.id, prompt: pair.prompt, picture: picture, chosen: pair.chosen,
                rejected: pair.rejected)
        }
        for (index, scores) in trainer.referenceScores(batch).enumerated() { batch[index].reference = scores }
        _ = trainer.addGradients(batch)
        optimiser.update(rate: 1e-5, norm: optimiser.gradientNorm)
        workload.model.decoder.adapterTargets.forEach { $0.adapterChanged() }
    }
}
