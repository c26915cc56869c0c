import Checkpoint
import Decoding
import Foundation
import Imaging
import Kernels
import Model
import OracleFixtures
import Random
import Testing

@Suite struct ContrastTests {
    private func applied(_ rule: Contrast, _ own: [Float], _ others: [[Float]]) -> [Float] {
        var own = own
        let copies = others.map { UnsafeMutableBufferPointer<Float>.allocate(capacity: $0.count) }
        defer { copies.forEach { $0.deallocate() } }
        for (copy, values) in zip(copies, others) { _ = copy.initialize(from: values) }
        own.withUnsafeMutableBufferPointer { rule.apply(to: $0, copies.map { UnsafeBufferPointer($0) }) }
        return own
    }

    /// What the released code of VCD gives.
    @Test func differenceIsThatOfVCD() {
        let logits = applied(
            .difference(alpha: 1, beta: 0.1), [2, 1.5, 0.5, -1], [[1, 1.8, 0, -0.5]])
        let expected: [Float] = [3, 1.2, 1, -.infinity]
        #expect(zip(logits, expected).allSatisfy { $0 == $1 || abs($0 - $1) < 1e-6 }, "\(logits)")
        let weights = logits.map { exp(Double($0)) }
        let shares = weights.map { $0 / weights.reduce(0, +) }
        let probabilities = [0.7689, 0.1271, 0.1041, 0]
        #expect(zip(shares, probabilities).allSatisfy { abs($0 - $1) < 1e-4 })
    }

    /// Of several contexts the mean logits count.
    @Test func contextsAreAveraged() {
        let both = applied(.difference(alpha: 0.5, beta: 0.01), [2, 1, 0], [[1, 0, 2], [0, 2, 1]])
        #expect(both == applied(.difference(alpha: 0.5, beta: 0.01), [2, 1, 0], [[0.5, 1, 1.5]]))
    }

    /// Probabilities 0.6 and 0.3 with the picture, 0.8 and 0.1 without: dividing turns the answer, and so does taking away.
    @Test func labelsAreFreedOfTheirOdds() {
        let seen = [0.6, 0.3, 0.1].map { Float(log($0)) }
        let blind = [0.8, 0.1, 0.1].map { Float(log($0)) }
        let (p, q) = ([0.6001 / 0.9002, 0.3001 / 0.9002], [0.8001 / 0.9002, 0.1001 / 0.9002])
        for (subtracts, expected) in [
            (false, zip(p, q).map { log($0 / $1) }), (true, zip(p, q).map { $0 - $1 }),
        ] {
            let logits = applied(.labels([0, 1], subtracts: subtracts), seen, [blind])
            #expect(zip(logits, expected).allSatisfy { abs(Double($0) - $1) < 1e-5 }, "\(logits)")
            #expect(logits[2] == -.infinity && logits[1] > logits[0])
        }
    }

    /// √ᾱ and √(1−ᾱ) of the released schedule.
    @Test(arguments: [
        (0, 0.999989, 0.004726), (200, 0.993879, 0.110475), (500, 0.863017, 0.505175),
        (999, 0.285042, 0.958515),
    ])
    func noiseFollowsTheSchedule(step: Int, signal: Double, noise: Double) {
        let amount = DiffusionNoise(step: step)
        #expect(abs(amount.signal - signal) < 1e-6 && abs(amount.noise - noise) < 1e-6)
    }

    @Test func noiseIsNormalAndHangsOnTheSeed() {
        let input = TowerInput(tile: (0..<12_000).map { Float($0 % 5) - 2 })
        let amount = DiffusionNoise(step: 500)
        func noised(_ seed: UInt64) -> [Float] {
            var generator = SplitMix64(seed: seed, key: "a.png")
            return amount.noised(input, &generator).tiles[0]
        }
        #expect(noised(1) == noised(1) && noised(1) != noised(2))
        let rest = zip(noised(1), input.tiles[0]).map {
            (Double($0) - amount.signal * Double($1)) / amount.noise
        }
        let mean = rest.reduce(0, +) / Double(rest.count)
        let variance = rest.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(rest.count)
        #expect(abs(mean) < 0.04 && abs(variance - 1) < 0.05)
    }
}

/// Questions read in two contexts against whole sequences computed anew for each token.
@Suite(.serialized) struct ContrastiveAnswersTests {
    private let model: Llama
    private let rule = Contrast.difference(alpha: 1, beta: 0.1)

    init() throws {
        var config = LlamaConfig()
        (config.vocabSize, config.hiddenSize, config.intermediateSize, config.layerCount) = (67, 48, 80, 2)
        (config.headCount, config.keyValueHeadCount, config.headDim) = (4, 2, 12)
        config.maxPositionEmbeddings = 128
        model = try Llama(SpreadSource(seed: 8), config: config)
    }

    private func logits(_ tokens: [Int32], _ picture: Picture?) -> [Float] {
        let arena = Arena()
        var forest = TokenForest()
        _ = forest.add(tokens)
        let hidden = model.forward(forest, features: picture?.matrix(arena), arena).hidden
        return model.logits(hidden.rows(tokens.count - 1..<tokens.count), arena).values
    }

    @Test func asEachTokenAnew() throws {
        var generator = SplitMix64(seed: 4)
        func tokens(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32(generator.next() % 67) } }
        func picture() -> Picture {
            Picture((0..<144).map { _ in Float(generator.nextGaussian()) }, width: 48)
        }
        let groups = (0..<6).map { index in
            let root = tokens(2 + index) + [-1, -2, -3]
            let questions = (0...index % 3).map {
                QuestionGroup.Question(tokens: tokens(2 + $0), maxTokens: 6)
            }
            let contexts: [QuestionGroup.Context] = [
                .init(root: root, picture: picture(), questions: questions.map(\.tokens)),
                .init(root: [], picture: nil, questions: questions.map { [5, 6] + $0.tokens }),
            ]
            return QuestionGroup(
                id: "\(index)", root: root, picture: picture(), questions: questions,
                contexts: index % 2 == 0 ? contexts : [contexts[index % 3 == 0 ? 0 : 1]])
        }
        let slots = groups.reduce(0) { $0 + $1.slots }
        let answerer = Answerer(
            model: model, stops: [0, 1], contrast: rule,
            memory: slots * KeyValueCache.bytesPerSlot(model), slots: slots)
        let plain = Answerer(
            model: model, stops: [0, 1], memory: slots * KeyValueCache.bytesPerSlot(model), slots: slots)
        let answers = try answerer.answer(groups)
        #expect(
            try answers
                != plain.answer(
                    groups.map {
                        QuestionGroup(id: $0.id, root: $0.root, picture: $0.picture, questions: $0.questions)
                    }))
        for (group, answers) in zip(groups, answers) {
            for (number, answer) in answers.enumerated() {
                var said: [Int32] = []
                while said.count < 6, said.last.map({ $0 > 1 }) ?? true {
                    var own = logits(group.root + group.questions[number].tokens + said, group.picture)
                    let others = group.contexts.map {
                        logits($0.root + $0.questions[number] + said, $0.picture)
                    }
                    own.withUnsafeMutableBufferPointer { own in
                        let copies = others.map { values in
                            let copy = UnsafeMutableBufferPointer<Float>.allocate(capacity: values.count)
                            _ = copy.initialize(from: values)
                            return copy
                        }
                        rule.apply(to: own, copies.map { UnsafeBufferPointer($0) })
                        copies.forEach { $0.deallocate() }
                    }
                    said.append(Int32(own.firstIndex(of: own.max()!)!))
                }
                #expect(answer == said)
            }
        }
    }
}
