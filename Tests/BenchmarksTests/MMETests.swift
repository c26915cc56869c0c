import Benchmarks
import Testing

@Suite struct MMETests {
    private let file = """
        0001.jpg\tIs this a boat? Please answer yes or no.\tNo\tno, it is a car
        0001.jpg\tIs this a car? Please answer yes or no.\tYes\tYes
        0002.jpg\tIs this a tree?\tYes\tThe answer is yes
        0002.jpg\tIs this a hat?\tNo\tSnow
        """

    @Test func scoresATask() throws {
        let items = try MMEItem.read(file, task: "existence", file: "existence.txt")
        #expect(items.count == 4)
        let score = try #require(try MMEScore(items).tasks["existence"])
        #expect(score.accuracy == 0.75)
        #expect(score.accuracyPlus == 0.5)
        #expect(score.score == 125)
        #expect(score.unparsed == 1)
    }

    @Test func readsCarriageReturns() throws {
        let items = try MMEItem.read("a.jpg\tq\tYes\tYes\r\na.jpg\tq\tNo\tNo\r\n", task: "t", file: "t.txt")
        #expect(items.map(\.answer) == ["Yes\r", "No\r"])
        #expect(try MMEScore(items).tasks["t"]?.score == 200)
    }

    @Test func tasksMayBeMixedAndSumsNeedAllTasks() throws {
        let tasks = MMEScore.perceptionTasks
        let items = (0..<2).flatMap { _ in
            tasks.map { MMEItem(task: $0, image: "a", truth: .yes, answer: "yes") }
        }
        let score = try MMEScore(items)
        #expect(score.perception == 2000)
        #expect(score.cognition == nil)
    }

    @Test func aQuestionWithoutPartnerIsAnError() throws {
        let items = try MMEItem.read(file, task: "count", file: "f")
        for broken in [Array(items.dropLast()), Array(items.dropFirst())] {
            #expect(throws: BenchmarksError.self) { try MMEScore(broken) }
        }
    }

    @Test func badLinesAreNamed() {
        #expect(
            throws: BenchmarksError.badLine(
                file: "f.txt", line: 2, found: "3 tab-separated fields instead of 4")
        ) { try MMEItem.read("a\tq\tYes\tyes\na\tq\tYes\n", task: "t", file: "f.txt") }
        #expect(
            throws: BenchmarksError.badLine(
                file: "f.txt", line: 1, found: "the truth is \"Maybe\", neither Yes nor No")
        ) { try MMEItem.read("a\tq\tMaybe\tyes\n", task: "t", file: "f.txt") }
    }
}
