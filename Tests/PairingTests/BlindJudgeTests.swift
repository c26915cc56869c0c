import Pairing
import Testing

@Suite struct BlindJudgeTests {
    /// 300 pairs: where the companion is there (every third) it is told by the chosen answer, else by the rejected one,
    /// and the color of a ball, which no habit tells, is as often in the one as in the other.
    private static let pairs = (0..<300).map { index in
        let (there, red) = (index % 3 == 0, index / 3 % 2 == 0)
        let told = "A bench. Beside it is a dog. A \(red ? "red" : "blue") ball."
        let other = "A bench. This is a park. A \(red ? "blue" : "red") ball."
        return WordDifference(chosen: there ? told : other, rejected: there ? other : told)
    }

    @Test func wordsThatStandEquallyOftenAreLeftOut() {
        let difference = WordDifference(chosen: "A cat, a Dog.", rejected: "the dog: a fox")
        #expect(difference.counts == ["a": 1, "cat": 1, "the": -1, "fox": -1])
        #expect(WordDifference(chosen: "有一只狗。", rejected: "有一只猫。").counts == ["狗": 1, "猫": -1])
    }

    @Test func whatIsKeptTellsNothing() {
        let (keeps, guessed) = BlindJudge.keepsUnguessed(Self.pairs)
        #expect(guessed == 200)
        let kept = zip(Self.pairs, keeps).filter(\.1).map(\.0)
        // 100 tell where it is there and would all stay; of the 200 others half as large a share.
        #expect((120...140).contains(kept.count))
        for word in ["dog", "beside", "park", "red", "blue"] {
            #expect(abs(kept.reduce(0) { $0 + $1.counts[word, default: 0] }) <= 2, "\(word)")
        }
        #expect(BlindJudge.keepsUnguessed(Self.pairs).keeps == keeps)
    }

    /// The mean of each word's difference under the weights, which maximum likelihood makes 0 but for the penalty.
    @Test func itsErrorsWeighEveryWordEqually() {
        let judge = BlindJudge(Self.pairs)
        for word in ["dog", "park", "ball", "red"] {
            let net = Self.pairs.reduce(0) {
                $0 + (1 - judge.certainty($1)) * Double($1.counts[word, default: 0])
            }
            #expect(abs(net) < 0.5, "\(word) \(net)")
        }
    }

    /// A word in four pairs is a matter of four pictures.
    @Test func rareWordsSayNothing() {
        let rare = (0..<4).map { _ in WordDifference(chosen: "zebra", rejected: "none") }
        #expect(BlindJudge(rare).certainty(rare[0]) == 0.5)
        #expect(BlindJudge.keepsUnguessed(rare).keeps == [true, true, true, true])
        #expect(BlindJudge.keepsUnguessed([]).keeps == [])
    }

    /// Words that always go together, and answers that a word alone parts.
    @Test func separablePairsLeaveAFew() {
        let pairs = (0..<1000).map { _ in
            WordDifference(chosen: "this is a park", rejected: "beside it a dog")
        }
        let (keeps, guessed) = BlindJudge.keepsUnguessed(pairs)
        #expect(guessed == 1000)
        #expect(keeps.count(where: { $0 }) < 20)
    }
}
