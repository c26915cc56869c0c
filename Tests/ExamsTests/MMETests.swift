import Exams
import Metrics
import Testing

@Suite struct MMETests {
    private let items = [
        question("0001.jpg", "existence", label: "no", answer: "no, it is a car"),
        question("0001.jpg", "existence", label: "yes", answer: "Yes"),
        question("0002.jpg", "existence", label: "yes", answer: "The answer is yes"),
        question("0002.jpg", "existence", label: "no", answer: "Snow"),
    ]

    /// Three answers of four are right, and both of one picture of two.
    @Test func scoresATask() throws {
        let values = try ScoreSheet(mme: items).summary().values
        #expect(values["mme_existence"] == 100 * 0.75 + 100 * 0.5)
        #expect(values["mme_perception"] == nil)
        let all = [("Yes\r", "yes"), ("No\r", "no")].map {
            question("a.jpg", "count", label: $0.1, answer: $0.0)
        }
        #expect(try ScoreSheet(mme: all).summary().values["mme_count"] == 200)
    }

    @Test func tasksMayBeMixedAndSumsNeedAllTasks() throws {
        let items = (0..<2).flatMap { _ in
            MME.perceptionTasks.map { question("a", $0, label: "yes", answer: "yes") }
        }
        let values = try ScoreSheet(mme: items).summary().values
        #expect(values["mme_perception"] == 2000)
        #expect(values["mme_cognition"] == nil)
    }

    @Test func aQuestionWithoutPartnerIsAnError() throws {
        for broken in [Array(items.dropLast()), Array(items.dropFirst())] {
            #expect(throws: MetricsError.self) { try ScoreSheet(mme: broken).summary() }
        }
    }
}
