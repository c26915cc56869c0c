import Exams
import Testing

private let finder = ObjectFinder()

private func edit(
    _ learning: [BlindEdit.Told], _ applying: [BlindEdit.Told], recallLoss: Double = 0.01, support: Int = 3
) -> BlindEdit {
    BlindEdit(learning: learning, applying: applying, recallLoss: recallLoss, support: support, finder)
}

/// Benches with a dog that is told in the last sentence, and is there in every tenth picture; cups beside them
/// show what captions of each kind close with.
private func benches(_ count: Int) -> [BlindEdit.Told] {
    (0..<count).flatMap { number -> [BlindEdit.Told] in
        let isThere = number % 10 == 0
        return [
            ("At the top left is a red bench. A dog waits nearby.", isThere ? ["bench", "dog"] : ["bench"]),
            ("In the middle is a white bench. This is a park.", ["bench"]),
            ("In the middle is a white cup. This is a kitchen.", ["cup"]),
        ]
    }
}

@Suite struct BlindEditTests {
    @Test func whatIsNeverThereIsNeverSaid() throws {
        let strange = "A red  bench.\nA car."
        let others: [BlindEdit.Told] = benches(10) + [(strange, Set(["bench"]))]
        let edit = edit(benches(20), others, recallLoss: 0.05)
        #expect(edit.closings == ["This is a kitchen.", "This is a park."])
        // The closing sentence is that of the caption's own kind.
        #expect(edit.texts[0] == "At the top left is a red bench. This is a park.")
        #expect(edit.texts[1] == "In the middle is a white bench. This is a park.")
        // What no rule touches is the model's, byte for byte.
        #expect(edit.texts[30] == strange)
        #expect(edit.rules.count == 1 && edit.rules[0].sentences == 20)
        #expect(edit.rules[0].rule.action == .replace)
        #expect(edit.base.learned.chairS == 18.0 / 60 && edit.rules[0].learned.chairS == 0)
        #expect(edit.rules[0].learned.objectRecall == 60.0 / 62)
        #expect(edit.rules[0].applied.chairS == 1.0 / 31)
        #expect(abs(edit.won(by: edit.rules[0].applied) - 0.9) < 1e-12)
    }

    /// One object of 31 is more than three points, so that nothing may be taken; the curve goes on.
    @Test func theLimitHolds() {
        let edit = edit(benches(10), benches(10), recallLoss: 0.03)
        #expect(edit.rules.isEmpty && edit.texts == benches(10).map(\.text))
        #expect(edit.curve.last?.learned.chairS == 0)
        #expect(edit.loss(winning: 1).map { abs($0 - 100.0 / 31) < 1e-9 } == true)
        #expect(edit.loss(winning: 1.1) == nil)
    }

    /// Dogs are there in half of all pictures: only what words tell beside them can part true from false.
    @Test(arguments: [
        ("A small brown dog is here.", "A small red dog is here."),
        ("A dog waits nearby. At the top left is a dog.", "A dog waits nearby. At the top left is a cup."),
        ("A bench is here. A dog waits nearby.", "A tree is here. A dog waits nearby."),
    ])
    func wordsAloneTellWhereTheyCan(right: String, wrong: String) {
        let truth: Set<String> = ["dog", "bench", "tree", "cup"]
        let told: [BlindEdit.Told] = (0..<8).flatMap { _ -> [BlindEdit.Told] in
            [(right, truth), (wrong, truth.subtracting(["dog"]))]
        }
        let edit = edit(told, told)
        #expect(
            edit.texts[0] == right || edit.rules.last?.learned.objectRecall == edit.base.learned.objectRecall)
        #expect(!edit.texts[1].contains("dog") && edit.rules.last?.applied.chairS == 0)
        #expect(edit.rules.last?.applied.objectRecall == edit.base.applied.objectRecall)
    }

    /// The same words with the dog there in half of the pictures: whoever doesn't look loses as often as he wins.
    @Test func whereOnlyALookTellsNothingIsWonForFree() {
        let told: [BlindEdit.Told] = (0..<20).map { number in
            ("A bench is here. A dog waits nearby.", number % 2 == 0 ? ["bench", "dog"] : ["bench"])
        }
        let edit = edit(told, told)
        #expect(edit.rules.isEmpty)
        #expect(edit.curve.map(\.applied.chairS) == [0])
        #expect(edit.curve.last.map { abs($0.applied.objectRecall - 20.0 / 30) < 1e-12 } == true)
    }

    /// Neither sentence alone makes the caption true.
    @Test func severalFalseSentencesGoOneAfterTheOther() {
        let told: [BlindEdit.Told] = (0..<6).map { _ in
            ("A bench is here. A dog waits nearby. A kite flies above.", ["bench"])
        }
        let edit = edit(told, told)
        #expect(edit.rules.map(\.learned.chairS) == [1, 0])
        #expect(edit.texts[0] == "A bench is here.")
    }

    @Test func ruleOfTooFewIsNone() {
        let told: [BlindEdit.Told] = (0..<4).map { _ in ("A dog waits nearby.", []) }
        #expect(edit(told, told, support: 5).curve.isEmpty)
        #expect(edit(told, told, support: 4).curve.count == 1)
        #expect(edit([], told).curve.isEmpty && edit([], []).texts.isEmpty)
    }

    @Test func theFileHoldsTheRules() throws {
        let edit = edit(benches(20), benches(10), recallLoss: 0.05)
        let text = String(decoding: try edit.json(recallLoss: 0.05, support: 3), as: UTF8.self)
        for words in [
            #""pattern" : "a ‹object› waits nearby""#, #""action" : "replace""#, #""recall_loss" : 0.05"#,
        ] {
            #expect(text.contains(words), "\(text)")
        }
        let shown = edit.text(recallLoss: 0.05)
        #expect(shown.contains("At most 5.0 points of recall lost"))
        #expect(shown.contains("a third of CHAIR_S for 3.2 points of recall"))
        #expect(shown.contains("(100.0% of it won)"))
    }
}
