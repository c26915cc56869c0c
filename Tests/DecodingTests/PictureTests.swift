import Checkpoint
import Decoding
import Foundation
import Kernels
import Model
import OracleFixtures
import Random
import Testing

/// A picture's rows are its own: neither the cache nor another picture of the batch reaches them.
@Suite struct PictureTests {
    private static func answers(_ model: Llama, _ requests: [GrowthRequest]) throws -> [[Int32]] {
        let plan = GrowthPlan(samplers: [.greedy], stops: [2], maxTokens: 8, seed: 0)
        let grower = Grower(
            model: model, plan: plan, memory: 1 << 24,
            longestPrompt: requests.map(\.tokens.count).max() ?? 0, records: requests.count)
        return try grower.grow(requests) { _, _, _ in [] }.map { $0[0].tokens }
    }

    @Test func outlivesTheCache() throws {
        let model = try VisionLanguageModel(directory: Oracle.root.appendingPathComponent("llava-grouped"))
        let paths = (0..<4).map { Oracle.root.appendingPathComponent("pictures/picture-\($0).png").path }
        func requests(memory: Int) throws -> [GrowthRequest] {
            let cache = PictureCache(model, memory: memory)
            return try paths.map { path in
                GrowthRequest(
                    id: path, tokens: try model.encode(prompt: "What is this?", picture: .tile).prompt,
                    picture: try cache.picture(at: path))
            }
        }
        // Without memory each picture is dropped as soon as it is made, and later ones may take its place.
        let answers = try Self.answers(model.decoder, requests(memory: 0))
        #expect(try answers == Self.answers(model.decoder, requests(memory: 1 << 30)))
        #expect(Set(answers).count > 1, "the answers don't depend on the pictures")
    }

    @Test func ofTheCacheAreTheSameOnce() throws {
        let model = try VisionLanguageModel(directory: Oracle.root.appendingPathComponent("llava-grouped"))
        let paths = [1, 0, nil, 1].map { number in
            number.map { Oracle.root.appendingPathComponent("pictures/picture-\($0).png").path }
        }
        let arena = Arena()
        let pictures = try PictureCache(model).pictures(at: paths).map { $0?.matrix(arena).values }
        #expect(pictures[2] == nil && pictures[0] != nil && pictures[0] == pictures[3])
        #expect(pictures[0] != pictures[1])
        #expect(pictures[0]?.count == model.pictureTokens(.tile).count * model.decoder.config.hiddenSize)
    }

    /// Pictures of 2, 5 and 1 rows and a record without one, together and each alone.
    @Test func ofDifferentRowCounts() throws {
        var config = LlamaConfig()
        config.vocabSize = 67
        config.hiddenSize = 48
        config.intermediateSize = 80
        config.layerCount = 2
        (config.headCount, config.keyValueHeadCount, config.headDim) = (4, 2, 12)
        config.maxPositionEmbeddings = 128
        let model = try Llama(SpreadSource(seed: 8), config: config)
        var generator = SplitMix64(seed: 5)
        let requests = [2, 0, 5, 1].map { (rows: Int) -> GrowthRequest in
            let values = (0..<rows * 48).map { _ in Float(generator.nextGaussian()) }
            let shown: [Int32] = (0..<rows).map { -1 - Int32($0) }
            return GrowthRequest(
                id: "\(rows)", tokens: [7] + shown + [9, 11],
                picture: rows == 0 ? nil : Picture(values, width: 48))
        }
        let together = try Self.answers(model, requests)
        #expect(try together == requests.map { try Self.answers(model, [$0])[0] })
        #expect(try together == Self.answers(model, requests.reversed()).reversed())

        var rows = PictureRows()
        let tokens = requests.map { rows.add($0.picture, $0.tokens) }
        #expect(tokens[0] == [7, -1, -2, 9, 11] && tokens[1] == [7, 9, 11])
        #expect(tokens[2] == [7, -3, -4, -5, -6, -7, 9, 11] && tokens[3] == [7, -8, 9, 11])
        let arena = Arena()
        #expect(
            rows.matrix(arena)?.values == requests.flatMap { $0.picture?.matrix(arena).values ?? [] })
        #expect(PictureRows().matrix(arena)?.values == nil)
    }
}
