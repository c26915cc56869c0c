import Foundation
import Kernels
import Model
import OracleFixtures
import Testing
import Training

/// `adamw.json`
private struct OptimiserCase: Decodable {
    struct Tensors: Decodable {
        let vector: [Double]
        let matrix: [[Double]]

        var flat: [[Float]] { [vector.map(Float.init), matrix.flatMap { $0 }.map(Float.init)] }
    }

    struct Step: Decodable {
        let gradients: Tensors
        let norm: Double
        let values: Tensors
    }

    let lr: Float
    let betas: [Float]
    let eps: Float
    let weightDecay: Float
    let maxNorm: Float?
    let start: Tensors
    let steps: [Step]
}

/// `schedules.json`
private struct ScheduleCase: Decodable {
    let kind: String
    let totalSteps: Int
    let warmupSteps: Int
    let factors: [Double]
}

@Suite struct OptimiserTests {
    private func set(_ matrix: Matrix, _ values: [Float]) {
        for (i, value) in values.enumerated() { matrix.base[i] = value }
    }

    @Test func stepsAsTorch() throws {
        for expected in try Oracle.json("adamw", as: [OptimiserCase].self) {
            // torch decays vectors too; a column counts as a matrix here.
            let parameters = [
                Parameter(name: "vector", shape: [6, 1]), Parameter(name: "matrix", shape: [2, 3]),
            ]
            for (parameter, values) in zip(parameters, expected.start.flat) {
                set(parameter.value, values)
                parameter.train()
            }
            var settings = AdamW.Settings()
            (settings.beta1, settings.beta2) = (expected.betas[0], expected.betas[1])
            (settings.epsilon, settings.weightDecay) = (expected.eps, expected.weightDecay)
            settings.clip = expected.maxNorm ?? 0
            let optimiser = AdamW(parameters, settings)
            for step in expected.steps {
                for (parameter, values) in zip(parameters, step.gradients.flat) {
                    set(try #require(parameter.gradient), values)
                }
                let norm = optimiser.gradientNorm
                #expect(abs(norm - step.norm) < 1e-6 * step.norm)
                optimiser.update(rate: expected.lr, norm: norm)
                for (parameter, values) in zip(parameters, step.values.flat) {
                    #expect(largestDifference(parameter.value.values, values) < 1e-6)
                    #expect(parameter.gradient?.values.allSatisfy { $0 == 0 } == true)
                }
            }
        }
    }

    @Test func onlyMatricesDecay() throws {
        var settings = AdamW.Settings()
        settings.weightDecay = 0.5
        let parameters = [Parameter(name: "norm", shape: [3]), Parameter(name: "weight", shape: [1, 3])]
        for parameter in parameters {
            set(parameter.value, [1, 2, 3])
            parameter.train()
        }
        let optimiser = AdamW(parameters, settings)
        optimiser.update(rate: 0.1, norm: optimiser.gradientNorm)
        #expect(parameters[0].value.values == [1, 2, 3])
        #expect(largestDifference(parameters[1].value.values, [0.95, 1.9, 2.85]) < 1e-6)
    }

    @Test func aShareOfTheRateMovesAShare() throws {
        let parameters = [Parameter(name: "whole", shape: [2]), Parameter(name: "part", shape: [2])]
        parameters[1].rateShare = 0.25
        for parameter in parameters {
            set(parameter.value, [1, -1])
            parameter.train()
            set(try #require(parameter.gradient), [0.1, -0.2])
        }
        let optimiser = AdamW(parameters, AdamW.Settings())
        optimiser.update(rate: 0.4, norm: optimiser.gradientNorm)
        #expect(largestDifference(parameters[0].value.values, [0.6, -0.6]) < 1e-5)
        #expect(largestDifference(parameters[1].value.values, [0.9, -0.9]) < 1e-5)
    }

    /// Theirs with warm-up, but for its first step, whose rate is 0.
    @Test func schedulesAsTransformers() throws {
        for expected in try Oracle.json("schedules", as: [ScheduleCase].self) {
            let kind = expected.kind.split(separator: "_")[0]
            let skipped = expected.warmupSteps > 0 ? 1 : 0
            let schedule = Schedule(
                shape: try #require(Schedule.Shape(rawValue: String(kind))), peak: 2,
                warmup: expected.warmupSteps - skipped, steps: expected.totalSteps - skipped)
            #expect(skipped == 0 || expected.factors[0] == 0)
            for (step, factor) in expected.factors.dropFirst(skipped).enumerated() {
                #expect(abs(schedule.rate(afterSteps: step) - 2 * factor) < 1e-12, "\(kind) step \(step)")
            }
        }
    }

    @Test(arguments: Schedule.Shape.allCases) func everyStepHasARate(shape: Schedule.Shape) {
        for (warmup, steps) in [(0, 1), (1, 1), (1, 2), (3, 3), (100, 6), (2, 40)] {
            let schedule = Schedule(shape: shape, peak: 1, warmup: warmup, steps: steps)
            for step in 0..<steps { #expect(schedule.rate(afterSteps: step) > 0, "\(warmup) of \(steps)") }
        }
    }

    /// A long run is what it was but for its warm-up, and that by no more than a step's part of it.
    @Test func aLongRunHardlyChanges() {
        let schedule = Schedule(shape: .cosine, peak: 1, warmup: 100, steps: 4000)
        for step in 0..<100 {
            let difference = schedule.rate(afterSteps: step) - Double(step) / 100
            #expect(difference > 0 && difference < 0.01)
        }
        #expect(schedule.rate(afterSteps: 100) == 1)
    }

    @Test func endsAtTheFloor() {
        for shape in [Schedule.Shape.linear, .cosine] {
            let schedule = Schedule(shape: shape, peak: 4, warmup: 2, steps: 10, floor: 0.25)
            #expect(abs(schedule.rate(afterSteps: 10) - 1) < 1e-12)
            #expect(schedule.rate(afterSteps: 2) == 4)
        }
    }
}

@Suite struct MixedOrderTests {
    private func order() -> MixedOrder {
        MixedOrder(counts: [5, 2, 40], weights: [2, 1, 1], batch: 6, seed: 7)
    }

    /// Weights say how often a set comes, not how long it is; and every set goes round as a whole.
    @Test func setsComeByTheirWeights() {
        var order = order()
        let all = (0..<10).flatMap { order.examples(step: $0) }
        #expect(all.count { $0 < 5 } == 30)
        #expect(all.count { (5..<7).contains($0) } == 15)
        #expect(all.count { (7..<47).contains($0) } == 15)
        for set in 0..<5 { #expect(all.count { $0 == set } == 6) }
        #expect(Set(all.filter { $0 >= 7 }).count == 15)
    }

    @Test func aStepDoesNotDependOnThoseAskedBefore() {
        var (whole, resumed) = (order(), order())
        let steps = (0..<6).map { whole.examples(step: $0) }
        #expect(resumed.examples(step: 5) == steps[5])
        #expect(resumed.examples(step: 2) == steps[2])
        #expect(steps[0] != steps[1])
    }
}
