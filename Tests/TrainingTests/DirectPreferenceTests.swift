import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Testing
import Training

/// `dpo-pairs.json`
private struct Pairs: Decodable {
    struct Pair: Decodable {
        let id: String
        let picture: String
        let promptIds: [Int32]
        let chosenIds: [Int32]
        let rejectedIds: [Int32]
    }

    let pairs: [Pair]
}

/// `dpo-constant.json`, `dpo-cosine.json`
private struct Replay: Decodable {
    struct Step: Decodable {
        let loss: Double
        let learningRate: Double
        let gradNorm: Double
        let chosen: Double
        let rejected: Double
        let margins: Double
        let accuracies: Double
        let refLogps: [[Double]]?

        enum CodingKeys: String, CodingKey {
            case loss, learningRate, gradNorm, refLogps
            case chosen = "logps/chosen"
            case rejected = "logps/rejected"
            case margins = "rewards/margins"
            case accuracies = "rewards/accuracies"
        }
    }

    let beta: Double
    let batchSize: Int
    let learningRate: Double
    let warmupSteps: Int
    let maxGradNorm: Float
    let trlF32: [Step]
    let plainF64: [Step]
}

/// `dpo-variants.json`
private struct Variants: Decodable {
    struct Run: Decodable {
        struct Step: Decodable {
            let loss: Double
            let gradNorm: Double
            let learningRate: Double
        }

        let name: String
        let steps: [Step]
    }

    let beta: Double
    let maxGradNorm: Float
    let runs: [Run]
}

/// Near in size as well as in difference: 1 + |right| is the unit.
private func distance(_ left: Double, _ right: Double) -> Double {
    left.isFinite ? abs(left - right) / (1 + abs(right)) : .infinity
}

@Suite struct DirectPreferenceTests {
    static func start() throws -> (model: Llava, pairs: [PreferenceExample]) {
        let model = try Oracle.llava("llava-grouped")
        try model.decoder.attach(Oracle.adapter(), from: "adapter-grouped")
        model.decoder.adapterParameters.forEach { $0.train() }
        let pixels = try Oracle.tensors("dpo-pixels")
        let arena = Arena()
        let pairs = try Oracle.json("dpo-pairs", as: Pairs.self).pairs.map { pair in
            let name = URL(fileURLWithPath: pair.picture).deletingPathExtension().lastPathComponent
            arena.reset()
            return PreferenceExample(
                id: pair.id, prompt: expand(pair.promptIds, image: model.config.imageTokenID),
                picture: model.pictures([TowerInput(tile: try Oracle.floats(pixels, name))], arena)[0],
                chosen: pair.chosenIds, rejected: pair.rejectedIds)
        }
        return (model, pairs)
    }

    /// The pairs with their scores under the reference of `trainer`.
    static func compared(
        _ pairs: [PreferenceExample], _ trainer: GroupTrainer<PreferenceLoss>
    ) -> [PreferenceExample] {
        zip(pairs, trainer.referenceScores(pairs)).map { pair, scores in
            var pair = pair
            pair.reference = scores
            return pair
        }
    }

    /// Ten steps as TRL's DPOTrainer takes them; with a small `rowLimit`, a batch in several passes.
    @Test(arguments: [("dpo-constant", 8192), ("dpo-cosine", 8192), ("dpo-cosine", 1)])
    func replaysTRL(_ run: (name: String, rowLimit: Int)) throws {
        let expected: Replay = try Oracle.json(run.name)
        let (model, bare) = try Self.start()
        let trainer = GroupTrainer(
            model.decoder, PreferenceLoss(beta: expected.beta), passes: .rows(run.rowLimit))
        let pairs = Self.compared(bare, trainer)
        var settings = AdamW.Settings()
        settings.clip = expected.maxGradNorm
        let optimiser = AdamW(model.decoder.adapterParameters, settings)
        // TRL's warm-up has a first step at rate 0, which moves AdamW's moments; ours leaves it out.
        let skipped = expected.warmupSteps > 0 ? 1 : 0
        let schedule = Schedule(
            shape: run.name == "dpo-cosine" ? .cosine : .constant, peak: expected.learningRate,
            warmup: expected.warmupSteps - skipped, steps: expected.trlF32.count - skipped)

        for (step, (trl, exact)) in zip(expected.trlF32, expected.plainF64).enumerated() {
            let range = step * expected.batchSize..<(step + 1) * expected.batchSize
            let metrics = Dictionary(
                uniqueKeysWithValues: trainer.addGradients(Array(pairs[range])).map { ($0.name, $0.value) })
            let rate = step < skipped ? 0 : schedule.rate(afterSteps: step - skipped)
            let norm = optimiser.gradientNorm
            optimiser.update(rate: Float(rate), norm: norm)
            model.decoder.linears.forEach { $0.weightsChanged() }

            for (pair, logps) in zip(range, try #require(exact.refLogps)) {
                #expect(distance(pairs[pair].reference.chosen, logps[0]) < 1e-6)
                #expect(distance(pairs[pair].reference.rejected, logps[1]) < 1e-6)
            }
            #expect(distance(rate, trl.learningRate) < 1e-9)
            for side in [trl, exact] {
                #expect(distance(try #require(metrics["loss"]), side.loss) < 1e-4, "step \(step)")
                #expect(distance(norm, side.gradNorm) < 1e-4, "step \(step)")
                #expect(distance(try #require(metrics["logps/chosen"]), side.chosen) < 1e-5)
                #expect(distance(try #require(metrics["logps/rejected"]), side.rejected) < 1e-5)
                #expect(distance(try #require(metrics["rewards/margins"]), side.margins) < 1e-4)
                #expect(metrics["rewards/accuracies"] == side.accuracies)
            }
        }
        let final = try Oracle.tensors("\(run.name).final")
        for parameter in model.decoder.adapterParameters {
            let wanted = try Oracle.floats(final, "base_model.model.\(parameter.name)")
            let error = relativeError(parameter.value.values, wanted)
            #expect(error < 1e-4, "\(parameter.name): \(error)")
        }
    }

    /// Three steps of TRL's DPOTrainer with each of its other losses.
    @Test func replaysOtherLosses() throws {
        let variants = try Oracle.json("dpo-variants", as: Variants.self)
        let losses = [
            "hinge": PreferenceLoss(.hinge, beta: variants.beta),
            "ipo": PreferenceLoss(.ipo, beta: variants.beta, normalize: true),
            "robust": PreferenceLoss(.robust, beta: variants.beta, labelSmoothing: 0.1),
            "normalised": PreferenceLoss(beta: variants.beta, normalize: true),
            "likelihood": PreferenceLoss(beta: variants.beta, likelihoodWeight: 0.3),
        ]
        #expect(Set(variants.runs.map(\.name)) == Set(losses.keys))
        for run in variants.runs {
            let (model, bare) = try Self.start()
            let trainer = GroupTrainer(model.decoder, try #require(losses[run.name]))
            let pairs = Self.compared(bare, trainer)
            var settings = AdamW.Settings()
            settings.clip = variants.maxGradNorm
            let optimiser = AdamW(model.decoder.adapterParameters, settings)
            for (step, expected) in run.steps.enumerated() {
                let metrics = trainer.addGradients([pairs[step]])
                let norm = optimiser.gradientNorm
                optimiser.update(rate: Float(expected.learningRate), norm: norm)
                model.decoder.linears.forEach { $0.weightsChanged() }
                #expect(distance(metrics[0].value, expected.loss) < 1e-4, "\(run.name), step \(step)")
                #expect(distance(norm, expected.gradNorm) < 1e-4, "\(run.name), step \(step)")
            }
        }
    }

    /// SIMA's trainer: where the label is the likeliest token the second one counts, else the likeliest.
    @Test func topAlternativesOfRejectedAnswers() throws {
        let (model, pairs) = try Self.start()
        let decoder = model.decoder
        var forest = TokenForest()
        let root = forest.add([1, 5, 9])
        let likely = forest.add([7, 8], parent: root)
        let arena = Arena()
        let hidden = decoder.forward(forest, features: nil, arena).hidden
        let logits = decoder.logits(hidden, arena)
        var labels = forest.labels(of: likely)
        func order(_ row: Int) -> [Int32] {
            (0..<logits.columns).sorted { logits[row, $0] > logits[row, $1] }.map { Int32($0) }
        }
        // One label that is the likeliest token, one that isn't.
        let ranks = labels.map { order($0.row) }
        labels[0] = Label(row: labels[0].row, target: ranks[0][0])
        labels[1] = Label(row: labels[1].row, target: ranks[1][3])
        #expect(decoder.alternatives(hidden, labels, arena).map(\.target) == [ranks[0][1], ranks[1][0]])

        let plain = GroupTrainer(decoder, PreferenceLoss())
        let other = GroupTrainer(decoder, PreferenceLoss(rejected: .topAlternative))
        for (own, alternative) in zip(plain.referenceScores(pairs), other.referenceScores(pairs)) {
            #expect(own.chosen == alternative.chosen && own.rejected != alternative.rejected)
        }

        // A label that is the likeliest token is scored by a less likely one, any other by a likelier one.
        decoder.useAdapter(false)
        let bare = decoder.logits(decoder.forward(forest, features: nil, arena).hidden, arena)
        decoder.useAdapter(true)
        let row = labels[0].row
        let tokens = (0..<bare.columns).sorted { bare[row, $0] > bare[row, $1] }.map { Int32($0) }
        let scores = [tokens[0], tokens[1], tokens[7]].map { label in
            let pair = PreferenceExample(
                id: "p", prompt: [1, 5, 9], picture: nil, chosen: [3], rejected: [label])
            return (plain.referenceScores([pair])[0].rejected, other.referenceScores([pair])[0].rejected)
        }
        #expect(scores[0].1 < scores[0].0 && scores[1].1 > scores[1].0 && scores[2].1 > scores[2].0)
        #expect(scores[0].1 == scores[1].0 && scores[1].1 == scores[0].0 && scores[2].1 == scores[0].0)
    }
}
