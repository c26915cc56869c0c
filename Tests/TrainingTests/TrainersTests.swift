import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Testing
import Training

private struct ClipExpectation: Decodable {
    let textIds: [[Int32]]
    let contrastiveLoss: Double
}

@Suite struct TrainersTests {
    /// transformers' mean over all answer tokens, however a prompt is split between root and sample and a
    /// batch into passes.
    @Test(arguments: [1, 2], [0, 9]) func supervisedGradients(passes: Int, given: Int) throws {
        let name = "llava-grouped"
        let model = try VisionLanguageModel(directory: Oracle.root.appendingPathComponent(name))
        model.parameters.forEach { $0.train() }
        let image = try Oracle.llava(name).config.imageTokenID
        let expected: LlavaExpectation = try Oracle.json(name)
        let pictures = try Oracle.pictures(Oracle.tensors("\(name).forward"))
        let batch = zip(expected.turns, pictures).map { turn, pixels in
            let prompt = expand(turn.promptIds, image: image)
            return SupervisedExample(
                id: "", pixels: TowerInput(tile: pixels), root: Array(prompt.dropLast(given)),
                samples: [
                    SupervisedExample.Sample(prompt: Array(prompt.suffix(given)), answer: turn.answerIds)
                ])
        }
        let trainer = GroupTrainer(
            model.decoder, SupervisedLoss(lengthBalance: 0), encoder: model, passes: .count(passes))
        let metrics = trainer.addGradients(batch)
        let wanted = try #require(expected.crossEntropy)
        #expect(abs(metrics[0].value - wanted.loss) < 1e-5)
        #expect(abs(trainer.evaluate(batch)[1].value - wanted.loss) < 1e-5)
        let faults = try gradientFaults(
            model.parameters, in: Oracle.tensors("\(name).gradients"),
            idle: Set(wanted.parametersWithoutGradient))
        #expect(faults == [])
    }

    /// With one true sentence per picture the loss is CLIP's own.
    @Test func contrastiveGradients() throws {
        let name = "clip-first-eos"
        let model = try Oracle.clip(name)
        model.parameters.forEach { $0.train() }
        let expected: ClipExpectation = try Oracle.json(name)
        let truth: [[Bool?]] = (0..<3).map { i in (0..<3).map { $0 == i } }
        let metrics = ContrastiveTrainer(model).addGradients(
            .init(
                pixels: try Oracle.pictures(Oracle.tensors("\(name).forward")), texts: expected.textIds,
                truth: truth))
        #expect(abs(metrics[0].value - expected.contrastiveLoss) < 1e-5)
        #expect(try gradientFaults(model.parameters, in: Oracle.tensors("\(name).gradients")) == [])
    }

    /// The reading of patches, where some aren't asked about: against central differences, along the steepest
    /// element of every parameter below the last layer; none above is touched.
    @Test func patchSlopes() throws {
        let tower = try Oracle.clip("clip-first-eos").vision
        let trainer = PatchTrainer(tower, depth: tower.config.layerCount - 1, groups: [3, 2])
        let parameters = tower.parameters + trainer.parameters
        parameters.forEach { $0.train() }
        for parameter in trainer.parameters {
            for i in 0..<parameter.count { parameter.value.base[i] = Float(sin(Double(7 * i))) }
        }
        let pixels = try Oracle.pictures(Oracle.tensors("clip-first-eos.forward"))
        let labels = pixels.indices.map { image in
            (0..<tower.config.patchCount).map { [($0 + image) % 4 - 1, $0 % 2] }
        }
        func loss() -> Double {
            tower.linears.forEach { $0.weightsChanged() }
            trainer.weightsChanged()
            return trainer.addGradients(pixels, labels: labels)[0].value
        }
        _ = loss()
        let slopes = parameters.map { $0.gradient?.values ?? [] }
        var checked = 0
        for (parameter, gradient) in zip(parameters, slopes) {
            let isAbove =
                parameter.name.contains("layers.\(tower.config.layerCount - 1).")
                || parameter.name.contains("post_layernorm")
            #expect(gradient.allSatisfy { $0 == 0 } == isAbove, "\(parameter.name)")
            guard let at = gradient.indices.max(by: { abs(gradient[$0]) < abs(gradient[$1]) }),
                abs(gradient[at]) > 1e-2
            else { continue }
            let value = parameter.value.base[at]
            func moved(by step: Float) -> Double {
                parameter.value.base[at] = value + step
                return loss()
            }
            let difference = (moved(by: 2e-3) - moved(by: -2e-3)) / 4e-3
            parameter.value.base[at] = value
            #expect(
                abs(Double(gradient[at]) - difference) < 0.02 * Double(abs(gradient[at])) + 1e-3,
                "\(parameter.name)")
            checked += 1
        }
        #expect(checked > 5)
    }

    /// Several positives, unknown cells, twins and best patches: against central differences, along the steepest
    /// element of every parameter.
    @Test(arguments: [0, 0.7]) func contrastiveSlopes(patchWeight: Double) throws {
        let model = try Oracle.clip("clip-first-eos")
        model.parameters.forEach { $0.train() }
        let expected: ClipExpectation = try Oracle.json("clip-first-eos")
        let lesson = ContrastiveTrainer.Lesson(
            pixels: try Oracle.pictures(Oracle.tensors("clip-first-eos.forward")), texts: expected.textIds,
            truth: [[true, true, false], [false, nil, true], [false, true, false]],
            twins: [.init(image: 0, truth: 1, falsehood: 2), .init(image: 1, truth: 2, falsehood: 0)])
        let trainer = ContrastiveTrainer(model)
        func loss() -> Double {
            trainer.addGradients(lesson, twinWeight: 2, patchWeight: patchWeight)[0].value
        }
        _ = loss()
        let steepest = model.parameters.compactMap { parameter -> (Parameter, Int, Double)? in
            guard let gradient = parameter.gradient?.values else { return nil }
            let at = gradient.indices.max { abs(gradient[$0]) < abs(gradient[$1]) } ?? 0
            return (parameter, at, Double(gradient[at]))
        }
        for (parameter, at, slope) in steepest where abs(slope) > 1e-2 {
            let value = parameter.value.base[at]
            let step: Float = 2e-3
            func moved(by step: Float) -> Double {
                parameter.value.base[at] = value + step
                model.linears.forEach { $0.weightsChanged() }
                return loss()
            }
            let difference = (moved(by: step) - moved(by: -step)) / Double(2 * step)
            _ = moved(by: 0)
            #expect(abs(slope - difference) < 0.02 * abs(slope) + 1e-3, "\(parameter.name)[\(at)]")
        }
        #expect(steepest.count { abs($0.2) > 1e-2 } > 10)
    }

    /// Several positives and unknown cells, against central differences along the scale of the logits.
    @Test func contrastiveSlopeOfTheScale() throws {
        let model = try Oracle.clip("clip-first-eos")
        let scale = try #require(model.parameters.first { $0.name == "logit_scale" })
        scale.train()
        let expected: ClipExpectation = try Oracle.json("clip-first-eos")
        let lesson = ContrastiveTrainer.Lesson(
            pixels: try Oracle.pictures(Oracle.tensors("clip-first-eos.forward")), texts: expected.textIds,
            truth: [[true, true, false], [false, nil, true], [false, true, false]])
        let trainer = ContrastiveTrainer(model)
        func loss(_ value: Float) -> Double {
            scale.value.base[0] = value
            return trainer.addGradients(lesson)[0].value
        }
        let at = scale.value.base[0]
        _ = loss(at)
        let slope = Double(try #require(scale.gradient).base[0])
        let difference = (loss(at + 0.01) - loss(at - 0.01)) / 0.02
        #expect(abs(slope) > 1e-3)
        #expect(abs(slope - difference) < 2e-3 * abs(slope))
    }
}
