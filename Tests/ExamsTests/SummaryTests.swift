import Exams
import Foundation
import Metrics
import Testing

/// A made-up evaluation over `images` pictures, worse the larger `slip` is.
private func evaluation(
    images: Int, slip: Int, tasks: [String] = ["existence", "count", "color", "position"],
    seconds: Double = 1
) -> ScoreSheet {
    var (captions, pope, mme): ([CaptionScore], [QuestionScore], [QuestionScore]) = ([], [], [])
    for index in 0..<images {
        let image = "scene-\(index)"
        let invents = index % 10 < slip
        captions.append(
            caption(
                image, names: ["dog", "cat"] + (invents ? ["ball"] : []), truth: ["dog", "cat", "tree"],
                words: 20 + index % 3,
                habits: [
                    AppliedHabit(trigger: "tree", companion: "ball"),
                    AppliedHabit(trigger: "tree", companion: "cat"),
                ]))
        let slipping = invents ? "Yes" : "No"
        for split in POPESplit.allCases.map(\.rawValue) {
            pope.append(question(image, split, label: "yes", answer: index % 7 == 0 ? "No" : "Yes"))
            pope.append(question(image, split, label: "no", answer: slipping, object: "ball"))
        }
        for task in tasks {
            mme.append(question(image, task, label: "yes", answer: "Yes"))
            mme.append(question(image, task, label: "no", answer: slipping))
        }
    }
    return ScoreSheet(seconds: seconds, captions: captions, pope: pope, mme: mme)
}

@Suite struct SummaryTests {
    /// Those that are asked here.
    private let asked = ExamList([Captions(), POPE(), MME(), OwnInventions()])

    @Test func figuresAgreeWithTheScorers() throws {
        let evaluation = evaluation(images: 70, slip: 4, tasks: MME.tasks, seconds: 12.5)
        let values = try evaluation.summary().values
        #expect(Set(values.keys) == Set(asked.summarized.map(\.key)))
        // 28 of 70 captions invent the one ball; two of three objects are told in each.
        #expect(values["chair_s"] == 28.0 / 70)
        #expect(values["chair_i"] == 28.0 / 168)
        #expect(values["object_recall"] == 140.0 / 210)
        #expect(values["mean_words"] == Double((0..<70).reduce(0) { $0 + 20 + $1 % 3 }) / 70)
        let pope = try POPEScore(evaluation.pope)
        for (split, metrics) in pope.splits {
            #expect(values["pope_\(split.rawValue)_f1"] == metrics.f1)
            #expect(values["pope_\(split.rawValue)_precision"] == metrics.precision)
        }
        #expect(values["pope_mean_accuracy"] == pope.mean.accuracy)
        #expect(values["pope_mean_yes_ratio"] == pope.mean.yesRatio)
        // 112 of 140 answers are right, and both on 42 of 70 pictures.
        #expect(values["mme_color"] == 140)
        #expect(values["mme_perception"] == 1400)
        #expect(values["mme_cognition"] == 560)
        #expect(values["n"] == 70)
        #expect(values["seconds"] == 12.5)
    }

    @Test func theFileHasExactlyTheKeys() throws {
        let summary = try evaluation(images: 20, slip: 4, tasks: MME.tasks, seconds: 3).summary()
        let file = SummaryFile(rounds: [("base", summary), ("round-1", summary)])
        let json = try file.json()
        #expect(json.hasPrefix("{\n  \"base\": {\n    \"chair_s\": 0.4,\n    \"chair_i\": "))
        #expect(json.contains("    \"n\": 20,\n    \"seconds\": 3\n  },\n  \"round-1\": {\n"))
        let expected = """
            chair_s chair_i object_recall mean_words habit_balanced_accuracy habit_kept habit_invented
            pope_random_accuracy pope_random_f1 pope_random_precision pope_random_recall pope_random_yes_ratio
            pope_popular_accuracy pope_popular_f1 pope_popular_precision pope_popular_recall
            pope_popular_yes_ratio pope_adversarial_accuracy pope_adversarial_f1 pope_adversarial_precision
            pope_adversarial_recall pope_adversarial_yes_ratio
            pope_mean_accuracy pope_mean_f1 pope_mean_precision pope_mean_recall pope_mean_yes_ratio
            pope_companion_accuracy mme_existence mme_count mme_color mme_position
            mme_posters mme_celebrity mme_scene mme_landmark mme_artwork mme_OCR mme_commonsense_reasoning
            mme_numerical_calculation mme_text_translation mme_code_reasoning mme_perception mme_cognition
            n seconds
            """.split(whereSeparator: \.isWhitespace).map(String.init)
        let object = try JSONDecoder().decode([String: [String: Double]].self, from: Data(json.utf8))
        #expect(object["base"].map { Set($0.keys) } == Set(expected))
        #expect(asked.summarized.map(\.key) == expected)
        #expect(try SummaryFile(json: Data(json.utf8), file: "summary.json") == file)
    }

    @Test func roundsAreOrderedByNumber() throws {
        let json = #"{"round-10": {"n": 1}, "round-2": {"n": 1}, "base": {"n": 1}, "other": {"n": 1}}"#
        let file = try SummaryFile(json: Data(json.utf8), file: "s")
        #expect(file.rounds.map(\.name) == ["base", "round-2", "round-10", "other"])
        #expect(throws: MetricsError.self) { try SummaryFile(json: Data("[]".utf8), file: "s") }
    }

    @Test func numbersJSONCantHoldAreRefused() {
        for value in [Double.nan, .infinity] {
            let file = SummaryFile(rounds: [("base", Summary(values: ["chair_s": value]))])
            #expect(throws: MetricsError.self) { try file.json() }
        }
        let stranger = SummaryFile(rounds: [("base", Summary(values: ["chair": 1]))])
        #expect(throws: MetricsError.self) { try stranger.json() }
    }

    @Test func benchmarksThatWereNotRunAreLeftOut() throws {
        let captions = evaluation(images: 5, slip: 1).captions.map { caption in
            var caption = caption
            caption.habits = []
            return caption
        }
        #expect(
            Set(try ScoreSheet(captions: captions).summary().values.keys)
                == ["chair_s", "chair_i", "object_recall", "mean_words", "n", "seconds"])
        #expect(throws: MetricsError.empty(where: "evaluation")) { try ScoreSheet().summary() }
    }
}

@Suite struct ComparisonTableTests {
    @Test func manyRunsHaveALineEachAndSeedsAreOne() throws {
        let base = evaluation(images: 20, slip: 5)
        let runs =
            [("base", [base])]
            + (1...4).map { slip in
                ("run \(slip)", [evaluation(images: 20, slip: slip), evaluation(images: 20, slip: slip + 2)])
            }
        let table = try ComparisonTable(runs: runs, bootstrap: PairedBootstrap(resamples: 50))
        let overview = try #require(table.overview)
        #expect(overview.rows.map { $0[0] } == ["", "base"] + (1...4).map { "run \($0) (2 seeds)" })
        #expect(overview.rows[0][1] == "CHAIR_S % ↓" && overview.rows[1][1] == "50.0")
        #expect(overview.rows[2][1] == "20.0", "one in ten and three in ten")
        #expect(table.summary(of: 1, seconds: 3).values["chair_s"] == 0.2)
        #expect(table.tests?.isEmpty == true, "each question was answered twice")
        #expect(table.plainText.contains("seeds") && table.markdown.contains("POPE"))
        let few = try ComparisonTable(runs: Array(runs.prefix(4)), bootstrap: PairedBootstrap(resamples: 50))
        #expect(few.overview == nil)
    }

    @Test func showsDifferencesWithIntervals() throws {
        let table = try ComparisonTable(
            runs: [
                ("base", [evaluation(images: 200, slip: 5)]), ("round-1", [evaluation(images: 200, slip: 2)]),
            ],
            bootstrap: PairedBootstrap(resamples: 1_000))
        let row = try #require(table.rows.first { $0.name == "chair_s" })
        #expect(row.values.map(\.estimate) == [0.5, 0.2])
        #expect(row.differences[0].estimate == 0.2 - 0.5)
        #expect(row.differences[0].excludesZero)
        let same = try #require(table.rows.first { $0.name == "mean_words" })
        #expect(!same.differences[0].excludesZero)

        let text = table.plainText
        #expect(text.contains("CHAIR_S % ↓"))
        let line = text.split(separator: "\n").first { $0.hasPrefix("CHAIR_S") } ?? ""
        #expect(line.split(separator: " ").dropFirst(3).prefix(3) == ["50.0", "20.0", "−30.0"])
        #expect(line.hasSuffix("]*"))
        let markdown = table.markdown.split(separator: "\n")
        #expect(markdown[1].hasPrefix("| ---"))
        #expect(Set(markdown[0..<(2 + table.rows.count)].map { $0.count }).count == 1)
    }

    /// What round-1 has right and base has not are the "no" questions of 3 pictures in 10.
    @Test func yesNoQuestionsAreTestedInPairs() throws {
        let runs = [
            ("base", [evaluation(images: 20, slip: 5)]), ("round-1", [evaluation(images: 20, slip: 2)]),
            ("round-2", [evaluation(images: 20, slip: 5)]),
        ]
        let table = try ComparisonTable(runs: runs, bootstrap: PairedBootstrap(resamples: 10))
        let tests = try #require(table.tests)
        #expect(tests.map(\.run) == (0..<3).flatMap { _ in ["round-1", "round-2"] })
        #expect(tests.map(\.onlyBase) == [0, 0, 0, 0, 0, 0] && tests.map(\.onlyRun) == [6, 0, 6, 0, 6, 0])
        for (index, test) in tests.enumerated() {
            #expect(abs(test.pValue - (index % 2 == 0 ? 0.03125 : 1)) < 1e-12)
            #expect(abs(test.adjusted - (index % 2 == 0 ? 0.1875 : 1)) < 1e-12)
        }
        #expect(table.plainText.contains("round-1, POPE adversarial"))

        // Files of before had no tests.
        var old = try #require(
            JSONSerialization.jsonObject(with: JSONEncoder().encode(table)) as? [String: Any])
        old["tests"] = nil
        let read = try JSONDecoder().decode(
            ComparisonTable.self, from: JSONSerialization.data(withJSONObject: old))
        #expect(read.tests == nil && read.rows.count == table.rows.count)
    }

    @Test func otherQuestionsAreRefused() {
        var other = evaluation(images: 3, slip: 1)
        other[POPE()] = other.pope.reversed()
        #expect(throws: MetricsError.self) {
            try ComparisonTable(runs: [("base", [evaluation(images: 3, slip: 1)]), ("round-1", [other])])
        }
    }

    @Test func differentBenchmarksAreRefused() {
        var other = evaluation(images: 3, slip: 1)
        other[MME()] = []
        #expect(throws: MetricsError.self) {
            try ComparisonTable(runs: [("base", [evaluation(images: 3, slip: 1)]), ("round-1", [other])])
        }
    }

    /// All figures of four runs over 1,000 images must stay a matter of seconds.
    @Test func tenThousandResamplesAreQuick() throws {
        let runs = (0..<4).map { ("run \($0)", [evaluation(images: 1_000, slip: 2 + $0)]) }
        let clock = ContinuousClock()
        var rows = 0
        let time = try clock.measure { rows = try ComparisonTable(runs: runs).rows.count }
        #expect(rows == 32)
        #expect(time < .seconds(30), "\(time)")
        print("38 figures of 4 runs, 1,000 images, 10,000 resamples: \(time)")
    }
}
