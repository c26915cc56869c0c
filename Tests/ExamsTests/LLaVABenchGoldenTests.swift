import Exams
import Foundation
import Testing

/// Where published reviews stand; they are not part of the repository.
private let golden = ProcessInfo.processInfo.environment["SIGHTLINE_GOLDEN"]

/// GPT-4's published reviews of LLaVA-1.5's answers against what the official script prints for them.
@Suite(.enabled(if: golden != nil, "SIGHTLINE_GOLDEN is not set: 1 suite of published reviews skipped"))
struct LLaVABenchGoldenTests {
    @Test(arguments: [("7b", "64.7, 65.3, 66.3"), ("13b", "72.8, 72.7, 72.1")])
    func meetsTheOfficialFigures(model: String, official: String) throws {
        let folder = URL(filePath: try #require(golden)).appending(path: "llava-bench")
        let files = (1...3).map {
            FileLines(folder.appending(path: "llava-v1.5-\(model)-eval\($0).jsonl").path)
        }
        let scores = try LLaVABench().scores(ofReviews: files)
        #expect(scores.count == 60)
        let text = try LLaVABench().tables(scores).map(\.plainText).joined()
        #expect(text.contains(/\n *all .*/), "\(text)")
        #expect(text.contains(official), "\(text)")
        #expect(text.contains(/not read +0/) && text.contains(/without reply +0/), "\(text)")

        var sheet = ScoreSheet()
        sheet[LLaVABench()] = scores
        let table = try ComparisonTable(runs: [(model, [sheet])])
        let row = try #require(table.rows.first { $0.name == "llava_bench" }).values[0]
        let mean = official.split(separator: ", ").compactMap { Double($0) }.reduce(0, +) / 3
        #expect(abs(row.estimate - mean) < 1e-9 && row.lower < mean - 4 && row.upper > mean + 4, "\(row)")
    }
}
