import Checkpoint
import Foundation
import Kernels
import Model
import OracleFixtures
import Testing

/// The tiny LLaVAs against transformers, computed in float64.
@Suite struct LlavaOracleTests {
    static let names = ["llava-grouped", "llava-tied", "llava-legacy"]

    /// Both turns as one forest: prompt is a root, answer its child.
    static func forest(_ model: Llava, _ expected: LlavaExpectation) -> (TokenForest, answers: [Int]) {
        var forest = TokenForest()
        var answers: [Int] = []
        for (i, turn) in expected.turns.enumerated() {
            let first = i * model.config.imageTokenCount
            let prompt = expand(turn.promptIds, image: model.config.imageTokenID, first: first)
            answers.append(forest.add(turn.answerIds, parent: forest.add(prompt)))
        }
        return (forest, answers)
    }

    @Test(arguments: names) func featuresAndLogits(name: String) throws {
        let model = try Oracle.llava(name)
        let file = try Oracle.tensors("\(name).forward")
        let expected: LlavaExpectation = try Oracle.json(name)
        let arena = Arena()

        let images = model.encode(try Oracle.inputs(file), arena)
        for (values, tensor) in [
            (images.selected, "vision_features.f64"), (images.features, "projected.f64"),
        ] {
            #expect(largestDifference(values.values, try Oracle.floats(file, tensor)) < 1e-5, "\(tensor)")
        }

        let (forest, answers) = Self.forest(model, expected)
        let tape = model.decoder.forward(forest, features: images.features, arena)
        for (turn, answer) in answers.enumerated() {
            let rows = forest.spans[answer - 1].start..<forest.spans[answer].rows.upperBound
            let logits = model.decoder.logits(tape.hidden.rows(rows), arena)
            let difference = largestDifference(
                logits.values, try Oracle.floats(file, "logits.\(turn).f64"))
            #expect(difference < 5e-5, "turn \(turn)")
            let logps = model.decoder.logProbabilities(tape.hidden, forest.labels(of: answer), arena)
            #expect(largestDifference(logps, expected.answerLogps[turn].map(Float.init)) < 5e-5)
        }
    }

    @Test(arguments: ["llava-grouped", "llava-tied"]) func gradientsOfEveryParameter(name: String) throws {
        let model = try Oracle.llava(name)
        model.parameters.forEach { $0.train() }
        let file = try Oracle.tensors("\(name).forward")
        let expected: LlavaExpectation = try Oracle.json(name)
        let arena = Arena()

        let images = model.encode(try Oracle.inputs(file), arena)
        let (forest, answers) = Self.forest(model, expected)
        let tape = model.decoder.forward(forest, features: images.features, arena)
        let labels = answers.flatMap { forest.labels(of: $0) }
        let weight = -1 / Float(labels.count)
        let logps = model.decoder.logProbabilities(tape.hidden, labels, arena)
        let wanted = try #require(expected.crossEntropy)
        #expect(abs(Double(logps.reduce(0, +) * weight) - wanted.loss) < 1e-5)

        let dHidden = model.decoder.logProbabilitiesBackward(
            tape.hidden, labels, weights: labels.map { _ in weight }, arena)
        let dFeatures = arena.zeros(images.features.rows, images.features.columns)
        model.decoder.backward(tape, dHidden: dHidden, dFeatures: dFeatures, arena)
        model.encodeBackward(images, dFeatures: dFeatures, arena)

        let faults = try gradientFaults(
            model.parameters, in: Oracle.tensors("\(name).gradients"),
            idle: Set(wanted.parametersWithoutGradient))
        #expect(faults == [])
    }
}
