import Decoding
import Foundation
import Kernels
import Model
import OracleFixtures
import Testing

@Suite struct DiverseBeamsTests {
    /// Tests/Fixtures/oracle/beams.py
    private struct Expectation: Decodable {
        struct Sentence: Decodable {
            let group: Int
            let ids: [Int32]
            let logps: [Double]
            let score: Double
        }
        struct Case: Decodable {
            let turn: Int
            let groups: Int
            let penalty: Double
            let period: Int32
            let pad: Int32
            let maxTokens: Int
            let sentences: [Sentence]
        }
        let cases: [Case]
    }

    /// Each case has groups that close and groups that don't, and ends otherwise where a closing group reports
    /// its full stop instead of the runner-up.
    @Test func asTheReference() throws {
        let model = try Oracle.llava("llava-grouped")
        let expected: Expectation = try Oracle.json("beams")
        let turns = try Oracle.json("llava-grouped", as: LlavaExpectation.self).turns
        let arena = Arena()
        let pictures = model.pictures(try Oracle.inputs(Oracle.tensors("llava-grouped.forward")), arena)
        for wanted in expected.cases {
            let request = GrowthRequest(
                id: "r", tokens: expand(turns[wanted.turn].promptIds, image: model.config.imageTokenID),
                picture: pictures[wanted.turn])
            let plan = GrowthPlan(
                samplers: Array(repeating: .greedy, count: wanted.groups),
                beams: DiverseBeams(penalty: wanted.penalty, pad: wanted.pad), stops: [2], passesStops: true,
                periods: [wanted.period], maxTokens: wanted.maxTokens, seed: 0)
            let grower = Grower(
                model: model.decoder, plan: plan, memory: 1 << 24, longestPrompt: request.tokens.count,
                records: 1)
            let nodes = try grower.grow([request]) { _, _, _ in [] }[0]
            #expect(nodes.map(\.sampler) == wanted.sentences.map(\.group))
            for (node, sentence) in zip(nodes, wanted.sentences) {
                #expect(node.tokens == sentence.ids)
                for (logp, value) in zip(node.logProbabilities, sentence.logps) {
                    #expect(abs(Double(logp) - value) < 1e-4)
                }
                #expect(abs((node.beamScore ?? .nan) - sentence.score) < 1e-4)
            }
        }
    }

    /// One step of three groups over four tokens, by hand: log-probabilities differ by the logits' 1, 2, 3.
    @Test func theRunnerUpIsReportedWhereAGroupCloses() {
        let beams = DiverseBeams(penalty: 1.5)
        func step(_ logits: [Float], after earlier: [Int32]) -> DiverseBeams.Choice {
            logits.withUnsafeBufferPointer { beams.choice($0, after: earlier, closers: [0]) }
        }
        // Token 0, the full stop, is the best: the group closes, and 1 is what the next ones avoid.
        #expect(step([4, 3, 2, 1], after: []) == .init(token: 0, penalty: 0, reported: 1))
        // The full stop is as good as before, 1 has fallen below 2.
        #expect(step([4, 3, 2, 1], after: [1]) == .init(token: 0, penalty: 0, reported: 2))
        // Without the full stop in front: 1 falls to 1.5, 2 wins.
        #expect(step([0, 3, 2, 1], after: [1]) == .init(token: 2, penalty: 0, reported: 2))
        // It stays the best of penalised ones, and pays for both groups that reported it.
        #expect(step([0, 6, 2, 1], after: [1, 1]) == .init(token: 1, penalty: 3, reported: 1))
        // A full stop that is second never closes; of equal ones the lower id is taken.
        #expect(step([4, 4.5, 3, 1], after: []) == .init(token: 1, penalty: 0, reported: 1))
        #expect(step([0, 3, 3, 1], after: []) == .init(token: 1, penalty: 0, reported: 1))
        // A token that the model doesn't have, as a pad may be, hinders nobody.
        #expect(step([0, 3, 2, 1], after: [9]) == .init(token: 1, penalty: 0, reported: 1))
    }

    @Test func theScoreIsAMeanWithThePenaltiesInIt() {
        #expect(DiverseBeams().score([-1, -2, -3], penalties: 3) == -3)
        #expect(DiverseBeams(lengthPenalty: 0).score([-1, -2, -3], penalties: 3) == -9)
        #expect(DiverseBeams(lengthPenalty: 2).score([-1, -3], penalties: 0) == -1)
    }
}
