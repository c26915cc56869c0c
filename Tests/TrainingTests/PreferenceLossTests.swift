import Foundation
import OracleFixtures
import Testing

import Training

/// `dpo-losses.json`
private struct LossCase: Decodable {
    let beta: Double
    let chosen: Double
    let refChosen: Double
    let rejected: Double
    let refRejected: Double
    let loss: Double
    let rewardChosen: Double
    let rewardRejected: Double
    let gradientChosen: Double
    let gradientRejected: Double
}

/// Near in size as well as in difference: 1 + |right| is the unit.
private func distance(_ left: Double, _ right: Double) -> Double {
    left.isFinite ? abs(left - right) / (1 + abs(right)) : .infinity
}

@Suite struct PreferenceLossTests {
    static let logs = PairTokens(chosen: [-0.1, -0.2, -1, -0.5, -0.3], rejected: [-0.4, -2, -0.7])
    static let weights = PairTokens(chosen: [1, 1, 5, 5, 1], rejected: [1, 5, 1])
    static let reference = PairScores(chosen: -2.4, rejected: -3)

    @Test func sigmoidLossAndSlopes() throws {
        for expected in try Oracle.json("dpo-losses", as: [LossCase].self) {
            // An answer of two tokens scores as their sum, and each has the sum's slope.
            let result = PreferenceLoss(beta: expected.beta).evaluate(
                PairTokens(
                    chosen: [expected.chosen / 4, expected.chosen * 0.75], rejected: [expected.rejected]),
                nil,
                reference: PairScores(chosen: expected.refChosen, rejected: expected.refRejected))
            #expect(distance(result.loss, expected.loss) < 1e-12)
            #expect(distance(result.rewards.chosen, expected.rewardChosen) < 1e-12)
            #expect(distance(result.rewards.rejected, expected.rewardRejected) < 1e-12)
            #expect(result.slopes.chosen.count == 2 && result.slopes.rejected.count == 1)
            for slope in result.slopes.chosen { #expect(distance(slope, expected.gradientChosen) < 1e-12) }
            #expect(distance(result.slopes.rejected[0], expected.gradientRejected) < 1e-12)
        }
    }

    /// Δ = 0.5 and β = 0.4 are z = 0.2: −log σ(0.2) = 0.598139, −log σ(−0.2) = 0.798139.
    @Test(
        arguments: [
            (.sigmoid, 0.598139), (.hinge, 0.8), (.ipo, 0.5625), (.conservative, 0.618139),
            (.robust, (0.9 * 0.598139 - 0.1 * 0.798139) / 0.8),
        ] as [(PreferenceLoss.Kind, Double)])
    func valuesByHand(_ kind: PreferenceLoss.Kind, _ expected: Double) {
        let smoothing = kind == .robust || kind == .conservative ? 0.1 : 0
        let result = PreferenceLoss(kind, beta: 0.4, labelSmoothing: smoothing).evaluate(
            PairTokens(chosen: [-1.5], rejected: [-2.25]), nil,
            reference: PairScores(chosen: -1.75, rejected: -2))
        #expect(abs(result.loss - expected) < 1e-6)
    }

    /// RLHF-V's score with γ = 5: −8.1 over 13 is −0.623077.
    @Test func weightedMean() {
        let mean = PreferenceLoss(normalize: true).scores(Self.logs, Self.weights)
        #expect(abs(mean.chosen + 8.1 / 13) < 1e-12)
        #expect(abs(PreferenceLoss().scores(Self.logs, Self.weights).chosen + 8.1) < 1e-12)
        #expect(abs(PreferenceLoss(normalize: true).scores(Self.logs, nil).chosen + 0.42) < 1e-12)
    }

    /// Slopes of every loss, weighted or not, against central differences.
    @Test(arguments: PreferenceLoss.Kind.allCases, [true, false])
    func slopes(_ kind: PreferenceLoss.Kind, _ normalize: Bool) {
        let loss = PreferenceLoss(
            kind, beta: 0.3, labelSmoothing: 0.2, likelihoodWeight: 0.7, normalize: normalize)
        for weights in [nil, Self.weights] {
            func value(_ logs: PairTokens) -> Double {
                loss.evaluate(logs, weights, reference: Self.reference).loss
            }
            let slopes = loss.evaluate(Self.logs, weights, reference: Self.reference).slopes
            for (path, found) in [(\PairTokens.chosen, slopes.chosen), (\.rejected, slopes.rejected)] {
                for (index, slope) in found.enumerated() {
                    var (up, down) = (Self.logs, Self.logs)
                    up[keyPath: path][index] += 1e-5
                    down[keyPath: path][index] -= 1e-5
                    #expect(abs((value(up) - value(down)) / 2e-5 - slope) < 1e-8)
                }
            }
        }
    }
}
