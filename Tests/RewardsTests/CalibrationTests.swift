import Foundation
import Pairing
import Records
import Rewards
import Testing

@Suite struct CalibrationTests {
    private func sentence(_ logProbability: Double, _ relevance: Double?, tokens: Int = 1) -> SentenceReward {
        SentenceReward(logProbability: logProbability, tokenCount: tokens, relevance: relevance)
    }

    /// Mean token log-probabilities −1, −2, −3 have z = ±√1.5; relevances .2, .2, .5 have z = −√½, −√½, √2.
    @Test func zScoresAreMixedWithinSiblings() throws {
        let siblings = [sentence(-4, 0.2, tokens: 4), sentence(-4, 0.2, tokens: 2), sentence(-3, 0.5)]
        let rewards = try Calibration(lambda: 0.9).calibrated(siblings)
        let expected = [
            0.1 * 1.5.squareRoot() - 0.9 * 0.5.squareRoot(), -0.9 * 0.5.squareRoot(),
            -0.1 * 1.5.squareRoot() + 0.9 * 2.0.squareRoot(),
        ]
        for (reward, value) in zip(rewards, expected) { #expect(abs(reward - value) < 1e-12) }
    }

    @Test func whatDoesNotDifferGetsZero() throws {
        let calibration = try Calibration()
        #expect(try calibration.calibrated([]) == [])
        #expect(try calibration.calibrated([sentence(-7, 0.3)]) == [0])
        // Sums of tenths differ in the last bit; that is no difference.
        let same = [sentence(-0.3, 0.1 + 0.2), sentence(-0.3, 0.3), sentence(-0.3, 0.3)]
        #expect(try calibration.calibrated(same) == [0, 0, 0])
    }

    @Test func lambdaZeroNeedsNoRelevanceAndLambdaOneNoLikelihood() throws {
        let rewards = try Calibration(lambda: 0).calibrated([sentence(-1, nil), sentence(-3, nil)])
        #expect(rewards == [1, -1])
        let missing = #expect(throws: PreferenceError.self) {
            try Calibration(lambda: 0.1).calibrated([sentence(-1, 0.1), sentence(-3, nil)])
        }
        #expect(
            missing?.description
                == "sibling 2 of 2: no score \"relevance\"; score it with the relevance model, or set λ to 0"
        )
        #expect(try Calibration(lambda: 1).calibrated([sentence(-9, 1), sentence(-1, 0)]) == [1, -1])
    }

    /// R = λ·max(100·cos, 0) + (1−λ)·exp(Σ log p), by hand.
    @Test func rawIsThePapersSum() throws {
        let rewards = try Calibration(mode: .raw, lambda: 0.9).calibrated([
            sentence(log(0.5), 0.2, tokens: 3), sentence(log(0.25), -0.1), sentence(log(0.25), nil ?? 0),
        ])
        for (reward, value) in zip(rewards, [0.9 * 20 + 0.1 * 0.5, 0.1 * 0.25, 0.1 * 0.25]) {
            #expect(abs(reward - value) < 1e-12)
        }
        #expect(try Calibration(mode: .raw, pathRule: .sum).pathScore([18.05, 0.025]) == 18.075)
    }

    /// Where a node's relevance has its base rate off, which its cosine beside it says, what fits other pictures
    /// better counts against it.
    @Test func withoutItsBaseRateRelevanceIsNotCutOff() throws {
        var nodes = [Scores(dictionaryLiteral: ("relevance", -0.1)), ["relevance": -0.1, "cosine": 0.3]].map {
            SentenceNode(parent: -1, text: "A dog.", ids: [1], logprob: log(0.5), end: .period, scores: $0)
        }
        try Calibration(mode: .raw, lambda: 0.9).calibrate(&nodes, 0..<2)
        let rewards = nodes.map { $0.scores["calibrated"] ?? .nan }
        #expect(abs(rewards[0] - 0.05) < 1e-12 && abs(rewards[1] - (0.05 - 9)) < 1e-12)
    }

    @Test func ranksRunFromOneNthToOneAndTiesFavourTheEarlier() throws {
        let calibration = try Calibration(mode: .rank, lambda: 0)
        let rewards = try calibration.calibrated([-2, -1, -2, -5].map { sentence($0, nil) })
        #expect(rewards == [-0.5, -0.25, -0.75, -1])
        #expect(try calibration.calibrated([sentence(-1, nil)]) == [-1])
    }

    /// Five siblings at each of two sentences; the path's ranks are (0.2, 0.4) and (0.6, 0.2). Penalties
    /// 0.1·0.2 + 0.9·0.4 = 0.38 and 0.1·0.6 + 0.9·0.2 = 0.24; with the root, 0.62 / 3.
    @Test func workedExampleOfTheReleasedCode() throws {
        let calibration = try Calibration(mode: .rank, lambda: 0.9, pathRule: .withRoot)
        let first = try calibration.calibrated([
            sentence(-1, 0.4), sentence(-2, 0.5), sentence(-3, 0.3), sentence(-4, 0.2), sentence(-5, 0.1),
        ])
        let second = try calibration.calibrated([
            sentence(-1, 0.1), sentence(-2, 0.2), sentence(-3, 0.5), sentence(-4, 0.4), sentence(-5, 0.3),
        ])
        #expect(abs(first[0] + 0.38) < 1e-12)
        #expect(abs(second[2] + 0.24) < 1e-12)
        #expect(abs(-calibration.pathScore([first[0], second[2]]) - 0.62 / 3) < 1e-12)
        #expect(String(format: "%.4f", -calibration.pathScore([first[0], second[2]])) == "0.2067")
    }

    @Test func pathRules() throws {
        func score(_ rule: Calibration.PathRule, _ rewards: [Double]) throws -> Double {
            try Calibration(pathRule: rule).pathScore(rewards)
        }
        #expect(try score(.mean, [1, 2, 6]) == 3)
        #expect(try score(.sum, [1, 2, 6]) == 9)
        #expect(try score(.withRoot, [1, 2, 6]) == 2.25)
        for rule in Calibration.PathRule.allCases { #expect(try score(rule, []) == 0) }
    }

    @Test func badValuesAreRefused() throws {
        for lambda in [-0.1, 1.1, .nan] {
            #expect(throws: PreferenceError.self) { try Calibration(lambda: lambda) }
        }
        #expect(throws: PreferenceError.self) { try Calibration().calibrated([sentence(.nan, 0)]) }
        #expect(throws: PreferenceError.self) { try Calibration().calibrated([sentence(0, .infinity)]) }
    }

    /// Two families: nodes 0, 1 under the prompt, nodes 2, 3 under node 0.
    @Test func aTreeIsCalibratedFamilyByFamily() throws {
        func node(_ parent: Int, _ logprob: Double, _ relevance: Double) -> SentenceNode {
            SentenceNode(
                parent: parent, text: "…", ids: [1, 2], logprob: logprob, end: .period,
                scores: ["relevance": relevance])
        }
        var sample = Sample(
            nodes: [node(-1, -2, 0.3), node(-1, -4, 0.1), node(0, -6, 0.2), node(0, -2, 0.4)],
            candidates: [
                Candidate(id: "c0", path: [1], text: "", draw: nil),
                Candidate(id: "c1", path: [0, 2], text: "", draw: nil),
                Candidate(id: "c2", path: [], text: "plain", draw: nil),
            ], tokenizer: nil)
        try Calibration(lambda: 0.75).calibrate(&sample)
        #expect(sample.nodes.map { $0.scores["likelihood"] } == [-1, -2, -3, -1])
        let rewards = sample.nodes.compactMap { $0.scores["calibrated"] }
        for (reward, value) in zip(rewards, [1, -1, -1, 1.0]) { #expect(abs(reward - value) < 1e-12) }
        #expect(sample.nodes[0].scores["relevance"] == 0.3)
        #expect(abs((sample.candidates[0].scores["calibrated"] ?? .nan) + 1) < 1e-12)
        #expect(abs(sample.candidates[1].scores["calibrated"] ?? .nan) < 1e-12)
        #expect(sample.candidates[2].scores["calibrated"] == nil)

        // λ changes without scoring again.
        try Calibration(lambda: 0).calibrate(&sample)
        #expect(sample.nodes.map { $0.scores["calibrated"] } == [1, -1, -1, 1])
        #expect(throws: PreferenceError.self) { try sample.scoredCandidates() }
        sample.candidates.removeLast()
        #expect(try sample.scoredCandidates().map(\.score) == [-1, 0])
    }

    private func node(_ parent: Int, _ logprob: Double, _ text: String = "A dog.") -> SentenceNode {
        SentenceNode(parent: parent, text: text, ids: [1], logprob: logprob, end: .period)
    }

    /// The end token alone is no sentence: it neither scores nor counts, nor moves its siblings.
    @Test func nodesWithoutWordsTakeNoPart() throws {
        var sample = Sample(
            nodes: [node(-1, -1), node(-1, -3), node(0, -0.1, " "), node(0, -2), node(0, -4)],
            candidates: [
                Candidate(id: "c0", path: [0, 2], text: "A dog.", draw: nil),
                Candidate(id: "c1", path: [0, 4], text: "A dog. A dog.", draw: nil),
            ], tokenizer: nil)
        sample.nodes[2].scores["calibrated"] = 9
        try Calibration(lambda: 0).calibrate(&sample)
        #expect(sample.nodes.map { $0.scores["calibrated"] } == [1, -1, nil, 1, -1])
        #expect(sample.nodes[2].scores["likelihood"] == -0.1)
        #expect(sample.candidates.map { $0.scores["calibrated"] } == [1, 0])
        #expect(try sample.scoredCandidates().map(\.sentences) == [1, 2])
    }

    /// By the search's score the second is the likelier, by the model's own the first.
    @Test func theLikelihoodMayBeThatOfTheSearch() throws {
        var nodes = [node(-1, -1), node(-1, -3)]
        let beam = try Calibration(mode: .rank, lambda: 0, likelihood: .beam)
        let missing = #expect(throws: PreferenceError.self) { try beam.calibrate(&nodes, 0..<2) }
        #expect(missing?.description.hasPrefix("nodes[0]: no score \"beam\"; ") == true)
        for (index, score) in [-4.0, -3].enumerated() { nodes[index].scores["beam"] = score }
        try beam.calibrate(&nodes, 0..<2)
        #expect(nodes.map { $0.scores["calibrated"] } == [-1, -0.5])
        #expect(nodes.map { $0.scores["likelihood"] } == [-1, -3])
        try Calibration(mode: .raw, lambda: 0, likelihood: .beam).calibrate(&nodes, 0..<2)
        #expect(nodes.map { $0.scores["calibrated"] } == [exp(-4), exp(-3)])
        try Calibration(mode: .rank, lambda: 0).calibrate(&nodes, 0..<2)
        #expect(nodes.map { $0.scores["calibrated"] } == [-0.5, -1])
    }

    /// Three answers drawn whole: their second sentences have no siblings, but peers of the same place.
    @Test func levelsCompareAnswersDrawnWhole() throws {
        var nodes = [node(-1, -1), node(0, -1), node(-1, -3), node(2, -5), node(3, -9), node(-1, -2)]
        try Calibration(lambda: 0).calibrate(&nodes, 0..<6)
        let siblings = nodes.map { $0.scores["calibrated"] ?? .nan }
        #expect([siblings[1], siblings[3], siblings[4]] == [0, 0, 0])
        try Calibration(lambda: 0, peers: .level).calibrate(&nodes, 0..<6)
        let level = nodes.map { $0.scores["calibrated"] ?? .nan }
        #expect([level[1], level[3], level[4]] == [1, -1, 0])
        #expect([level[0], level[2], level[5]] == [siblings[0], siblings[2], siblings[5]])
    }

    /// What steers a level while the tree grows is what a look at the whole tree gives.
    @Test(arguments: [Calibration.Mode.zscore, .rank, .raw], [Calibration.Peers.siblings, .level])
    func aLevelAloneGetsTheNumbersOfTheTree(_ mode: Calibration.Mode, _ peers: Calibration.Peers) throws {
        var whole = [node(-1, -1), node(-1, -4), node(-1, -2.5), node(0, -1), node(0, -6), node(2, -3)]
        for (index, relevance) in [0.3, 0.1, 0.2, 0.4, 0.15, 0.6].enumerated() {
            whole[index].scores["relevance"] = relevance
        }
        let calibration = try Calibration(mode: mode, lambda: 0.7, peers: peers)
        var grown = Array(whole[..<3])
        try calibration.calibrate(&grown, 0..<3)
        grown += whole[3...]
        try calibration.calibrate(&grown, 3..<6)
        try calibration.calibrate(&whole, 0..<6)
        #expect(grown == whole)
        #expect(whole.allSatisfy { $0.scores["calibrated"] != nil })
    }
}

@Suite struct PruningTests {
    private let scores: [Double] = [5, 1, 9, 3, 7, 2, 8, 0, 6, 4]

    @Test(arguments: [
        // Descending: 9 8 7 | 6 5 4 3 2 1 0; of the seven the 3rd (4) and the 7th (0).
        (Pruning.Rule.spread, 3, 2, [2, 4, 6, 7, 9]),
        (.ends, 3, 2, [1, 2, 4, 6, 7]), (.ends, 1, 2, [1, 2, 7]), (.ends, 2, 0, [2, 6]),
        (.spread, 2, 0, [2, 6]),
        (.spread, 0, 1, [7]), (.spread, 0, 2, [0, 7]), (.ends, 0, 2, [1, 7]),
    ])
    func keeps(_ rule: Pruning.Rule, _ top: Int, _ bottom: Int, _ expected: [Int]) throws {
        #expect(try Pruning(rule: rule, top: top, bottom: bottom).kept(scores) == expected)
    }

    @Test func smallPoolsAreKeptWhole() throws {
        #expect(try Pruning().kept([3, 1, 2]) == [0, 1, 2])
        #expect(try Pruning().kept([]) == [])
        let code = try Pruning(rule: .ends, top: 1, bottom: 2)
        #expect(try code.kept([1, 2, 3, 4], minimumPool: 5) == [0, 1, 2, 3])
        #expect(try code.kept([1, 2, 3, 4]) == [0, 1, 3])
    }

    /// The released code: from five on the best int(5/2) − 1 and the worst int(5/2), else all.
    @Test(
        arguments: [
            ([4, 3, 2, 1], [0, 1, 2, 3]), ([5, 4, 3, 2, 1], [0, 3, 4]), ([1, 2, 3, 4, 5, 6], [0, 1, 5]),
        ] as [([Double], [Int])])
    func theReleasedPool(_ scores: [Double], _ kept: [Int]) throws {
        let half = 5 / 2
        let code = try Pruning(rule: .ends, top: half - 1, bottom: half)
        #expect(try code.kept(scores, minimumPool: 5) == kept)
    }

    @Test func tiesKeepTheEarlierAsTheBetter() throws {
        #expect(try Pruning(rule: .ends, top: 1, bottom: 2).kept([1, 1, 1, 1, 1]) == [0, 3, 4])
    }

    @Test func badValuesAreRefused() throws {
        #expect(throws: PreferenceError.self) { try Pruning(top: 0, bottom: 0) }
        #expect(throws: PreferenceError.self) { try Pruning(top: -1, bottom: 2) }
        #expect(throws: PreferenceError.self) { try Pruning().kept([1, .nan]) }
    }
}
