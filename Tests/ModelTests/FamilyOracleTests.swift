import Checkpoint
import Foundation
import Kernels
import Model
import OracleFixtures
import Testing

/// Today's families against transformers, computed in float64.
@Suite struct FamilyOracleTests {
    @Test(arguments: FamilyOracle.all) func featuresLogitsAndAnswer(oracle: FamilyOracle) throws {
        let (model, file) = (try oracle.model(), try oracle.tensors())
        let expected = try oracle.expectation()
        let arena = Arena()
        let input = try oracle.input()
        let images = model.tape(of: [input], arena)
        #expect(largestDifference(images.features.values, try Oracle.floats(file, "features")) < 1e-5)
        #expect(model.features(of: [input], arena).values.values == images.features.values)
        #expect(model.rows(of: input.shape) == images.features.rows)

        var forest = TokenForest()
        let answer = forest.add(
            expected.answerIds, parent: forest.add(try oracle.prompt(model), grid: images.grids?[0]))
        let tape = model.decoder.forward(forest, features: images.features, arena)
        let logits = model.decoder.logits(tape.hidden, arena).values
        #expect(largestDifference(logits, try Oracle.floats(file, "logits")) < 2e-5)
        let logps = model.decoder.logProbabilities(tape.hidden, forest.labels(of: answer), arena)
        #expect(largestDifference(logps, expected.answerLogps.map(Float.init)) < 2e-5)
    }

    /// Through decoder, projector and tower, fused projections and SigLIP's among them; with all rows of the last layer, or
    /// those alone that labels are read from.
    @Test(arguments: FamilyOracle.all, [false, true])
    func gradients(oracle: FamilyOracle, named: Bool) throws {
        let expected = try oracle.expectation()
        guard let loss = expected.loss else { return }
        let (model, file) = (try oracle.model(), try oracle.tensors())
        model.parameters.forEach { $0.train() }
        let arena = Arena()
        let images = model.tape(of: [try oracle.input()], arena)
        var forest = TokenForest()
        let answer = forest.add(
            expected.answerIds, parent: forest.add(try oracle.prompt(model), grid: images.grids?[0]))
        let all = forest.labels(of: answer)
        let tape = model.decoder.forward(
            forest, features: images.features, recomputes: named, of: named ? all.map(\.row) : nil, arena)
        let labels = tape.labels(all)
        let weight = -1 / Float(labels.count)
        let logps = model.decoder.logProbabilities(tape.hidden, labels, arena)
        #expect(abs(Double(logps.reduce(0, +) * weight) - loss) < 1e-5)

        let dHidden = model.decoder.logProbabilitiesBackward(
            tape.hidden, labels, weights: labels.map { _ in weight }, arena)
        let dFeatures = arena.zeros(images.features.rows, images.features.columns)
        model.decoder.backward(tape, dHidden: dHidden, dFeatures: dFeatures, arena)
        images.backward(dFeatures, arena)
        let prefix = "gradient."
        let wanted = file.names.filter { $0.hasPrefix(prefix) }
        #expect(wanted.count > 10)
        let trained = model.parameters.filter { file.has(prefix + TensorNames.canonical($0.name)) }
        #expect(try gradientFaults(trained, in: file, prefix: prefix) == [])
    }

    /// What is written is read again as the same model, and transformers' own names are known.
    @Test(arguments: FamilyOracle.all) func configsSurviveTheRoundTrip(oracle: FamilyOracle) throws {
        let directory = try CheckpointDirectory.open(oracle.folder)
        // Written as it stands: VilaTests.
        guard directory.vila == nil else { return }
        let config = try directory.config()
        let data = try JSONEncoder().encode(config)
        #expect(try ModelConfig(data, path: "") == config)
        let object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        let file = try Data(contentsOf: oracle.folder.appendingPathComponent("config.json"))
        let original = try #require(JSONSerialization.jsonObject(with: file) as? [String: Any])
        #expect(object["architectures"] as? [String] == original["architectures"] as? [String])
    }
}
