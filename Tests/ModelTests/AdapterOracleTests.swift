import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Testing

@Suite struct AdapterOracleTests {
    private let model: Llava
    private let expected: AdapterExpectation

    init() throws {
        model = try Oracle.llava("llava-grouped")
        try model.decoder.attach(Oracle.adapter(), from: "adapter-grouped")
        expected = try Oracle.json("adapter-grouped")
    }

    private func logits() throws -> [[Float]] {
        let arena = Arena()
        let file = try Oracle.tensors("adapter-grouped.forward")
        let images = model.encode(try Oracle.inputs(file), arena)
        let (forest, answers) = LlavaOracleTests.forest(model, try Oracle.json("llava-grouped"))
        let tape = model.decoder.forward(forest, features: images.features, arena)
        return answers.map { answer in
            let rows = forest.spans[answer - 1].start..<forest.spans[answer].rows.upperBound
            return model.decoder.logits(tape.hidden.rows(rows), arena).values
        }
    }

    @Test func logitsWithAdapter() throws {
        let file = try Oracle.tensors("adapter-grouped.forward")
        for (turn, values) in try logits().enumerated() {
            #expect(largestDifference(values, try Oracle.floats(file, "logits.\(turn).f64")) < 5e-5)
        }
    }

    @Test func switchedOffIsTheBase() throws {
        model.decoder.useAdapter(false)
        let file = try Oracle.tensors("llava-grouped.forward")
        for (turn, values) in try logits().enumerated() {
            #expect(largestDifference(values, try Oracle.floats(file, "logits.\(turn).f64")) < 5e-5)
        }
    }

    @Test func foldedEqualsAttached() throws {
        let attached = try logits()
        model.decoder.settleAdapter()
        #expect(model.decoder.adapterParameters.isEmpty)
        for (folded, values) in zip(try logits(), attached) {
            #expect(largestDifference(folded, values) < 5e-5)
            #expect(folded != values)
        }
    }

    @Test func survivesWritingAndReading() throws {
        let original = try Oracle.adapter()
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: place) }
        let adapter = try #require(
            model.decoder.adapter(baseModelName: "llava-grouped", baseDigest: nil))
        try adapter.write(to: place)
        let read = try PEFTAdapter.read(place)
        #expect(read.modules == original.modules)
        #expect(read.scale == original.scale)
    }

    @Test func refusesAnotherModelsAdapter() throws {
        let other = try Oracle.llava("llava-tied")
        #expect(throws: CheckpointError.self) { try other.decoder.attach(Oracle.adapter(), from: "adapter") }
    }

    /// LoRA on all linear layers is none that is folded here, and what to do about it is said.
    @Test func whatIsNotTheDecoderIsNamed() throws {
        let own = try Oracle.adapter()
        for (name, part) in [
            ("model.multi_modal_projector.linear_1", "the projector too"),
            ("model.vision_tower.vision_model.encoder.layers.0.mlp.fc1", "the vision tower too"),
            ("lm_head", "the head too"),
        ] {
            var adapter = own
            adapter.modules.append(
                .init(
                    name: name, inputWidth: 1, outputWidth: 1, a: [Float](repeating: 1, count: own.rank),
                    b: [Float](repeating: 1, count: own.rank)))
            let error = #expect(throws: CheckpointError.self) {
                try Oracle.llava("llava-grouped").decoder.attach(adapter, from: "x")
            }
            #expect(error?.finding.contains("it adapts \(part) (1 layers, \(name) the first)") == true)
            #expect(error?.remedy.contains("merge_and_unload") == true)
        }
    }

    /// −log p(chosen) and the DPO loss, chosen and rejected as two children of one prompt.
    @Test(arguments: ["sequence", "dpo"], [false, true]) func gradients(loss: String, named: Bool) throws {
        let arena = Arena()
        let pixels = try Oracle.tensors("dpo-pixels").tensor(named: expected.pair.picture).floats()
        let features = model.encode([TowerInput(tile: pixels)], arena).features
        var forest = TokenForest()
        let prompt = forest.add(expand(expected.pair.promptIds, image: model.config.imageTokenID))
        let answers = [expected.pair.chosenIds, expected.pair.rejectedIds].map {
            forest.add($0, parent: prompt)
        }
        model.decoder.adapterParameters.forEach { $0.train() }

        let labels = answers.map { forest.labels(of: $0) }
        let tape = model.decoder.forward(
            forest, features: features, of: named ? labels.joined().map(\.row) : nil, arena)
        let (chosen, rejected) = (tape.labels(labels[0]), tape.labels(labels[1]))
        let logps = model.decoder.logProbabilities(tape.hidden, chosen + rejected, arena)
        let sums = [logps.prefix(chosen.count), logps.suffix(rejected.count)].map { Double($0.reduce(0, +)) }
        #expect(abs(sums[0] - expected.logpsChosen) < 1e-3)
        #expect(abs(sums[1] - expected.logpsRejected) < 1e-3)

        let margin =
            expected.beta * (sums[0] - expected.refLogpsChosen - sums[1] + expected.refLogpsRejected)
        #expect(abs(log(1 + exp(-margin)) - expected.dpoLoss) < 1e-4)
        let slope = Float(expected.beta / (1 + exp(margin)))
        let (good, bad): (Float, Float) = loss == "dpo" ? (-slope, slope) : (-1, 0)
        let dHidden = model.decoder.logProbabilitiesBackward(
            tape.hidden, chosen + rejected,
            weights: chosen.map { _ in good } + rejected.map { _ in bad }, arena)
        model.decoder.backward(tape, dHidden: dHidden, dFeatures: nil, arena)

        let file = try Oracle.tensors("adapter-grouped.gradients")
        for parameter in model.decoder.adapterParameters {
            let key = "\(loss).base_model.model.\(parameter.name)"
            let error = relativeError(try #require(parameter.gradient?.values), try Oracle.floats(file, key))
            #expect(error < 1e-4, "\(key): \(error)")
        }
        #expect(model.parameters.allSatisfy { $0.gradient == nil })
    }
}
