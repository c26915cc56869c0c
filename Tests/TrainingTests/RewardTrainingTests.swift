import Checkpoint
import Foundation
import Kernels
import Model
import OracleFixtures
import Testing
import Training

@Suite struct RewardTrainingTests {
    /// r₀ = 0.4, r₁ = 1.1, the second one chosen: PyTorch's BCEWithLogits(r₁ − r₀, 1) and the centering term.
    @Test func theLossOfTheReleasedCode() {
        let pair = PairScores(chosen: 1.1, rejected: 0.4)
        #expect(abs(RewardLoss().evaluate([pair]).loss - (0.403186 + 0.0015)) < 1e-6)
        #expect(abs(RewardLoss(centering: 0).evaluate([pair]).loss - 0.403186) < 1e-6)
        // The term centers the batch, not each pair: scores that cancel out cost nothing.
        let opposite = PairScores(chosen: -0.4, rejected: -1.1)
        #expect(abs(RewardLoss().evaluate([pair, opposite]).loss - 0.403186) < 1e-6)
        #expect(RewardLoss().evaluate([PairScores(chosen: -800, rejected: 800)]).loss == 1600)
    }

    @Test func itsSlopesAreCentralDifferences() {
        let loss = RewardLoss(centering: 0.3)
        let batch = [
            PairScores(chosen: 1.1, rejected: 0.4), PairScores(chosen: -2, rejected: 0.7),
            PairScores(chosen: 0.2, rejected: 0.1),
        ]
        let slopes = loss.evaluate(batch).slopes
        for index in batch.indices {
            let sides: [WritableKeyPath<PairScores, Double>] = [\.chosen, \.rejected]
            for side in sides {
                func value(_ step: Double) -> Double {
                    var moved = batch
                    moved[index][keyPath: side] += step
                    return loss.evaluate(moved).loss
                }
                #expect(abs((value(1e-5) - value(-1e-5)) / 2e-5 - slopes[index][keyPath: side]) < 1e-9)
            }
        }
    }

    /// A trainer on the tiny LLaVA with an adapter that isn't zero, and two pairs about its pictures.
    private struct Start {
        let decoder: Llama
        let trainer: GroupTrainer<RewardLoss>
        let pairs: [GradedExample]
        /// The adapter's, and at the end the head's two.
        let parameters: [Parameter]

        init(rowLimit: Int = 8192) throws {
            let (model, pairs) = try DirectPreferenceTests.start()
            decoder = model.decoder
            let head = RewardHead(width: model.config.text.hiddenSize, seed: 3)
            trainer = GroupTrainer(decoder, RewardLoss(centering: 0.5), head: head, passes: .rows(rowLimit))
            parameters = decoder.adapterParameters + head.parameters
            parameters.forEach { $0.train() }
            self.pairs = pairs.prefix(3).enumerated().map { index, pair in
                GradedExample(
                    id: pair.id, prompt: pair.prompt, picture: pair.picture,
                    answers: [pair.chosen, pair.rejected].map { $0 + [Int32(7 + index), 9, 11] })
            }
        }
    }

    /// Every trained parameter moved along its gradient changes the loss as the gradient says.
    @Test func theGradientIsThatOfTheLoss() throws {
        let start = try Start()
        let (trainer, pairs) = (start.trainer, start.pairs)
        _ = trainer.addGradients(pairs)
        for parameters in [start.parameters, start.parameters.suffix(2)] {
            let gradients = parameters.map { $0.gradient?.values ?? [] }
            let square = gradients.joined().reduce(0) { $0 + Double($1) * Double($1) }
            let values = parameters.map(\.value.values)
            func loss(_ step: Double) throws -> Double {
                for (parameter, (values, gradient)) in zip(parameters, zip(values, gradients)) {
                    for i in values.indices {
                        parameter.value.base[i] = values[i] + Float(step) * gradient[i]
                    }
                }
                start.decoder.adapterTargets.forEach { $0.adapterChanged() }
                return try #require(trainer.evaluate(pairs).first).value
            }
            let step = 1e-2 / square.squareRoot()
            let slope = try (loss(step) - loss(-step)) / (2 * step)
            _ = try loss(0)
            #expect(abs(slope - square) < 2e-3 * square, "\(slope) and \(square)")
        }
    }

    /// The centering term is of the batch, however many passes it takes.
    @Test func passesDontMatter() throws {
        let (whole, single) = (try Start(), try Start(rowLimit: 1))
        let pairs = whole.pairs
        #expect(whole.trainer.read(pairs) == single.trainer.read(pairs))
        let metrics = (whole.trainer.addGradients(pairs), single.trainer.addGradients(pairs))
        #expect(metrics.0.map(\.value) == metrics.1.map(\.value))
        for (a, b) in zip(whole.parameters, single.parameters) {
            let (left, right) = (try #require(a.gradient), try #require(b.gradient))
            #expect(relativeError(left.values, right.values) < 1e-4, "\(a.name)")
        }
    }

    @Test func theHeadsFileHoldsWeightAndBias() throws {
        let file = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID()).safetensors")
        defer { try? FileManager.default.removeItem(at: file) }
        let head = RewardHead(width: 6, seed: 1)
        head.bias.value.base[0] = 0.5
        try head.write(to: file)
        let stored = try SafetensorsFile(file)
        #expect(try stored.tensor(named: "weight").shape == [1, 6])
        #expect(try stored.tensor(named: "bias").shape == [1])
        let read = try RewardHead(file, width: 6)
        #expect(read.parameters.map(\.value.values) == head.parameters.map(\.value.values))
        let error = #expect(throws: CheckpointError.self) { try RewardHead(file, width: 8) }
        #expect(error?.description.contains("[1, 6]") ?? false)
    }
}
