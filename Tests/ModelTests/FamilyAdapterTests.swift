import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Testing

/// Adapters that PEFT saved over models of several families.
@Suite struct FamilyAdapterTests {
    private struct Expectation: Decodable { let answer_logps: [Double] }

    private static let adapters = Oracle.root.appendingPathComponent("families/adapters")

    private static func logProbabilities(
        _ name: String, _ adapter: PEFTAdapter?, folded: Bool = false
    ) throws -> [Float] {
        let oracle = FamilyOracle.named(name)
        let model = try oracle.model()
        if let adapter { try model.attach(adapter, from: name) }
        if folded { model.settleAdapter() }
        return try oracle.answerLogProbabilities(model)
    }

    private static func expected(_ name: String) throws -> [Float] {
        let data = try Data(contentsOf: adapters.appendingPathComponent(name + ".json"))
        return try JSONDecoder().decode(Expectation.self, from: data).answer_logps.map(Float.init)
    }

    /// On the decoder alone.
    private static let decoders = ["llava-phi3", "smolvlm", "qwen2-vl"]
    /// On tower and projector too.
    private static let whole = ["llava-dynamic", "llava-linear", "onevision", "idefics3", "qwen2.5-vl"]

    @Test(arguments: decoders + whole + ["vila"], [false, true])
    func answersAreThoseOfPEFT(name: String, folded: Bool) throws {
        let expected = try Self.expected(name)
        let adapter = try PEFTAdapter.read(Self.adapters.appendingPathComponent(name))
        let logps = try Self.logProbabilities(name, adapter, folded: folded)
        #expect(largestDifference(logps, expected) < 2e-5)
        #expect(largestDifference(try Self.logProbabilities(name, nil), expected) > 0.01)
    }

    /// Off, it is the base; settled beside weights of two bytes, it is written as a part of them.
    @Test(arguments: decoders + whole) func writtenModelsAreWhole(name: String) throws {
        let (oracle, place) = (
            FamilyOracle.named(name),
            FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        )
        defer { try? FileManager.default.removeItem(at: place) }
        let model = try oracle.model(.bf16)
        let base = try oracle.answerLogProbabilities(model)
        try model.attach(PEFTAdapter.read(Self.adapters.appendingPathComponent(name)), from: name)
        #expect(try oracle.answerLogProbabilities(model) != base)
        model.useAdapter(false)
        #expect(try oracle.answerLogProbabilities(model) == base)
        model.useAdapter(true)
        model.settleAdapter()

        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        try model.modelConfig.write(to: place.appendingPathComponent("config.json"))
        try model.parameters.write(
            to: place.appendingPathComponent("model.safetensors"), as: .f32, settled: model.adapterTargets)
        let directory = try CheckpointDirectory.open(place)
        let written = try directory.config().family(CheckpointSource(directory), path: place.path)
        let logps = try oracle.answerLogProbabilities(written)
        #expect(largestDifference(logps, try Self.expected(name)) < 2e-5)
    }

    /// What LoRA can't be on is named with its reason, and so is a tower's layer that is missing.
    @Test func whatCannotBeAdaptedIsNamed() throws {
        let model = try FamilyOracle.named("onevision").model()
        let own = try PEFTAdapter.read(Self.adapters.appendingPathComponent("onevision"))
        for (name, part) in [
            ("lm_head", "the head"), ("model.language_model.embed_tokens", "the embedding"),
            ("model.vision_tower.vision_model.head.mlp.fc1", "the vision tower"),
        ] {
            var adapter = own
            adapter.modules.append(
                .init(
                    name: name, inputWidth: 1, outputWidth: 1, a: [Float](repeating: 1, count: own.rank),
                    b: [Float](repeating: 1, count: own.rank)))
            let error = #expect(throws: CheckpointError.self) { try model.attach(adapter, from: "x") }
            #expect(error?.finding.contains("it adapts \(part) too (1 layers, \(name) the first)") == true)
            #expect(
                error?.finding.hasSuffix("LoRA can be on layers of tower, projector and decoder only") == true
            )
        }
        let training = #expect(throws: CheckpointError.self) { try model.decoder.attach(own, from: "x") }
        #expect(training?.finding.contains("the vision tower and the projector too") == true)
        #expect(training?.remedy.contains("are the decoder's projections") == true)

        var cut = own
        cut.modules.removeAll { $0.name.hasSuffix("layers.1.mlp.fc2") }
        let error = #expect(throws: CheckpointError.self) {
            try FamilyOracle.named("onevision").model().attach(cut, from: "x")
        }
        #expect(error?.finding.contains("vision_model.encoder.layers.1.mlp.fc2, but there are no") == true)
    }

    /// Written again under transformers' own names, and read where the modules have those of before 4.52.
    @Test(arguments: [
        ("llava-phi3", ["model.language_model.": "language_model.model."]),
        ("qwen2-vl", ["model.language_model.": "model."]),
        ("smolvlm", ["model.text_model.": "model.text_model."]),
        (
            "onevision",
            [
                "model.language_model.": "language_model.model.",
                "model.vision_tower.vision_model.": "vision_tower.vision_model.",
                "model.multi_modal_projector.": "multi_modal_projector.",
            ]
        ),
        ("qwen2.5-vl", ["model.language_model.": "model.", "model.visual.": "visual."]),
    ])
    func namesOfBeforeAreRead(name: String, prefixes: [String: String]) throws {
        let original = try PEFTAdapter.read(Self.adapters.appendingPathComponent(name))
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: place) }
        let old = PEFTAdapter(
            rank: original.rank, alpha: original.alpha, baseModelName: nil, baseDigest: nil,
            modules: try original.modules.map { module in
                let (now, before) = try #require(prefixes.first { module.name.hasPrefix($0.key) })
                return PEFTAdapter.Module(
                    name: before + module.name.dropFirst(now.count), inputWidth: module.inputWidth,
                    outputWidth: module.outputWidth, a: module.a, b: module.b)
            })
        try old.write(to: place)
        let read = try PEFTAdapter.read(place)
        #expect(read.modules == original.modules)
        #expect(
            try Self.logProbabilities(name, read) == Self.logProbabilities(name, original))
    }

    /// Features that a cache keeps belong to tower and projector as an adapter left them.
    @Test func picturesAreNamedByWhatMakesThem() throws {
        let base = Oracle.root.appendingPathComponent("llava-grouped")
        let decoders = try VisionLanguageModel(
            directory: base, adapters: [Oracle.root.appendingPathComponent("adapter-grouped")])
        #expect(decoders.pictureDigest == decoders.baseDigest && decoders.digest != decoders.baseDigest)

        let name = "model.multi_modal_projector.linear_2"
        let shape = try CheckpointDirectory.open(base).shape(of: name + ".weight")
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: place) }
        try PEFTAdapter(
            rank: 1, alpha: 1, baseModelName: nil, baseDigest: nil,
            modules: [
                .init(
                    name: name, inputWidth: shape[1], outputWidth: shape[0],
                    a: [Float](repeating: 0.1, count: shape[1]), b: [Float](repeating: 0.1, count: shape[0]))
            ]
        ).write(to: place)
        let projectors = try VisionLanguageModel(directory: base, adapters: [place])
        #expect(projectors.pictureDigest == projectors.digest)
        #expect(projectors.pictureDigest != projectors.baseDigest)
    }
}

/// How pictures are laid out in a prompt, as transformers' processors have it.
@Suite struct PictureLayoutTests {
    private struct Layouts: Decodable {
        let rows: [[Int]]
        let grids: [[Int]]
        let texts: [String]
    }

    private func layouts() throws -> Layouts {
        let file = Oracle.root.appendingPathComponent("families/adapters/layouts.json")
        return try JSONDecoder().decode(Layouts.self, from: Data(contentsOf: file))
    }

    /// Any-resolution packing of LLaVA-OneVision-0.5B: 27 patches a side, up to 6 × 6 tiles of 384.
    @Test func rowsOfAnyResolution() throws {
        let shapes = (1...6).flatMap { down in (1...6).map { (down * 384, $0 * 384) } }
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: place) }
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let pairs = shapes.map { "[\($0.0), \($0.1)]" }.joined(separator: ", ")
        let config = """
            {"image_processor_type": "LlavaOnevisionImageProcessor", "size": {"height": 384, "width": 384},
             "image_grid_pinpoints": [\(pairs)]}
            """
        try Data(config.utf8).write(to: place.appendingPathComponent("preprocessor_config.json"))
        let processor = try readPictureProcessor(directory: place)
        var small = LlavaConfig(defaultsOf: .oneVision)
        small.vision.hiddenSize = 16
        small.vision.intermediateSize = 16
        small.vision.layerCount = 1
        small.text = .init()
        (small.text.hiddenSize, small.text.intermediateSize, small.text.vocabSize) = (32, 32, 8)
        (small.text.headCount, small.text.keyValueHeadCount, small.text.headDim) = (1, 1, 32)
        small.text.layerCount = 1
        let model = try Llava(RandomSource(seed: 1), config: small)
        for row in try layouts().rows {
            let shape = try processor.shape(of: PictureSize(height: row[0], width: row[1]))
            #expect(model.rows(of: shape) == row[2], "\(row[0]) × \(row[1])")
        }
        #expect(model.rows(of: .tile) == 730)
    }

    @Test func textOfTiles() throws {
        let model = try FamilyOracle.named("smolvlm").model()
        let expected = try layouts()
        for (grid, text) in zip(expected.grids, expected.texts) {
            let shape = PictureShape(
                grid: PictureSize(height: grid[0], width: grid[1]), original: PictureShape.tile.original)
            #expect(model.text(of: shape, marker: "<image>") == text)
        }
    }
}
