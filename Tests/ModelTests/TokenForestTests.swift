import Checkpoint
import Kernels
import Model
import OracleFixtures
import Random
import Testing

/// A forest gives what its paths give one by one.
@Suite struct TokenForestTests {
    /// Odd sizes, grouped heads.
    static func decoder(keyValueHeads: Int, tied: Bool) throws -> Llama {
        var config = LlamaConfig()
        config.vocabSize = 53
        config.hiddenSize = 20
        config.intermediateSize = 28
        config.layerCount = 2
        config.headCount = 4
        config.keyValueHeadCount = keyValueHeads
        config.headDim = 6
        config.maxPositionEmbeddings = 64
        config.tieWordEmbeddings = tied
        return try Llama(SpreadSource(seed: 5), config: config)
    }

    /// Roots, siblings, chains, empty spans and spans of one token, mixed by the seed.
    static func randomForest(_ seed: UInt64, features: Int) -> TokenForest {
        var generator = SplitMix64(seed: seed)
        func below(_ bound: Int) -> Int { Int(generator.next() % UInt64(bound)) }
        var forest = TokenForest()
        for span in 0..<10 {
            let parent = span == 0 || below(6) == 0 ? -1 : seed.isMultiple(of: 3) ? span - 1 : below(span)
            let count = [0, 1, 1, 2, 3, 5, 8][below(7)]
            forest.add(
                (0..<count).map { _ in below(8) == 0 ? -1 - Int32(below(features)) : Int32(below(53)) },
                parent: parent)
        }
        return forest
    }

    private struct Outcome {
        var logps: [Float] = []
        var gradients: [[Float]] = []
        var features: [Float] = []
    }

    /// Log-probabilities of `labels`, and gradients of Σ weights · logp.
    private func run(
        _ model: Llama, _ forest: TokenForest, _ labels: [Label], _ weights: [Float], _ features: Matrix
    ) -> Outcome {
        let arena = Arena()
        model.parameters.forEach {
            $0.freeze()
            $0.train()
        }
        let tape = model.forward(forest, features: features, arena)
        var outcome = Outcome()
        outcome.logps = model.logProbabilities(tape.hidden, labels, arena)
        let dHidden = model.logProbabilitiesBackward(tape.hidden, labels, weights: weights, arena)
        let dFeatures = arena.zeros(features.rows, features.columns)
        model.backward(tape, dHidden: dHidden, dFeatures: dFeatures, arena)
        outcome.gradients = model.parameters.map { $0.gradient?.values ?? [] }
        outcome.features = dFeatures.values
        withExtendedLifetime(arena) {}
        return outcome
    }

    @Test(arguments: [(1, false), (2, true), (4, false)], 0..<8 as Range<UInt64>)
    func equalsItsPaths(_ shape: (keyValueHeads: Int, tied: Bool), seed: UInt64) throws {
        let model = try Self.decoder(keyValueHeads: shape.keyValueHeads, tied: shape.tied)
        let storage = Buffer(count: 3 * 20)
        var generator = SplitMix64(seed: seed, key: "features")
        for i in 0..<storage.count { storage.base[i] = Float(generator.nextGaussian()) }
        let features = storage.matrix(rows: 3, columns: 20)
        let forest = Self.randomForest(seed, features: 3)

        var labels: [Label] = []
        var weights: [Float] = []
        var sum = Outcome()
        for span in forest.spans.indices {
            let own = forest.labels(of: span)
            let ownWeights = own.map { _ in Float(generator.nextGaussian()) }
            labels += own
            weights += ownWeights
            guard !own.isEmpty else { continue }
            // The path as one root: its labels are the last ones.
            var path = TokenForest()
            let ids = forest.path(to: span).flatMap { forest.tokens[forest.spans[$0].rows] }
            path.add(ids)
            let alone = path.labels(of: 0).suffix(own.count)
            #expect(alone.map(\.target) == own.map(\.target))
            let outcome = run(model, path, Array(alone), ownWeights, features)
            sum.logps += outcome.logps
            sum.gradients =
                sum.gradients.isEmpty
                ? outcome.gradients : zip(sum.gradients, outcome.gradients).map { zip($0, $1).map(+) }
            sum.features =
                sum.features.isEmpty ? outcome.features : zip(sum.features, outcome.features).map(+)
        }
        let whole = run(model, forest, labels, weights, features)
        #expect(largestDifference(whole.logps, sum.logps) < 2e-5)
        for (parameter, (left, right)) in zip(model.parameters, zip(whole.gradients, sum.gradients)) {
            let error = relativeError(left, right)
            #expect(error < 1e-5, "\(parameter.name): \(error)")
        }
        #expect(largestDifference(whole.features, sum.features) < 1e-4 * Float(1 + norm(sum.features)))
    }

    @Test func labelsOfEverySiblingComeFromTheParent() {
        var forest = TokenForest()
        let root = forest.add([7, 8] as [Int32])
        let empty = forest.add([] as [Int32], parent: root)
        let left = forest.add([9, 10] as [Int32], parent: empty)
        let right = forest.add([11, -1, 12] as [Int32], parent: empty)
        #expect(forest.labels(of: root) == [Label(row: 0, target: 8)])
        #expect(forest.labels(of: empty) == [])
        #expect(forest.labels(of: left) == [Label(row: 1, target: 9), Label(row: 2, target: 10)])
        #expect(forest.labels(of: right) == [Label(row: 1, target: 11), Label(row: 5, target: 12)])
        #expect(forest.positions == [0, 1, 2, 3, 2, 3, 4])
    }

    /// Threads divide the work and never the sums.
    @Test func threadsDoNotShow() throws {
        let model = try Self.decoder(keyValueHeads: 2, tied: false)
        let features = Buffer(count: 60)
        let forest = Self.randomForest(4, features: 3)
        let labels = forest.spans.indices.flatMap { forest.labels(of: $0) }
        let weights = labels.indices.map { Float($0 % 3) - 1 }
        let before = Parallel.threads
        defer { Parallel.threads = before }
        let outcomes = [1, 2, 3].map { threads in
            Parallel.threads = threads
            return run(model, forest, labels, weights, features.matrix(rows: 3, columns: 20))
        }
        for other in outcomes.dropFirst() {
            #expect(other.logps == outcomes[0].logps)
            #expect(other.gradients == outcomes[0].gradients)
            #expect(other.features == outcomes[0].features)
        }
    }
}
