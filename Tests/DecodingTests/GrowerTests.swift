import Checkpoint
import Decoding
import Foundation
import Kernels
import Model
import OracleFixtures
import Random
import Testing

@Suite(.serialized) struct GrowerTests {
    /// Everything of a node, floats by their bits.
    private struct Exact: Equatable {
        let parent: Int
        let tokens: [Int32]
        let logProbabilities: [UInt32]
        let end: GrownNode.End
        let sampler: Int
        let depth: Int

        init(_ node: GrownNode) {
            (parent, tokens, end) = (node.parent, node.tokens, node.end)
            (sampler, depth) = (node.sampler, node.depth)
            logProbabilities = node.logProbabilities.map(\.bitPattern)
        }
    }

    private static func model() throws -> Llama {
        var config = LlamaConfig()
        config.vocabSize = 67
        config.hiddenSize = 48
        config.intermediateSize = 80
        config.layerCount = 2
        config.headCount = 4
        config.keyValueHeadCount = 2
        config.headDim = 12
        config.maxPositionEmbeddings = 128
        return try Llama(SpreadSource(seed: 8), config: config)
    }

    private static let treePlan = GrowthPlan(
        samplers: [.greedy, Sampler(temperature: 1), Sampler(temperature: 0.7, topK: 20, topP: 0.9)],
        stops: [0], periods: Set(1...12), maxTokens: 7, maxDepth: 4, width: 2, seed: 11)
    private static let beamPlan = GrowthPlan(
        samplers: [.greedy, .greedy, .greedy], beams: DiverseBeams(penalty: 1, pad: 5), stops: [0],
        passesStops: true, periods: Set(1...12), maxTokens: 7, maxDepth: 4, width: 2, seed: 0)
    private static let answerPlan = GrowthPlan(
        samplers: [.greedy, Sampler(temperature: 1), Sampler(temperature: 1)], stops: [0, 1, 2], maxTokens: 9,
        seed: 12)

    private static let plans = [treePlan, answerPlan, beamPlan]

    /// Extends the first and the last of the unfinished nodes.
    private static func ends(_ request: Int, _ nodes: [GrownNode], _ fresh: Range<Int>) -> [Int] {
        let open = fresh.filter { !nodes[$0].isFinal }
        return open.count < 2 ? open : [open[0], open[open.count - 1]]
    }

    /// Prompts of 1 to 40 tokens, every second one with an image of three features in it.
    private struct Prompts {
        let requests: [GrowthRequest]

        init(_ count: Int, width: Int) {
            var generator = SplitMix64(seed: 21)
            let pictures = (0..<count).map { _ in
                Picture((0..<3 * width).map { _ in Float(generator.nextGaussian()) }, width: width)
            }
            requests = (0..<count).map { index in
                var tokens = (0..<1 + Int(generator.next() % 37)).map { _ in Int32(generator.next() % 67) }
                let hasImage = index.isMultiple(of: 2)
                if hasImage { tokens.insert(contentsOf: [-1, -2, -3], at: tokens.count / 2) }
                return GrowthRequest(
                    id: "record-\(index)", tokens: tokens,
                    picture: hasImage ? pictures[index] : nil)
            }
        }

        var longest: Int { requests.map(\.tokens.count).max() ?? 0 }
    }

    @Test(arguments: ["llava-grouped", "llava-tied", "llava-legacy"]) func greedyAsTransformers(
        name: String
    ) throws {
        let model = try Oracle.llava(name)
        let expected: LlavaExpectation = try Oracle.json(name)
        let arena = Arena()
        let pictures = model.pictures(try Oracle.inputs(Oracle.tensors("\(name).forward")), arena)
        let requests = expected.turns.enumerated().map { index, turn in
            GrowthRequest(
                id: "\(index)", tokens: expand(turn.promptIds, image: model.config.imageTokenID),
                picture: pictures[index])
        }
        let plan = GrowthPlan(samplers: [.greedy], stops: [2], maxTokens: 12, seed: 0)
        let grower = Grower(
            model: model.decoder, plan: plan, memory: 1 << 24,
            longestPrompt: requests.map(\.tokens.count).max() ?? 0, records: 2)
        let grown = try grower.grow(requests) { _, _, _ in [] }
        for (nodes, greedy) in zip(grown, expected.greedy) {
            #expect(nodes.count == 1)
            #expect(nodes[0].tokens == greedy.ids)
        }
    }

    /// Every node's log-probabilities against one pass over its whole path, without a cache; greedy ones are
    /// the likeliest token at each place.
    @Test(arguments: plans) func equalsAFullPass(plan: GrowthPlan) throws {
        let model = try Self.model()
        let prompts = Prompts(6, width: 48)
        let grower = Grower(
            model: model, plan: plan, memory: 1 << 24, longestPrompt: prompts.longest, records: 6)
        let grown = try grower.grow(prompts.requests, steering: Self.ends)
        let arena = Arena()
        for (request, nodes) in zip(prompts.requests, grown) {
            arena.reset()
            var forest = TokenForest()
            let root = forest.add(request.tokens)
            var spans: [Int] = []
            for node in nodes {
                spans.append(forest.add(node.tokens, parent: node.parent < 0 ? root : spans[node.parent]))
            }
            let tape = model.forward(forest, features: request.picture?.matrix(arena), arena)
            for (node, span) in zip(nodes, spans) {
                let labels = forest.labels(of: span)
                let logps = model.logProbabilities(tape.hidden, labels, arena)
                #expect(largestDifference(node.logProbabilities, logps) < 5e-5)
                guard node.sampler == 0 else { continue }
                for (label, token) in zip(labels, node.tokens) {
                    let logits = model.logits(tape.hidden.rows(label.row..<label.row + 1), arena).values
                    #expect(logits[Int(token)] >= logits.max()! - 1e-5)
                }
            }
        }
        #expect(plan.maxDepth == 1 || grown.contains { $0.contains { $0.depth == 4 } })
    }

    /// What a record grows depends on nothing but itself: not on its neighbours, the threads, or waiting for
    /// memory.
    @Test(arguments: plans) func neighboursDoNotShow(plan: GrowthPlan) throws {
        let model = try Self.model()
        let prompts = Prompts(32, width: 48)
        let before = Parallel.threads
        defer { Parallel.threads = before }

        func grow(_ requests: [GrowthRequest], memory: Int, threads: Int) throws -> [[Exact]] {
            Parallel.threads = threads
            let grower = Grower(
                model: model, plan: plan, memory: memory, longestPrompt: prompts.longest,
                records: requests.count)
            return try grower.grow(requests, steering: Self.ends).map { $0.map(Exact.init) }
        }

        let together = try grow(prompts.requests, memory: 1 << 26, threads: 2)
        #expect(together.allSatisfy { $0.count >= 2 })
        #expect(try grow(prompts.requests, memory: 1 << 26, threads: 1) == together)
        // Room for about three records: the others wait, and meet other neighbours.
        let slots =
            3 * (prompts.longest + plan.maxTokens * plan.width * (plan.samplers.count + plan.maxDepth))
        let memory = slots * KeyValueCache.bytesPerSlot(model)
        #expect(try grow(prompts.requests, memory: memory, threads: 2) == together)
        #expect(try grow(prompts.requests.reversed(), memory: 1 << 26, threads: 2).reversed() == together)
        for (request, nodes) in zip(prompts.requests, together) {
            #expect(try grow([request], memory: 1 << 24, threads: 1) == [nodes], "\(request.id)")
        }
    }

    @Test func treesKeepNoTwins() throws {
        let model = try Self.model()
        var plan = Self.treePlan
        plan.samplers = [.greedy, Sampler(temperature: 1, topK: 1), Sampler(temperature: 1, topP: 1e-9)]
        let prompts = Prompts(4, width: 48)
        let grower = Grower(
            model: model, plan: plan, memory: 1 << 24, longestPrompt: prompts.longest, records: 4)
        for nodes in try grower.grow(prompts.requests, steering: Self.ends) {
            // All three draw the likeliest token, so one child is left of each three.
            #expect(nodes.count <= plan.maxDepth)
            #expect(nodes.allSatisfy { $0.sampler == 0 })
        }
    }

    @Test func refusesWhatCannotFit() throws {
        let model = try Self.model()
        let prompts = Prompts(2, width: 48)
        let grower = Grower(
            model: model, plan: Self.treePlan, memory: 20 * KeyValueCache.bytesPerSlot(model),
            longestPrompt: prompts.longest, records: 2)
        #expect(throws: GrowthTooLarge.self) { try grower.grow(prompts.requests, steering: Self.ends) }
    }

    /// The frequencies of 4000 first tokens against the softmax they are drawn from.
    @Test func drawsFollowTheDistribution() throws {
        let model = try Self.model()
        let temperature = 2.0
        let plan = GrowthPlan(
            samplers: Array(repeating: Sampler(temperature: temperature), count: 4000), stops: [],
            maxTokens: 1,
            seed: 3)
        let request = GrowthRequest(id: "r", tokens: [5, 9, 3], picture: nil)
        let grower = Grower(model: model, plan: plan, memory: 1 << 24, longestPrompt: 3, records: 1)
        let nodes = try grower.grow([request]) { _, _, _ in [] }[0]
        var logps: [Int32: Double] = [:]
        var counts: [Int32: Double] = [:]
        for node in nodes {
            logps[node.tokens[0]] = Double(node.logProbabilities[0])
            counts[node.tokens[0], default: 0] += 1
        }
        let arena = Arena()
        var forest = TokenForest()
        forest.add(request.tokens)
        let tape = model.forward(forest, features: nil, arena)
        let logits = model.logits(tape.hidden.rows(2..<3), arena).values.map { Double($0) / temperature }
        withExtendedLifetime(arena) {}
        let total = logits.reduce(0) { $0 + exp($1) }
        var chiSquare = 0.0
        for (token, logit) in logits.enumerated() {
            let wanted = 4000 * exp(logit) / total
            let seen = counts[Int32(token), default: 0]
            chiSquare += (seen - wanted) * (seen - wanted) / wanted
        }
        // 66 degrees of freedom: mean 66, deviation 11.5.
        #expect(chiSquare < 66 + 5 * 11.5)
    }
}
