import Checkpoint
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Random
import Testing

/// A picture's features, a text's embedding and an answer's log-probabilities have the same bits alone as in
/// any batch, so that results don't depend on shards or on where a run was taken up again.
@Suite struct NeighbourTests {
    private static func pictures(_ count: Int, size: Int) -> [[Float]] {
        var generator = SplitMix64(seed: 17)
        return (0..<count).map { _ in (0..<3 * size * size).map { _ in Float(generator.nextGaussian()) } }
    }

    private static func vision() -> ClipVisionConfig {
        var config = ClipVisionConfig()
        config.imageSize = 24
        config.patchSize = 4
        config.hiddenSize = 40
        config.intermediateSize = 72
        config.layerCount = 2
        config.headCount = 4
        return config
    }

    private static func llava() throws -> Llava {
        var config = LlavaConfig()
        config.vision = vision()
        config.visionFeatureLayer = -1
        config.text.vocabSize = 61
        config.text.hiddenSize = 48
        config.text.intermediateSize = 80
        config.text.layerCount = 2
        config.text.headCount = 4
        config.text.keyValueHeadCount = 2
        config.text.headDim = 12
        config.text.maxPositionEmbeddings = 128
        return try Llava(SpreadSource(seed: 31), config: config)
    }

    @Test func features() throws {
        let model = try Self.llava()
        let pictures = Self.pictures(9, size: 24).map { TowerInput(tile: $0) }
        let arena = Arena()
        let together = model.encode(pictures, arena).features.values
        let alone = pictures.flatMap { model.encode([$0], arena).features.values }
        #expect(together == alone)
    }

    @Test func embeddings() throws {
        var config = ClipConfig()
        config.vision = Self.vision()
        config.text.vocabSize = 61
        config.text.hiddenSize = 40
        config.text.intermediateSize = 72
        config.text.layerCount = 2
        config.text.headCount = 4
        config.text.eosTokenID = 60
        config.projectionDim = 24
        let model = try Clip(SpreadSource(seed: 32), config: config)
        let pictures = Self.pictures(5, size: 24)
        let texts = (1..<20).map { length in (0..<length).map { Int32(($0 * 7 + length) % 60) } + [60] }
        let arena = Arena()
        #expect(
            model.embedImages(pictures, arena).1.embedding.values
                == pictures.flatMap { model.embedImages([$0], arena).1.embedding.values })
        #expect(
            model.embedTexts(texts, arena).1.embedding.values
                == texts.flatMap { model.embedTexts([$0], arena).1.embedding.values })
    }

    /// Answers under their own prompts, all in one forest and one by one, with an adapter on.
    @Test func logProbabilities() throws {
        let model = try Self.llava()
        model.decoder.attachAdapter(rank: 3, scale: 2, seed: 1)
        for parameter in model.decoder.adapterParameters where parameter.name.hasSuffix("lora_B.weight") {
            for i in 0..<parameter.count { parameter.value.base[i] = Float(i % 5) * 0.1 - 0.2 }
        }
        let arena = Arena()
        let images = model.encode(Self.pictures(12, size: 24).map { TowerInput(tile: $0) }, arena)
        let count = images.rows[0].count

        func grow(_ forest: inout TokenForest, _ index: Int, firstFeature: Int) -> [Int] {
            let root = forest.add(
                (0..<count).map { -1 - Int32(firstFeature + $0) } + [3, Int32(index)])
            return (0...index).map { child in
                forest.add((0..<child).map { Int32(($0 * 5 + index) % 61) }, parent: root)
            }
        }
        func logps(_ forest: TokenForest, _ spans: [Int], _ features: Matrix) -> [Float] {
            let tape = model.decoder.forward(forest, features: features, arena)
            return model.decoder.logProbabilities(
                tape.hidden, spans.flatMap { forest.labels(of: $0) }, arena)
        }

        var together = TokenForest()
        let spans = (0..<12).flatMap { grow(&together, $0, firstFeature: images.rows[$0].lowerBound) }
        let whole = logps(together, spans, images.features)
        let alone = (0..<12).flatMap { index in
            var forest = TokenForest()
            let own = grow(&forest, index, firstFeature: 0)
            return logps(forest, own, images.features.rows(images.rows[index]))
        }
        #expect(whole.count == alone.count)
        #expect(whole == alone)
    }
}
