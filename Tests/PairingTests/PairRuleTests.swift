import Pairing
import Records
import Rewards
import Testing

/// `words` words in one text that no other candidate has.
private func candidate(
    _ id: String, _ score: Double, path: [Int] = [0], words: Int = 10, text: String? = nil
) -> ScoredCandidate {
    let filler = ([id] + Array(repeating: "word", count: words - 1)).joined(separator: " ")
    return ScoredCandidate(id: id, text: text ?? filler, score: score, path: path)
}

private func ids(_ selection: PairSelection) -> [[String]] {
    selection.pairs.map { [$0.chosen.id, $0.rejected.id] }
}

@Suite struct PairRuleTests {
    private let free = { try PairRule(equalSentences: false, wordTolerance: nil) }

    @Test func bestAgainstWorst() throws {
        let selection = try free().pairs(from: [
            candidate("a", 0.5), candidate("b", 2, words: 3), candidate("c", -1, path: [1, 2]),
        ])
        #expect(ids(selection) == [["b", "c"]])
        #expect(selection.pairs[0].margin == 3)
        #expect(selection.dropped == nil)
    }

    @Test func equalSentencesKeepsLengthOut() throws {
        let candidates = [
            candidate("a", 5, path: [0]), candidate("b", 1, path: [1, 2]), candidate("c", 0, path: [1, 3]),
            candidate("d", -5, path: [1, 3, 4]),
        ]
        #expect(ids(try PairRule().pairs(from: candidates)) == [["b", "c"]])
        let selection = try PairRule().pairs(from: [candidates[0], candidates[1]])
        #expect(selection == PairSelection(pairs: [], dropped: .sentenceCounts))
    }

    @Test func sentencesOfPlainAnswersAreCountedInTheText() {
        let counts = ["One. Two! Three?", "One", "", "Wait... what?", "A 3.5 m pole."].map {
            ScoredCandidate(id: "x", text: $0, score: 0).sentences
        }
        #expect(counts == [3, 1, 0, 2, 2])
    }

    @Test func wordToleranceIsAShareOfTheLonger() throws {
        let rule = try PairRule(wordTolerance: 0.2)
        let near = [candidate("a", 1, words: 10), candidate("b", 0, words: 8)]
        #expect(ids(try rule.pairs(from: near)) == [["a", "b"]])
        let far = [candidate("a", 1, words: 10), candidate("b", 0, words: 7)]
        #expect(try rule.pairs(from: far).dropped == .wordCounts)
    }

    @Test func aCriticsPairMeetsTheSameBounds() throws {
        let rule = try PairRule(wordTolerance: 0.2)
        let base = candidate("a", 0, path: [0, 1])
        #expect(rule.objection(to: base, candidate("b", 0, path: [2, 3])) == nil)
        #expect(rule.objection(to: base, candidate("b", 0, path: [2])) == .sentenceCounts)
        #expect(rule.objection(to: base, candidate("b", 0, path: [2, 3], words: 7)) == .wordCounts)
        #expect(rule.objection(to: base, candidate("b", 0, text: base.text + " ")) == .identicalTexts)
        let all = try PairRule(keepAll: true)
        #expect(all.objection(to: base, candidate("b", 0, path: [2], words: 99)) == nil)
        #expect(all.objection(to: base, candidate("b", 0, text: base.text)) == .identicalTexts)
    }

    @Test func slackBuysALongerSharedPrefix() throws {
        let candidates = [
            candidate("a", 10, path: [0, 1, 2]), candidate("b", 7, path: [0, 1, 3]),
            candidate("c", 4, path: [0, 4, 5]), candidate("d", 0, path: [6, 7, 8]),
        ]
        func pair(_ slack: Double) throws -> [[String]] {
            ids(try PairRule(prefixSlack: slack).pairs(from: candidates))
        }
        #expect(try pair(0) == [["a", "d"]])
        // Margins of at least 10 · (1 − slack): a–c has 6 and one shared sentence, a–b 3 and two.
        #expect(try pair(0.39) == [["a", "d"]])
        #expect(try pair(0.4) == [["a", "c"]])
        #expect(try pair(1) == [["a", "b"]])
        let selection = try PairRule(prefixSlack: 1).pairs(from: candidates)
        #expect(selection.pairs[0].sharedSentences == 2)
    }

    @Test func identicalTextsAreNoPair() throws {
        let same = [
            candidate("a", 9, text: "A dog. "), candidate("b", 0, text: "A  dog."),
            candidate("c", 5, text: "\nA dog."),
        ]
        #expect(try free().pairs(from: same).dropped == .identicalTexts)
        // The next best pair that differs is taken.
        let other = same + [candidate("d", 3, text: "A cat.")]
        #expect(ids(try free().pairs(from: other)) == [["a", "d"]])
        // Canonically equal texts of different bytes are different token sequences.
        let accents = [candidate("a", 1, text: "caf\u{E9}"), candidate("b", 0, text: "cafe\u{301}")]
        #expect(ids(try free().pairs(from: accents)) == [["a", "b"]])
        #expect(try free().pairs(from: [same[0]]).dropped == .fewerThanTwo)
        #expect(try free().pairs(from: []).dropped == .fewerThanTwo)
    }

    @Test func marginsMustExceedTheMinimum() throws {
        let candidates = [candidate("a", 1), candidate("b", 0.5)]
        #expect(try PairRule(minimumMargin: 0.5).pairs(from: candidates).dropped == .margin)
        #expect(ids(try PairRule(minimumMargin: 0.4).pairs(from: candidates)) == [["a", "b"]])
        let equal = [candidate("a", 1), candidate("b", 1)]
        #expect(try PairRule().pairs(from: equal).dropped == .margin)
    }

    /// The released code takes the first of the best and the last of the worst in depth-first order.
    @Test func tiesFallByDepthFirstOrder() throws {
        let rule = try PairRule(equalSentences: false, wordTolerance: nil, allowsTies: true)
        let candidates = [
            candidate("worst-last", 0, path: [3, 9]), candidate("best-second", 1, path: [2]),
            candidate("best-first", 1, path: [0, 5]), candidate("worst-first", 0, path: [0, 4]),
        ]
        for shuffled in [candidates, candidates.reversed()] {
            #expect(ids(try rule.pairs(from: shuffled)) == [["best-first", "worst-last"]])
        }
        let equal = [candidate("late", 1, path: [1]), candidate("early", 1, path: [0])]
        #expect(ids(try rule.pairs(from: equal)) == [["early", "late"]])
    }

    @Test func severalPairsShareNoCandidate() throws {
        let candidates = (0..<5).map { candidate("\($0)", Double($0)) }
        let rule = try PairRule(pairsPerRecord: 9)
        #expect(ids(try rule.pairs(from: candidates)) == [["4", "0"], ["3", "1"]])
        #expect(try rule.pairs(from: candidates).dropped == nil)
    }

    @Test func keepAllLiftsBoundsOneByOne() throws {
        let rule = try PairRule(wordTolerance: 0.1, minimumMargin: 3, keepAll: true)
        let near = [candidate("a", 1, words: 10), candidate("b", 0, words: 10), candidate("c", -9, words: 3)]
        #expect(ids(try rule.pairs(from: near)) == [["a", "b"]])
        let far = [candidate("a", 1, words: 10), candidate("b", 0, words: 5)]
        #expect(ids(try rule.pairs(from: far)) == [["a", "b"]])
        let uneven = [candidate("a", 1, path: [0]), candidate("b", 1, path: [1, 2])]
        #expect(ids(try rule.pairs(from: uneven)) == [["a", "b"]])
        let same = [candidate("a", 1, text: "x"), candidate("b", 0, text: "x")]
        #expect(try rule.pairs(from: same).dropped == .identicalTexts)
    }

    @Test func badValuesAreRefused() throws {
        #expect(throws: PreferenceError.self) { try PairRule(wordTolerance: 1.5) }
        #expect(throws: PreferenceError.self) { try PairRule(prefixSlack: -0.1) }
        #expect(throws: PreferenceError.self) { try PairRule(minimumMargin: -1) }
        #expect(throws: PreferenceError.self) { try PairRule(pairsPerRecord: 0) }
        #expect(throws: PreferenceError.self) {
            try PairRule().pairs(from: [candidate("a", .nan), candidate("b", 0)])
        }
    }

    private static let margins: [(margins: [Double], fraction: Double, kept: [Int])] = [
        ([1, 3, 2, 4], 0.5, [1, 3]), ([1, 1, 1], 0.5, [0, 1]), ([5], 0.1, [0]), ([], 0.5, []),
        ([1, 2], 1, [0, 1]), ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 0.3, [7, 8, 9]),
    ]

    @Test(arguments: margins)
    func keepsTheLargestMargins(_ margins: [Double], _ fraction: Double, _ kept: [Int]) throws {
        let keeps = try PairRule.keepsLargest(margins, fraction: fraction)
        #expect(keeps.indices.filter { keeps[$0] } == kept)
        #expect(keeps.count == margins.count)
    }

    @Test func badFractionsAreRefused() {
        for fraction in [0, 1.01, -1, .nan] {
            #expect(throws: PreferenceError.self) { try PairRule.keepsLargest([1], fraction: fraction) }
        }
    }
}
