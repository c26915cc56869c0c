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
        let (model, expected, arena) = (try oracle.model(), try oracle.expectation(), Arena())
        if let adapter { try model.decoder.attach(adapter, from: name) }
        if folded { model.decoder.settleAdapter() }
        let images = model.features(of: [try oracle.input()], arena)
        var forest = TokenForest()
        let prompt = forest.add(try oracle.prompt(model), grid: images.grids?[0])
        let answer = forest.add(expected.answerIds, parent: prompt)
        let tape = model.decoder.forward(forest, features: images.values, arena)
        return model.decoder.logProbabilities(tape.hidden, forest.labels(of: answer), arena)
    }

    @Test(arguments: ["llava-phi3", "smolvlm", "qwen2-vl"], [false, true])
    func answersAreThoseOfPEFT(name: String, folded: Bool) throws {
        let data = try Data(contentsOf: Self.adapters.appendingPathComponent(name + ".json"))
        let expected = try JSONDecoder().decode(Expectation.self, from: data).answer_logps.map(Float.init)
        let adapter = try PEFTAdapter.read(Self.adapters.appendingPathComponent(name))
        let logps = try Self.logProbabilities(name, adapter, folded: folded)
        #expect(largestDifference(logps, expected) < 2e-5)
        #expect(largestDifference(try Self.logProbabilities(name, nil), expected) > 0.01)
    }

    /// Written again under transformers' own names, and read where the modules have those of before 4.52.
    @Test(arguments: [
        ("llava-phi3", "model.language_model.", "language_model.model."),
        ("qwen2-vl", "model.language_model.", "model."),
        ("smolvlm", "model.text_model.", "model.text_model."),
    ])
    func namesOfBeforeAreRead(name: String, now: String, before: String) throws {
        let original = try PEFTAdapter.read(Self.adapters.appendingPathComponent(name))
        #expect(original.modules.allSatisfy { $0.name.hasPrefix(now) })
        let place = FileManager.default.temporaryDirectory.appendingPathComponent(UUID().uuidString)
        defer { try? FileManager.default.removeItem(at: place) }
        let old = PEFTAdapter(
            rank: original.rank, alpha: original.alpha, baseModelName: nil, baseDigest: nil,
            modules: original.modules.map {
                PEFTAdapter.Module(
                    name: before + $0.name.dropFirst(now.count), inputWidth: $0.inputWidth,
                    outputWidth: $0.outputWidth, a: $0.a, b: $0.b)
            })
        try old.write(to: place)
        let read = try PEFTAdapter.read(place)
        #expect(read.modules == original.modules)
        #expect(
            try Self.logProbabilities(name, read) == Self.logProbabilities(name, original))
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
