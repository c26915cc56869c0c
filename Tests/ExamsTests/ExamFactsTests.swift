import Exams
import Foundation
import Testing

@Suite struct ExamFactsTests {
    private static let page = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appending(path: "docs/benchmarks.md")

    /// The page says of each benchmark what `eval list` says, and names no other.
    @Test func thePageHasTheList() throws {
        let page = try String(contentsOf: Self.page, encoding: .utf8)
        let start = try #require(page.range(of: "## Supported\n")).upperBound
        let end = try #require(page[start...].range(of: "\n## ")).lowerBound
        let rows = page[start..<end].split(separator: "\n").filter { $0.hasPrefix("| `") }.map(String.init)
        let exams = ExamList.all.exams.filter { $0.help != nil }
        let own = try exams.map { exam in
            let facts = try #require(exam.facts, "\(exam.name) has no facts")
            return "| `\(exam.name)` | \(facts.files) | \(facts.source) | \(facts.license) |"
        }
        #expect(rows == own)
    }
}
