import Records
import Rewards
import Testing

@Suite struct SentenceFilterTests {
    private func rule(_ text: String) throws -> SentenceFilter.Rule {
        try #require(SentenceFilter.Rule(text), "\(text) is no rule")
    }

    /// The released rules, each with a sentence that it takes out and one that it leaves.
    @Test(arguments: [
        ("hangul", "A 한 car.", "A 車 car."), ("hangul", "ㄱ car", "A car"), ("cyrillic", "A саr.", "A car."),
        ("kana", "A の car.", "A car."), ("kana", "A カー.", "A 車."),
        ("shorter=4", "A c", "A ca"), ("shorter=4", "🙂🙂🙂 ab", "abc."),
        ("newlines=6", "a\nb\nc\nd\ne\nf\ng", "a\nb\nc\nd\ne\nf"),
        ("same-word=6", "a car car car car car car.", "a car car car car car."),
        ("same-word=6", "car, car, car, car, car, car", "cars car cars car cars car car"),
        ("same-character=11", "aaaaaaaaaaa", "aaaaaaaaaa"),
        ("same-character=11", "a a a a a a a a a a a", "aabaaaaaaaaaa"),
        ("run-of:ts=11", "ttstststtst", "ttstststts"),
        ("run-of:,=13", ", , , , , , , , , , , , ,", "a, b, , , , , , , , , , , ,"),
        ("run-of:'=10", "it''''''''''s", "it'''''''''s"),
    ])
    func oneCasePerRule(_ name: String, _ bad: String, _ good: String) throws {
        let filter = SentenceFilter([try rule(name)])
        #expect(filter.objection(to: bad)?.description == name)
        #expect(filter.objection(to: good) == nil)
    }

    @Test(arguments: [
        "", "emoji", "hangul=3", "shorter", "shorter=0", "shorter=-1", "run-of:=3", "same-word=x",
    ])
    func whatIsNoRule(_ text: String) { #expect(SentenceFilter.Rule(text) == nil) }

    @Test func cleaningLeavesWordsSpacesAndPunctuation() {
        #expect(
            SentenceFilter.cleaned("A “café” 🙂, it's 3.5 m_2 – née <x>!\n")
                == "A café , it's 3.5 m_2  née x!\n")
    }

    /// Nodes 0 … 4 are 0, 0→1, 0→2, 2→3, 4; node 2 falls and takes 3 with it, which is bad itself.
    @Test func aSentenceTakesWhatFollowsIt() throws {
        func node(_ parent: Int, _ text: String) -> SentenceNode {
            SentenceNode(parent: parent, text: text, ids: [1], logprob: -1, end: .period)
        }
        func candidate(_ id: String, _ path: [Int]) -> Candidate {
            Candidate(id: id, path: path, text: id, draw: nil)
        }
        var sample = Sample(
            nodes: [node(-1, "A car."), node(0, "A dog."), node(0, "x"), node(2, "y"), node(-1, "A cup.")],
            candidates: [candidate("c0", [0, 1]), candidate("c1", [0, 2, 3]), candidate("c2", [4])],
            tokenizer: nil)
        let dropped = sample.remove(by: SentenceFilter([try rule("shorter=4")]))
        #expect(sample.nodes.map(\.text) == ["A car.", "A dog.", "A cup."])
        #expect(sample.nodes.map(\.parent) == [-1, 0, -1])
        #expect(sample.candidates.map(\.id) == ["c0", "c2"])
        #expect(sample.candidates.map(\.path) == [[0, 1], [2]])
        #expect(dropped == ["sentences by the filter's shorter=4": 1, "answers with a filtered sentence": 1])
        #expect(sample.remove(by: SentenceFilter([])).isEmpty)
    }
}
