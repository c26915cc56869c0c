import Exams
import Metrics
import Pairing
import Records
import Testing

/// A red cup at the top left and a green lamp at the bottom right.
private let scene = """
    {"id":"s","split":"dev","context":"kitchen","objects":[
    {"category":"cup","color":"red","size":"small","row":"top","column":"left","x":20,"y":20,"scale":20},
    {"category":"lamp","color":"green","size":"large","row":"bottom","column":"right","x":90,"y":90,"scale":40}]}
    """

@Suite struct RewardSheetTests {
    private func record(_ answers: [(text: String, reward: Double)]) throws -> Record {
        let candidates = answers.enumerated().map { index, answer in
            #"{"id":"c\#(index)","text":"\#(answer.text)","scores":{"reward":\#(answer.reward)}}"#
        }.joined(separator: ",")
        return try Record(
            parsing: ArraySlice(
                #"{"id":"s","prompt":"p","scene":\#(scene),"candidates":[\#(candidates)]}"#.utf8))
    }

    private func figures(_ answers: [(text: String, reward: Double)], bestOf most: Int) throws -> [String:
        Double]
    {
        let sheet = try RewardSheet(
            name: "r", [record(answers)], score: "reward", rule: PairRule(wordTolerance: 0.1), bestOf: most)
        let estimators = RewardSheet.estimators(bestOf: most)
        let values = sheet.sums.values(of: estimators.map(\.formula)).map { $0 ?? .nan }
        return Dictionary(uniqueKeysWithValues: zip(estimators.map(\.name), values))
    }

    @Test func theBestOfMoreAnswersIsRewardedMoreAndMayBeWorse() throws {
        let figures = try figures(
            [
                ("A red cup.", 0.1), ("A red car.", 0.5), ("A green lamp.", 0.3),
                ("A red dog. It is there.", 9),
            ], bestOf: 4)
        // Of equal length: the cup and the lamp against the car, which is rewarded more than both.
        #expect(figures["accuracy on pairs, %"] == 0)
        #expect(figures["given reward, best of 1"] == 0.1)
        #expect(figures["given reward, best of 2"] == 0.5)
        #expect(figures["given reward, best of 4"] == 9)
        #expect(figures["with an invention, %, best of 1"] == 0)
        #expect(figures["with an invention, %, best of 2"] == 100)
        #expect(figures["false sentences, best of 2"] == 1)
        #expect(figures["words, best of 4"] == 6)
    }

    @Test func equalScoresAreNotRight() throws {
        let answers = [("A red cup.", 1.0), ("A red car.", 1.0), ("A red bus.", 0.5), ("A blue cup.", 0.5)]
        // The first is the truer one of three pairs; it wins two of them.
        let accuracy = try figures(answers, bestOf: 1)["accuracy on pairs, %"]
        #expect(abs((accuracy ?? 0) - 200.0 / 3) < 1e-9)
    }

    @Test func tooFewAnswersAreTold() {
        #expect(throws: RecordError.self) { try figures([("A red cup.", 1)], bestOf: 2) }
    }
}
