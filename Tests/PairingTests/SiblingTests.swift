import Pairing
import Records
import Rewards
import Testing

@Suite struct SiblingTests {
    /// Two first sentences; behind the first of them three more and an end without words.
    private static func sample() throws -> Sample {
        let node = { (parent: Int, text: String, score: Double?) -> String in
            #"{"parent":\#(parent),"text":"\#(text)","ids":[1],"logprob":-1,"end":"period","scores":{"#
                + (score.map { #""calibrated":\#($0)"# } ?? "") + "}}"
        }
        let nodes = [
            node(-1, "A b.", 1), node(-1, "A c.", 0.5), node(0, "D e.", 3), node(0, "", nil),
            node(0, "F g.", -2),
            node(0, "H i.", 0),
        ]
        return try Sample(
            Record(
                parsing:
                    #"{"id":"x","prompt":"p","candidates":[],"nodes":[\#(nodes.joined(separator: ","))]}"#))
    }

    @Test func siblingsStandBehindTheirBeginning() throws {
        let sets = try Self.sample().siblings()
        #expect(sets.map { $0.map(\.text) } == [["A b.", "A c."], ["A b. D e.", "A b. F g.", "A b. H i."]])
        #expect(sets[1].map(\.path) == [[0, 2], [0, 4], [0, 5]])
        #expect(sets[1].map(\.score) == [3, -2, 0])
    }

    @Test func theLargestMarginsOfARecordComeFirst() throws {
        let sets = try Self.sample().siblings()
        let both = try PairRule(pairsPerRecord: 5).pairs(fromSiblings: sets)
        #expect(both.pairs.map(\.chosen.text) == ["A b. D e.", "A b."])
        #expect(both.pairs.map(\.rejected.text) == ["A b. F g.", "A c."])
        #expect(both.pairs.map(\.margin) == [5, 0.5])
        #expect(try PairRule(pairsPerRecord: 1).pairs(fromSiblings: sets).pairs.map(\.margin) == [5])
        let none = try PairRule(minimumMargin: 9).pairs(fromSiblings: sets)
        #expect(none == PairSelection(pairs: [], dropped: .margin))
        #expect(try PairRule().pairs(fromSiblings: []).dropped == .fewerThanTwo)
    }

    /// The best of a set is chosen among those that reach the floor, and rejected may be any.
    @Test func whatMissesTheFloorIsNotChosen() throws {
        let floor = ScoreFloor(name: "calibrated", least: 1)
        let sets = try Self.sample().siblings(floor: floor)
        #expect(sets[1].map(\.canBeChosen) == [true, false, false])
        let high = try Self.sample().siblings(floor: ScoreFloor(name: "calibrated", least: 3.5))
        #expect(try PairRule().pairs(fromSiblings: high) == PairSelection(pairs: [], dropped: .unfit))
        #expect(throws: PreferenceError.self) {
            try Self.sample().siblings(floor: ScoreFloor(name: "cosine", least: 0.1))
        }
    }

    @Test func aSentenceWithoutScoreIsNamed() throws {
        let sample = try Self.sample()
        #expect(
            throws: PreferenceError.missingScore(
                where: "nodes[0]", name: "relevancy", remedy: "run calibrate before pair")
        ) { try sample.siblings(by: "relevancy") }
    }
}
