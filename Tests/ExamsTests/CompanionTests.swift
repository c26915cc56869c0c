import Exams
import Foundation
import Metrics
import Testing

private let dog = AppliedHabit(trigger: "bench", companion: "dog")
private let cat = AppliedHabit(trigger: "sofa", companion: "cat")

/// A caption of a picture with a bench: whether the dog is there, and whether it is told.
private func caption(
    _ image: String, there: Bool, told: Bool, _ habits: [AppliedHabit] = [dog]
) -> CaptionScore {
    caption(
        image, names: told ? ["dog"] : [], truth: there ? ["bench", "dog"] : ["bench"], words: 5,
        habits: habits)
}

/// `there` and `absent` pictures; told in the first so many of each.
private func evaluation(there: Int, kept: Int, absent: Int, invented: Int) -> ScoreSheet {
    ScoreSheet(
        captions: (0..<there).map { caption("there-\($0)", there: true, told: $0 < kept) }
            + (0..<absent).map { caption("absent-\($0)", there: false, told: $0 < invented) })
}

@Suite struct CompanionTests {
    @Test func figuresAreSharesOfWhatIsThereAndWhatIsNot() throws {
        let values = try evaluation(there: 10, kept: 8, absent: 20, invented: 5).summary().values
        #expect(values["habit_kept"] == 0.8 && values["habit_invented"] == 0.25)
        #expect(abs((values["habit_balanced_accuracy"] ?? 0) - 0.775) < 1e-12)
    }

    /// Whatever share of the pictures has the companion.
    @Test(arguments: [(30, 10), (10, 30), (1, 99)]) func whoeverDoesNotLookHasHalf(there: Int, absent: Int)
        throws
    {
        for share in [0, 1] {
            let values = try evaluation(
                there: there, kept: share * there, absent: absent, invented: share * absent
            ).summary().values
            #expect(values["habit_balanced_accuracy"] == 0.5)
        }
    }

    @Test func aFigureWithoutDenominatorIsLeftOut() throws {
        let keys = try evaluation(there: 0, kept: 0, absent: 4, invented: 1).summary().values.keys
        #expect(keys.contains("habit_invented"))
        #expect(!keys.contains("habit_kept") && !keys.contains("habit_balanced_accuracy"))
        let without = ScoreSheet(captions: [caption("a", there: true, told: true, [])])
        #expect(try !without.summary().values.keys.contains { $0.hasPrefix("habit") })
        let table = try ComparisonTable(runs: [("base", [without])], bootstrap: PairedBootstrap(resamples: 9))
        #expect(table.habits == nil && !table.plainText.contains("companion"))
    }

    /// One picture in ten has the companion: a third of the resamples has none of it.
    @Test func resamplesWithoutAValueAreNoNaN() throws {
        let table = try ComparisonTable(
            runs: [
                ("base", [evaluation(there: 1, kept: 1, absent: 9, invented: 9)]),
                ("round-1", [evaluation(there: 1, kept: 1, absent: 9, invented: 0)]),
            ], bootstrap: PairedBootstrap(resamples: 500))
        let row = try #require(table.rows.first { $0.name == "habit_balanced_accuracy" })
        #expect(row.values.map(\.estimate) == [0.5, 1] && row.differences[0].estimate == 0.5)
        #expect(row.values[1].lower == 1 && row.differences[0].upper == 0.5)
        #expect(!table.plainText.lowercased().contains("nan"))
        let read = try JSONDecoder().decode(ComparisonTable.self, from: JSONEncoder().encode(table))
        #expect(read == table)
    }

    @Test func eachHabitStandsByItself() throws {
        let both = [dog, cat]
        func run(_ told: Bool) -> ScoreSheet {
            ScoreSheet(captions: [
                caption("a", there: true, told: true, both), caption("b", there: false, told: told, both),
                caption("c", there: false, told: false),
            ])
        }
        let table = try ComparisonTable(
            runs: [("base", [run(true)]), ("round-1", [run(false)])],
            bootstrap: PairedBootstrap(resamples: 200))
        let habits = try #require(table.habits)
        #expect(habits.map(\.habit) == [dog, cat])
        #expect(habits.map(\.there) == [1, 0] && habits.map(\.absent) == [2, 2])
        #expect(habits[0].figures.map(\.name) == ["habit_balanced_accuracy", "habit_kept", "habit_invented"])
        #expect(habits[0].figures[0].values.map(\.estimate) == [0.75, 1])
        #expect(habits[1].figures.map(\.name) == ["habit_invented"])
        let line = table.plainText.split(separator: "\n").first { $0.hasPrefix("sofa → cat") } ?? ""
        #expect(line.contains("– / 0.0 / –"))
        #expect(
            table.markdown.contains(
                "| bench → dog |     1 |      2 | 100.0 / 50.0 / 75.0 | 100.0 / 0.0 / 100.0 |"))
    }

    /// Of two habits with one companion only that which tells it has told it.
    @Test func aHabitAnswersForItself() throws {
        let other = AppliedHabit(trigger: "tree", companion: "dog", cue: "nearby")
        let caption = caption(
            "a", names: ["dog"], truth: [], words: 3, habits: [dog, other], told: [dog])
        let habits = try #require(
            ComparisonTable(
                runs: [("base", [ScoreSheet(captions: [caption])])], bootstrap: PairedBootstrap(resamples: 9)
            ).habits)
        #expect(habits.map(\.absent) == [1, 1])
        #expect(habits.map { $0.figures.map(\.name) } == [["habit_invented"], ["habit_invented"]])
        #expect(habits.map { $0.figures[0].values[0].estimate } == [1, 0])
    }

    /// A companion that two habits have counts once over all, a question that three splits ask too.
    @Test func nothingCountsTwice() throws {
        let twice = [dog, AppliedHabit(trigger: "tree", companion: "dog")]
        let pope = POPESplit.allCases.map {
            question("a", $0.rawValue, label: "yes", answer: "Yes", object: "dog")
        }
        let other = question("b", "random", label: "no", answer: "Yes", object: "dog")
        let stranger = question("b", "random", label: "no", answer: "Yes")
        let evaluation = ScoreSheet(
            captions: [
                caption("a", there: true, told: true, twice), caption("b", there: true, told: false),
                caption("c", there: true, told: false),
            ], pope: pope + [other, stranger])
        let values = try evaluation.summary().values
        #expect(values["habit_kept"] == 1.0 / 3)
        #expect(values["pope_companion_accuracy"] == 0.5)
    }
}
