import Checkpoint
import Foundation
import Kernels
import Model
import OracleFixtures
import Testing

/// Decoders over weights rounded to int8.
@Suite struct Int8Tests {
    private static func distance(_ a: [Float], _ b: [Float]) -> Double {
        let sum = zip(a, b).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
        return (sum / Double(a.count)).squareRoot()
    }

    /// Log-probabilities are near those of the weights as they are stored, seen from a model with other weights.
    @Test(arguments: FamilyOracle.all) func areNearThoseOfStoredWeights(oracle: FamilyOracle) throws {
        let exact = try oracle.answerLogProbabilities(oracle.model())
        let quantized = try oracle.model()
        quantized.decoder.quantize()
        let error = Self.distance(try oracle.answerLogProbabilities(quantized), exact)
        let config = try CheckpointDirectory.open(oracle.folder).config()
        let other = try config.family(SpreadSource(seed: 7), path: oracle.folder.path)
        let scale = Self.distance(try oracle.answerLogProbabilities(other), exact)
        #expect(error > 0 && error < 0.1 * scale, "\(error) of \(scale)")
    }

    /// An earlier round's adapter stays beside weights that would round it away.
    @Test func settledAdaptersStayBeside() throws {
        func hidden(_ isQuantized: Bool, _ isAdapted: Bool) throws -> [Float] {
            let model = try Oracle.llava("llava-grouped")
            if isQuantized { model.decoder.quantize() }
            if isAdapted {
                try model.decoder.attach(Oracle.adapter(), from: "adapter-grouped")
                model.decoder.settleAdapter()
            }
            let arena = Arena()
            defer { withExtendedLifetime(arena) {} }
            let images = model.encode(try Oracle.inputs(Oracle.tensors("llava-grouped.forward")), arena)
            let expected: LlavaExpectation = try Oracle.json("llava-grouped")
            let (forest, _) = LlavaOracleTests.forest(model, expected)
            return model.decoder.forward(forest, features: images.features, arena).hidden.values
        }
        func change(_ isQuantized: Bool) throws -> [Float] {
            zip(try hidden(isQuantized, true), try hidden(isQuantized, false)).map { $0 - $1 }
        }
        let (exact, beside) = (try change(false), try change(true))
        let size = Self.distance(exact, exact.map { _ in 0 })
        #expect(Self.distance(beside, exact) < 0.1 * size, "\(Self.distance(beside, exact)) of \(size)")
    }

    /// Tower and projector compute as they are stored, and so features are the same.
    @Test func picturesAreTheSame() throws {
        let oracle = try #require(FamilyOracle.all.first)
        let directory = try CheckpointDirectory.open(oracle.folder)
        let arena = Arena()
        let pictures = try [nil, Compute.int8].map { compute in
            let source = CheckpointSource(directory, compute: compute)
            let model = try directory.config().family(source, path: oracle.folder.path)
            if compute == .int8 { model.decoder.quantize() }
            return model.features(of: [try oracle.input()], arena).values.values
        }
        withExtendedLifetime(arena) {}
        #expect(pictures[0] == pictures[1])
    }
}
