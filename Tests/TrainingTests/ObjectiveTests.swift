import Foundation
import Kernels
import Model
import OracleFixtures
import Testing
import Training

/// Answers drawn for one prompt with what each was better than the others by, and its tokens' log-probabilities
/// when it was drawn.
private struct DrawnAnswers: AnswerGroup {
    let id: String
    let prompt: [Int32]
    let picture: Picture?
    let answers: [[Int32]]
    let advantages: [Double]
    var drawn: Reading = []
}

/// A clipped policy gradient over groups of any size (PPO's, Schulman et al. 2017, with GRPO's advantages), the mean
/// over answers of their tokens' mean: what a new loss takes, and no more.
private struct ClippedPolicyGradient: Objective {
    let range = 0.9...1.1

    func slopes(of range: Range<Int>, in batch: [DrawnAnswers], _ read: [Reading]) -> [Reading] {
        range.map { tokens(batch[$0], read[$0], in: batch).map { $0.map(\.slope) } }
    }

    func metrics(_ batch: [DrawnAnswers], _ read: [Reading]) -> Metrics {
        let all = zip(batch, read).flatMap { tokens($0, $1, in: batch).joined() }
        return [
            ("loss", all.reduce(0) { $0 + $1.loss }),
            ("clip_ratio", Double(all.count { $0.slope == 0 }) / Double(all.count)),
        ]
    }

    private func tokens(
        _ group: DrawnAnswers, _ reading: Reading, in batch: [DrawnAnswers]
    ) -> [[(loss: Double, slope: Double)]] {
        let answers = batch.reduce(0) { $0 + $1.answers.count }
        return zip(reading, zip(group.drawn, group.advantages)).map { logs, before in
            let share = before.1 / Double(answers * logs.count)
            return zip(logs, before.0).map { log, old in
                let ratio = exp(log - old)
                let bound = min(max(ratio, range.lowerBound), range.upperBound)
                let isClipped = share * bound < share * ratio
                return (-share * (isClipped ? bound : ratio), isClipped ? 0 : -share * ratio)
            }
        }
    }
}

/// The engine knows nothing of pairs: a loss over groups of one to four answers is a file of its own.
@Suite struct ObjectiveTests {
    private static func start(_ passes: Passes) throws -> (
        decoder: Llama, trainer: GroupTrainer<ClippedPolicyGradient>, groups: [DrawnAnswers]
    ) {
        let (model, pairs) = try DirectPreferenceTests.start()
        let trainer = GroupTrainer(model.decoder, ClippedPolicyGradient(), passes: passes)
        var groups = (1...4).map { size in
            let pair = pairs[size]
            return DrawnAnswers(
                id: pair.id, prompt: pair.prompt, picture: size == 2 ? nil : pair.picture,
                answers: (0..<size).map { [Int32(5 + $0), 9] + pair.chosen.suffix(2 + $0) },
                advantages: (0..<size).map { 1.5 - Double($0) })
        }
        groups[1] = DrawnAnswers(
            id: "text", prompt: [1, 5, 9], picture: nil, answers: groups[1].answers,
            advantages: groups[1].advantages)
        // As if drawn by a policy a little off, so that some tokens are clipped.
        for (index, reading) in trainer.read(groups).enumerated() {
            groups[index].drawn = reading.map { logs in
                logs.enumerated().map { $1 + 0.2 * sin(Double(3 * $0 + index)) }
            }
        }
        return (model.decoder, trainer, groups)
    }

    @Test func groupsOfAnySizeHaveTheirLosssGradient() throws {
        let (decoder, trainer, groups) = try Self.start(.rows(8192))
        let metrics = trainer.addGradients(groups)
        #expect(metrics[1].value > 0 && metrics[1].value < 1)
        #expect(trainer.evaluate(groups).map(\.value) == metrics.map(\.value))
        let parameters = decoder.adapterParameters
        let gradients = parameters.map { $0.gradient?.values ?? [] }
        let square = gradients.joined().reduce(0) { $0 + Double($1) * Double($1) }
        let values = parameters.map(\.value.values)
        func loss(_ step: Double) -> Double {
            for (parameter, (values, gradient)) in zip(parameters, zip(values, gradients)) {
                for i in values.indices { parameter.value.base[i] = values[i] + Float(step) * gradient[i] }
            }
            decoder.adapterTargets.forEach { $0.adapterChanged() }
            return trainer.evaluate(groups)[0].value
        }
        let step = 1e-3 / square.squareRoot()
        let slope = (loss(step) - loss(-step)) / (2 * step)
        #expect(abs(slope - square) < 1e-2 * square, "\(slope) and \(square)")
    }

    @Test(arguments: [Passes.rows(1), .count(3)]) func passesDontMatter(_ passes: Passes) throws {
        let (whole, cut) = (try Self.start(.rows(8192)), try Self.start(passes))
        #expect(whole.trainer.read(whole.groups) == cut.trainer.read(whole.groups))
        let metrics = (whole.trainer.addGradients(whole.groups), cut.trainer.addGradients(whole.groups))
        #expect(metrics.0.map(\.value) == metrics.1.map(\.value))
        for (a, b) in zip(whole.decoder.adapterParameters, cut.decoder.adapterParameters) {
            let (left, right) = (try #require(a.gradient), try #require(b.gradient))
            #expect(relativeError(left.values, right.values) < 1e-4, "\(a.name)")
        }
    }
}

@Suite struct HoldOutTests {
    @Test func addingExamplesMovesNoneOfTheOthers() {
        let keys = (0..<400).map { "pair-\($0)" }
        let (some, all) = (HoldOut(Array(keys.prefix(200)), share: 0.1), HoldOut(keys, share: 0.1))
        #expect(some.heldOut == all.heldOut.filter { $0 < 200 })
        #expect(Set(all.training + all.heldOut) == Set(keys.indices))
        #expect((20...60).contains(all.heldOut.count))
        #expect(HoldOut(keys, share: 0).heldOut.isEmpty)
    }
}
