import Checkpoint
import Foundation
import Kernels
import Model
import OracleFixtures
import Testing

private struct ClipExpectation: Decodable {
    let textIds: [[Int32]]
    let contrastiveLoss: Double
}

@Suite struct ClipOracleTests {
    @Test(arguments: ["clip-first-eos", "clip-highest-id"]) func embeddingsAndLogits(name: String) throws {
        let model = try Oracle.clip(name)
        let file = try Oracle.tensors("\(name).forward")
        let expected: ClipExpectation = try Oracle.json(name)
        let arena = Arena()
        let tape = model.forward(try Oracle.pictures(file), expected.textIds, arena)
        for (values, tensor) in [
            (tape.images.embedding, "image_embeds"), (tape.texts.embedding, "text_embeds"),
            (tape.logits, "logits_per_image"),
        ] {
            let wanted = try Oracle.floats(file, "\(tensor).f64")
            #expect(largestDifference(values.values, wanted) < 1e-5, "\(tensor)")
        }
    }

    @Test func paddingDoesNotShow() throws {
        let model = try Oracle.clip("clip-first-eos")
        let expected: ClipExpectation = try Oracle.json("clip-first-eos")
        let longest = try #require(expected.textIds.map(\.count).max())
        let padded = expected.textIds.map { $0 + Array(repeating: $0.last!, count: longest - $0.count) }
        let arena = Arena()
        let bare = model.embedTexts(expected.textIds, arena).1.embedding.values
        #expect(largestDifference(model.embedTexts(padded, arena).1.embedding.values, bare) < 1e-6)
    }

    @Test func gradientsOfEveryParameter() throws {
        let name = "clip-first-eos"
        let model = try Oracle.clip(name)
        model.parameters.forEach { $0.train() }
        let expected: ClipExpectation = try Oracle.json(name)
        let arena = Arena()
        let tape = model.forward(
            try Oracle.pictures(Oracle.tensors("\(name).forward")), expected.textIds, arena)

        // Mean of the cross-entropies of rows and of columns, written out here in Double.
        let count = tape.logits.rows
        let dLogits = arena.zeros(count, count)
        var loss = 0.0
        for i in 0..<count {
            for byRow in [true, false] {
                let line = (0..<count).map { Double(byRow ? tape.logits[i, $0] : tape.logits[$0, i]) }
                let total = line.reduce(0) { $0 + exp($1) }
                loss += (log(total) - line[i]) / Double(2 * count)
                for j in 0..<count {
                    let share = Float((exp(line[j]) / total - (i == j ? 1 : 0)) / Double(2 * count))
                    if byRow { dLogits[i, j] += share } else { dLogits[j, i] += share }
                }
            }
        }
        #expect(abs(loss - expected.contrastiveLoss) < 1e-5)
        model.backward(tape, dLogits: dLogits, arena)
        #expect(try gradientFaults(model.parameters, in: Oracle.tensors("\(name).gradients")) == [])
    }
}
