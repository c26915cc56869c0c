import Checkpoint
import Decoding
import Foundation
import Kernels
import Model
import OracleFixtures
import Random
import Testing

/// Questions under a common root against each question by itself.
@Suite(.serialized) struct AnswererTests {
    private let model: Llama
    private let groups: [QuestionGroup]

    init() throws {
        var config = LlamaConfig()
        config.vocabSize = 67
        config.hiddenSize = 48
        config.intermediateSize = 80
        config.layerCount = 2
        config.headCount = 4
        config.keyValueHeadCount = 2
        config.headDim = 12
        config.maxPositionEmbeddings = 128
        model = try Llama(SpreadSource(seed: 8), config: config)
        var generator = SplitMix64(seed: 4)
        let pictures = (0..<20).map { _ in
            let values = (0..<3 * config.hiddenSize).map { _ in Float(generator.nextGaussian()) }
            return Picture(values, width: config.hiddenSize)
        }
        groups = (0..<20).map { index in
            func tokens(_ count: Int) -> [Int32] { (0..<count).map { _ in Int32(generator.next() % 67) } }
            return QuestionGroup(
                id: "\(index)", root: tokens(1 + index % 4) + [-1, -2, -3],
                picture: pictures[index],
                questions: (0...(index % 5)).map { number in
                    .init(tokens: tokens(1 + (3 * number + index) % 7), maxTokens: number == 0 ? 12 : 3)
                })
        }
    }

    private func answers(_ groups: [QuestionGroup], slots: Int) throws -> [[[Int32]]] {
        let answerer = Answerer(
            model: model, stops: [0, 1, 2, 3], memory: slots * KeyValueCache.bytesPerSlot(model), slots: slots
        )
        return try answerer.answer(groups)
    }

    @Test func asEachQuestionByItself() throws {
        let together = try answers(groups, slots: groups.reduce(0) { $0 + $1.slots })
        var stopped = 0
        for (group, answers) in zip(groups, together) {
            #expect(answers.count == group.questions.count)
            for (question, answer) in zip(group.questions, answers) {
                let plan = GrowthPlan(
                    samplers: [.greedy], stops: [0, 1, 2, 3], maxTokens: question.maxTokens, seed: 0)
                let grower = Grower(
                    model: model, plan: plan, memory: 1 << 24,
                    longestPrompt: group.root.count + question.tokens.count, records: 1)
                let request = GrowthRequest(
                    id: group.id, tokens: group.root + question.tokens, picture: group.picture)
                let alone = try grower.grow([request]) { _, _, _ in [] }
                #expect(answer == alone[0][0].tokens)
                stopped += answer.count < question.maxTokens ? 1 : 0
            }
        }
        // Both ways to end occur, so that neither is compared with nothing.
        #expect(stopped > 3 && stopped < together.joined().count - 3)
    }

    @Test func inLittleMemory() throws {
        let most = groups.map(\.slots).max() ?? 0
        #expect(try answers(groups, slots: most) == answers(groups, slots: 100 * most))
        #expect(throws: GrowthTooLarge.self) { try answers(groups, slots: most - 1) }
        #expect(try answers([], slots: 0).isEmpty)
    }
}
