import Exams
import Metrics
import Testing

@Suite struct POPETests {
    /// 3 true positives, 1 false positive, 4 true negatives, 2 false negatives.
    private static let items: [QuestionScore] =
        [("yes", "Yes", 3), ("no", "Yes", 1), ("no", "No", 4), ("yes", "no", 2)].flatMap {
            truth, answer, count in
            (0..<count).map { question("\($0)", "random", label: truth, answer: answer) }
        }

    @Test func figuresFollowFromTheCounts() throws {
        let metrics = try #require(try POPEScore(Self.items).splits.first).metrics
        #expect(abs(metrics.accuracy - 0.7) < 1e-15)
        #expect(abs(metrics.precision - 0.75) < 1e-15)
        #expect(abs(metrics.recall - 0.6) < 1e-15)
        #expect(abs(metrics.f1 - 2 * 0.75 * 0.6 / 1.35) < 1e-15)
        #expect(abs(metrics.yesRatio - 0.4) < 1e-15)
    }

    @Test func meanIsOverSplitsNotQuestions() throws {
        let more = Self.items + [question("x", "popular", label: "yes", answer: "yes")]
        let score = try POPEScore(more)
        #expect(score.splits.map(\.split) == [.random, .popular])
        #expect(abs(score.mean.accuracy - (0.7 + 1) / 2) < 1e-15)
    }

    @Test func alwaysNoHasZeroPrecisionInsteadOfACrash() throws {
        let items = ["yes", "no"].map { question("a", "random", label: $0, answer: "No") }
        let metrics = try POPEScore(items).mean
        #expect(metrics.accuracy == 0.5)
        #expect(metrics.precision == 0 && metrics.recall == 0 && metrics.f1 == 0 && metrics.yesRatio == 0)
    }

    @Test func strictCountsTheUnreadAsWrong() throws {
        let items = [("Yes", "yes"), ("Maybe", "yes"), ("Maybe", "no"), ("No", "no")].map {
            question("a", "random", label: $1, answer: $0)
        }
        let counts = try #require(try POPEScore(items, profile: .strict).counts[.random])
        #expect(counts.unparsed == 2)
        #expect(counts.metrics.accuracy == 0.5)
        #expect(counts.metrics.recall == 0.5)
        #expect(counts.metrics.precision == 1)
        // The official rule takes both for a yes.
        #expect(try POPEScore(items).mean.yesRatio == 0.75)
        let report = try POPEScore.report(items).plainText
        #expect(report.contains("unread"))
        #expect(report.split(separator: "\n").last?.hasSuffix(" 2") == true)
    }

    @Test func nothingToScoreIsAnError() {
        #expect(throws: MetricsError.empty(where: "POPE")) { try POPEScore([]) }
    }
}
