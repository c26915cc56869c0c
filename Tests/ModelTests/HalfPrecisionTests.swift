import Checkpoint
import Files
import Foundation
import Kernels
import Model
import OracleFixtures
import Random
import Testing

/// Checkpoints in two bytes, whose weights stay as they are.
@Suite struct HalfPrecisionTests {
    /// The tiny LLaVA in `type`, and the same numbers widened to f32.
    private static func folders(_ type: ElementType) throws -> (half: URL, wide: URL) {
        let root = FileManager.default.temporaryDirectory.appendingPathComponent("half-\(UUID().uuidString)")
        let (half, wide) = (root.appendingPathComponent("half"), root.appendingPathComponent("wide"))
        let config = Oracle.root.appendingPathComponent("llava-grouped/config.json")
        func write(_ parameters: [Parameter], _ folder: URL, _ type: ElementType) throws {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(at: config, to: folder.appendingPathComponent("config.json"))
            try parameters.write(to: folder.appendingPathComponent("model.safetensors"), as: type)
        }
        try write(Oracle.llava("llava-grouped").parameters, half, type)
        try write(open(half, .f32).parameters, wide, .f32)
        return (half, wide)
    }

    private static func open(_ folder: URL, _ compute: Compute?) throws -> Llava {
        let directory = try CheckpointDirectory.open(folder)
        return try Llava(
            CheckpointSource(directory, compute: compute), config: directory.config().llava(path: folder.path)
        )
    }

    /// Hidden states of two turns and the gradients of an adapter for a fixed slope of them.
    private static func pass(_ model: Llava) throws -> (hidden: [Float], gradients: [Float]) {
        let file = try Oracle.tensors("llava-grouped.forward")
        let expected: LlavaExpectation = try Oracle.json("llava-grouped")
        let arena = Arena()
        let images = model.encode(try Oracle.inputs(file), arena)
        let (forest, _) = LlavaOracleTests.forest(model, expected)
        try model.decoder.attach(Oracle.adapter(), from: "adapter-grouped")
        model.decoder.adapterParameters.forEach { $0.train() }
        let tape = model.decoder.forward(forest, features: images.features, arena)
        let hidden = tape.hidden.values
        let slope = arena.matrix(tape.hidden.rows, tape.hidden.columns)
        var generator = SplitMix64(seed: 1)
        for i in 0..<slope.count { slope.base[i] = Float(generator.nextGaussian()) }
        model.decoder.backward(tape, dHidden: slope, dFeatures: nil, arena)
        return (hidden, model.decoder.adapterParameters.flatMap { $0.gradient?.values ?? [] })
    }

    /// Widened on the way, they give the bits of f32 weights with the same values, forward and backward.
    @Test(arguments: [ElementType.bf16, .f16]) func computesAsWideWeightsDo(_ type: ElementType) throws {
        let (half, wide) = try Self.folders(type)
        defer { try? FileManager.default.removeItem(at: half.deletingLastPathComponent()) }
        let (left, right) = (try Self.pass(Self.open(half, .f32)), try Self.pass(Self.open(wide, nil)))
        #expect(left.hidden == right.hidden)
        #expect(left.gradients == right.gradients)
        #expect(left.gradients.contains { $0 != 0 })
    }

    /// Of two bytes, bf16 products are the default; they are near those of f32, and not the same.
    @Test func computesInBF16ByDefault() throws {
        let (half, wide) = try Self.folders(.bf16)
        defer { try? FileManager.default.removeItem(at: half.deletingLastPathComponent()) }
        let exact = try Self.pass(Self.open(wide, nil))
        let rounded = try Self.pass(Self.open(half, nil))
        #expect(rounded.hidden == (try Self.pass(Self.open(wide, .bf16))).hidden)
        for (left, right) in [(rounded.hidden, exact.hidden), (rounded.gradients, exact.gradients)] {
            let difference = zip(left, right).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            let size = right.reduce(0) { $0 + Double($1 * $1) }
            #expect(difference > 0)
            #expect((difference / size).squareRoot() < 0.03)
        }
    }

    /// What is written again is what was read.
    @Test func isWrittenAsItWasRead() throws {
        let (half, _) = try Self.folders(.bf16)
        defer { try? FileManager.default.removeItem(at: half.deletingLastPathComponent()) }
        let model = try Self.open(half, nil)
        _ = try Self.pass(model)
        let again = half.appendingPathComponent("again.safetensors")
        try model.parameters.write(to: again, as: .bf16)
        #expect(
            try Data(contentsOf: again) == Data(contentsOf: half.appendingPathComponent("model.safetensors")))
    }
}

extension HalfPrecisionTests {
    /// An earlier round's adapter stays beside weights of two bytes, which would round it away, under a new one.
    @Test func settledAdaptersStayBeside() throws {
        let (half, wide) = try Self.folders(.bf16)
        defer { try? FileManager.default.removeItem(at: half.deletingLastPathComponent()) }
        func settled(_ folder: URL, _ compute: Compute) throws -> Llava {
            let model = try Self.open(folder, compute)
            try model.decoder.attach(Oracle.adapter(), from: "adapter-grouped")
            model.decoder.settleAdapter()
            return model
        }
        let (bare, beside, folded) = (
            try Self.pass(Self.open(half, .bf16)), try Self.pass(settled(half, .bf16)),
            try Self.pass(settled(wide, .f32))
        )
        func distance(_ a: [Float], _ b: [Float]) -> Double {
            let difference = zip(a, b).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) }
            return (difference / b.reduce(0) { $0 + Double($1 * $1) }).squareRoot()
        }
        for (a, b, other) in [
            (beside.hidden, folded.hidden, bare.hidden), (beside.gradients, folded.gradients, bare.gradients),
        ] {
            #expect(distance(a, b) < 0.05)
            #expect(distance(a, b) < 0.2 * distance(other, b))
        }
        // Written, it is a part of the weights.
        let model = try settled(half, .bf16)
        let file = half.appendingPathComponent("whole.safetensors")
        try model.parameters.write(to: file, as: .f32, settled: model.decoder.adapterTargets)
        let exact = try settled(wide, .f32)
        for (parameter, values) in zip(exact.parameters, exact.parameters.map(\.values)) {
            let written = try SafetensorsFile(file).tensor(named: TensorNames.canonical(parameter.name))
                .floats()
            #expect(largestDifference(written, values) < 1e-6, "\(parameter.name)")
        }
    }
}
