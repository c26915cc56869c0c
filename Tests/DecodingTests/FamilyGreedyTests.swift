import Decoding
import Kernels
import Model
import OracleFixtures
import Testing

/// Forty greedy tokens of every family are those of transformers in float64.
@Suite struct FamilyGreedyTests {
    @Test(arguments: FamilyOracle.all) func fortyTokens(oracle: FamilyOracle) throws {
        let (model, expected) = (try oracle.model(), try oracle.expectation().greedy)
        let picture = model.pictures([try oracle.input()], Arena())[0]
        let prompt = try oracle.prompt(model)
        let plan = GrowthPlan(samplers: [.greedy], stops: [], maxTokens: expected.ids.count, seed: 1)
        let grower = Grower(
            model: model.decoder, plan: plan, memory: 1 << 26, longestPrompt: prompt.count, records: 1)
        let request = GrowthRequest(id: "a", tokens: prompt, picture: picture)
        let nodes = try grower.grow([request]) { _, _, _ in [] }[0]
        #expect(nodes[0].tokens == expected.ids, "the least gap was \(expected.leastGap)")
    }
}
