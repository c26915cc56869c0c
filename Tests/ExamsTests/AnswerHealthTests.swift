import Exams
import Metrics
import Testing

@Suite struct AnswerHealthTests {
    /// Of ten questions about ten pictures, with yes right for all.
    private func sheet(_ answers: [String]) -> ScoreSheet {
        ScoreSheet(
            pope: answers.enumerated().map { question("\($0).png", "popular", label: "yes", answer: $1) })
    }

    @Test func readingsAreCounted() throws {
        let sheet = sheet(["Yes", "yes, a dog.", "No", "There is not a dog.", "", "  \n", "Perhaps"])
        let health = try #require(sheet.health.first)
        #expect(sheet.health.count == 1 && health.exam == "POPE" && health.answers == 7)
        #expect(health.empty == 2 && health.words == 11 && health.isRead)
        // POPE's script takes what is no no for a yes; strictly read, four answers are nothing.
        #expect(health.unread == 0 && health.plain == 3 && health.open == nil)
        #expect(health.doubts.map(\.answer) == ["There is not a dog.", "", "  \n", "Perhaps"])
        #expect(health.doubts[0].reading == AnswerReading(official: "no", strict: nil))
        #expect(health.doubts[3].reading == AnswerReading(official: "yes", strict: nil))
    }

    @Test func anAnswerThatTheScriptCannotReadIsUnread() throws {
        var sheet = ScoreSheet()
        sheet[MME()] = ["The answer is yes", "Yes"].map {
            question("1.png", "existence", label: "yes", answer: $0)
        }
        let health = try #require(sheet.health.first)
        #expect(health.unread == 1 && health.plain == 1 && health.doubts.count == 1)
    }

    /// As the token limit leaves them.
    @Test func captionsWithoutAnEndAreCounted() throws {
        var sheet = ScoreSheet()
        sheet[Captions()] = ["A dog.", "A dog (“black”.)”", "A dog stands beside a", "", "犬です。"].map {
            CaptionScore(id: $0, image: "1.png", text: $0, objects: [], mentions: [])
        }
        let health = try #require(sheet.health.first)
        #expect(health.open == 1 && health.empty == 1 && !health.isRead && health.doubts.isEmpty)
    }

    @Test func officialAndStrictStandSideBySide() throws {
        let base = sheet(Array(repeating: "Yes", count: 4) + Array(repeating: "No", count: 4))
        // Nothing that can be read: the official rule takes it for yes, the strict one for nothing.
        let vague = sheet(Array(repeating: "Perhaps", count: 8))
        let table = try ComparisonTable(
            runs: [("base", [base]), ("vague", [vague])], bootstrap: PairedBootstrap(resamples: 50))
        let rows = try #require(table.readingTable).rows
        #expect(
            rows[0] == [
                "official and strict reading", "base", "strict", "vague", "strict", "Δ vague", "Δ strict",
            ])
        let popular = try #require(rows.first { $0[0].hasPrefix("POPE popular accuracy") })
        #expect(Array(popular[1...4]) == ["50.0", "50.0", "100.0", "0.0"])
        #expect(popular[5].hasPrefix("+50.0 [") && popular[6].hasPrefix("−50.0 ["))
        #expect(table.plainText.contains("official and strict reading"))
        #expect(!table.rows.contains { $0.name.contains("strict") })
        // One run alone has no differences.
        #expect(try ComparisonTable(runs: [("base", [base])]).readingTable?.rows[0].count == 3)
    }

    @Test func everyReadingIsOfKnownFigures() {
        let readings = ExamList.all.exams.flatMap(\.readings)
        #expect(readings.count > 15)
        for own in readings {
            #expect(ExamList.all.has(own.official) && ExamList.all.has(own.strict), "\(own)")
            #expect(ExamList.all.summarized.contains { $0.key == own.official }, "\(own)")
        }
    }

    @Test func picturesAreNamedOnce() {
        var sheet = sheet(["Yes", "No"])
        sheet[Captions()] = [caption("1.png", names: [], truth: [], words: 1)]
        #expect(sheet.images == ["1.png", "0.png"])
    }
}
