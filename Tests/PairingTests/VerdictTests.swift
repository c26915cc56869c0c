import Foundation
import JSON
import Pairing
import PictureWorld
import Records
import Rewards
import Testing

@Suite struct CriticPromptTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("data/prompts")

    /// The short prompt is what the lessons ask.
    @Test(arguments: [[], [.reference], [.metrics], [.reference, .metrics]] as [Set<CriticPrompt.Section>])
    func theShortPromptIsTheWordingOfTheLessons(_ shown: Set<CriticPrompt.Section>) throws {
        let text = try String(
            contentsOf: Self.folder.appendingPathComponent("critic-short.txt"), encoding: .utf8)
        let prompt = try CriticPrompt(text, place: "critic-short.txt", showing: shown)
        let record = Prompt(id: "p", prompt: "Describe this image.", reference: "A red car.")
        let choice = Choice(
            question: record.prompt, answers: ["One. Two.", "{question} Three."],
            reference: shown.contains(.reference) ? record.reference : nil,
            metrics: shown.contains(.metrics))
        let asked = try prompt.text(about: record, (choice.answers[0], choice.answers[1]))
        #expect(asked == choice.prompt)
    }

    @Test func aReferenceThatIsToBeShownMustBeThere() throws {
        let prompt = try CriticPrompt(
            "{question} {reference} {answer_1} {answer_2}\n", place: "f", showing: [.reference, .metrics])
        let without = Prompt(id: "p", prompt: "Q")
        #expect(throws: RecordError.missing(key: "reference")) { try prompt.text(about: without, ("a", "b")) }
    }

    @Test(arguments: [
        ("{question} {answer_1} {foo}", "{foo} is unknown"), ("{question} {answer_1}", "no {answer_2} in it"),
        ("{question} {answer_1} {answer_2} {#reference} x", "{#reference} has no {/reference}"),
        ("{question} {answer_1} {answer_2} {/reference}", "{/reference} is unknown"),
        ("{question} {answer_1} {answer_2} {reference}", "{reference} is outside"),
    ])
    func badPromptsAreRefused(_ text: String, _ finding: String) {
        let error = #expect(throws: PreferenceError.self) {
            try CriticPrompt(text, place: "f.txt", showing: [.metrics])
        }
        #expect(error?.description.hasPrefix("f.txt: \(finding)") ?? false)
    }

    /// Task, metrics, two demonstrations and the question block; the ablation goes without the metrics alone.
    @Test func theLongPromptHasMetricsThatCanBeLeftOut() throws {
        let text = try String(contentsOf: Self.folder.appendingPathComponent("critic.txt"), encoding: .utf8)
        let record = Prompt(id: "p", prompt: "What is here?", reference: "A red car.")
        func asked(_ shown: Set<CriticPrompt.Section>) throws -> String {
            try CriticPrompt(text, place: "critic.txt", showing: shown).text(about: record, ("One.", "Two."))
        }
        let whole = try asked([.reference, .metrics])
        let ablated = try asked([.reference])
        for metric in ["Objects", "Relations", "Attributes"] {
            #expect(whole.contains(metric + ":") && !ablated.contains(metric + ":"))
        }
        for part in ["[[1]]", "[[2]]", "What is here?", "A red car.", "One.", "Two."] {
            #expect(whole.contains(part) && ablated.contains(part))
        }
        #expect(try asked([.metrics]).contains("A red car.") == false)
    }

    @Test func metricsThatAreNotThereCannotBeLeftOut() {
        let error = #expect(throws: PreferenceError.self) {
            try CriticPrompt("{question}{answer_1}{answer_2}", place: "f", showing: [])
        }
        #expect(error?.description.contains("no {#metrics} in it to leave out") ?? false)
    }

    @Test func otherBracesAreText() throws {
        let prompt = try CriticPrompt(
            "{} {A} [[1]] {question}{answer_1}{answer_2}", place: "f", showing: [.metrics])
        #expect(try prompt.text(about: Prompt(id: "p", prompt: "Q"), ("a", "b")) == "{} {A} [[1]] Qab")
    }
}

@Suite struct VerdictReadingTests {
    /// Bracketed verdicts read alike in both profiles (`methods.md` names the cases).
    @Test(arguments: [
        ("[[1]].", 1), ("The reason: a dog. The better AI generated response: [[2]]", 2),
        ("[[1]] or rather [[2]]", 2), ("[[2]] [[3]]", nil), ("[[3]]", nil), ("[[ 1 ]]", nil), ("[[]]", nil),
        ("2", 2), ("1", 1), ("[[1", 1), ("1]]", 1), ("[[12]]", nil), ("", nil), ("[[", nil),
    ])
    func bracketsReadAlike(_ text: String, _ slot: Int?) {
        #expect(VerdictReading.exact.slot(in: text) == slot)
        #expect(VerdictReading.plain.slot(in: text) == slot)
    }

    @Test(arguments: [
        ("2.", 2), (" 1\n", 1), ("Answer 1", 1), ("Response 2 is better.", 2), ("1 is better than 2", nil),
        ("neither", nil), ("12", nil), ("1 1", 1), ("3", nil), ("²", nil), ("Answer (2)", 2),
    ])
    func plainReadsTheOneNumberThatStandsAlone(_ text: String, _ slot: Int?) {
        #expect(VerdictReading.plain.slot(in: text) == slot)
        #expect(VerdictReading.exact.slot(in: text) == nil)
    }

    /// A number in a text that was cut off is one of its reason; a verdict that stands already counts.
    @Test(
        arguments: [
            ("Answer 1: top left small white", nil), ("Answer 1: a car no. Better: [[2]] and", 2), ("2", 2),
        ] as [(String, Int?)])
    func aCutTextHasNoVerdictInItsMidst(_ text: String, _ slot: Int?) {
        #expect(VerdictReading.plain.slot(in: text, isCut: true) == slot)
    }

    @Test func slotsBecomeCandidates() {
        let verdict = Records.Verdict(critic: "self", order: ["c1", "c0"], raw: "2.", reading: .plain)
        #expect(verdict.choice == .candidate("c0"))
        #expect(verdict.raw == "2.")
        #expect(
            Records.Verdict(critic: "s", order: ["c1", "c0"], raw: "?", reading: .plain).choice == .unreadable
        )
        #expect(Records.Verdict(critic: "s", order: ["c1"], raw: "2", reading: .plain).choice == .unreadable)
    }

    @Test func bothOrdersMustAgree() {
        typealias Choice = Records.Verdict.Choice
        let (a, b) = (Choice.candidate("a"), Choice.candidate("b"))
        #expect(Choice.combined(a, a) == a)
        #expect(Choice.combined(a, b) == .tie)
        #expect(Choice.combined(a, .tie) == .tie)
        #expect(Choice.combined(a, .unreadable) == .unreadable)
        #expect(Choice.combined(.unreadable, b) == .unreadable)
        #expect(Choice.combined(.tie, .unreadable) == .unreadable)
    }
}

@Suite struct VerdictPairsTests {
    private func verdict(_ order: [String], _ raw: String, critic: String = "self") -> Records.Verdict {
        Records.Verdict(critic: critic, order: order, raw: raw, reading: .plain)
    }

    @Test func countsWhatGivesNoPreference() {
        let pairs = VerdictPairs([
            verdict(["a", "b"], "1"), verdict(["b", "a"], "2"),
            verdict(["a", "c"], "1"), verdict(["c", "a"], "1"),
            verdict(["b", "c"], "1"), verdict(["c", "b"], "what?"),
            verdict(["a", "d"], "1"),
            verdict(["a", "b"], "2", critic: "other"), verdict(["b", "a"], "1", critic: "other"),
            verdict(["a", "b", "c"], "1"),
        ])
        #expect(
            pairs.preferences == [
                .init(chosen: "a", rejected: "b", critic: "self"),
                .init(chosen: "b", rejected: "a", critic: "other"),
            ])
        #expect(pairs.ties == 1 && pairs.unreadable == 1 && pairs.oneOrder == 1)
        // Four pairs, of which three were asked about in both orders, one of these by two critics.
        #expect(pairs.judged.count == 4 && pairs.readable == 7 && pairs.forFirst == 5)
        var tally = VerdictTally()
        let truth = [0, 1].map {
            TruthJudgement(
                falseSentences: $0, inventedObjects: 0, wrongAttributes: 0, words: 5, namedObjects: 2)
        }
        let differing = AuditedPair(chosen: truth[0], rejected: truth[1], margin: nil)
        let equal = AuditedPair(chosen: truth[0], rejected: truth[0], margin: nil)
        tally.add(pairs, differing: 3, settled: [differing])
        #expect(tally.description.contains("1 of 4 pairs (25.0%), 1 of the 3 that differ in truth (33.3%)"))
        tally.add(pairs, differing: 1, settled: [equal, nil])
        #expect(tally.coverage == 0.375 && tally.firstShare == 5.0 / 7 && tally.coverageOfDiffering == 0.25)
        #expect(
            tally.metrics.map(\.name) == [
                "judged", "verdicts_both_orders", "coverage", "coverage_differing", "first_share",
            ])
        #expect(VerdictTally().coverage == nil && VerdictTally().metrics.count == 2)
    }

    @Test func oneOrderMayDecideAloneAndLaterVerdictsCount() {
        let verdicts = [verdict(["a", "b"], "1"), verdict(["b", "a"], "1"), verdict(["a", "b"], "2")]
        let one = VerdictPairs(verdicts, bothOrders: false)
        #expect(one.preferences == [.init(chosen: "b", rejected: "a", critic: "self")])
        let both = VerdictPairs(verdicts)
        #expect(both.preferences == [.init(chosen: "b", rejected: "a", critic: "self")])
        let mirrored = VerdictPairs([verdict(["a", "b"], "1"), verdict(["b", "a"], "1")])
        #expect(mirrored.preferences.isEmpty && mirrored.ties == 1)
    }
}

@Suite struct RewardAuditTests {
    private func judged(_ false_: Int, words: Int, invented: Int = 0, named: Int = 3) -> TruthJudgement {
        TruthJudgement(
            falseSentences: false_, inventedObjects: invented, wrongAttributes: 0, words: words,
            namedObjects: named)
    }

    /// False sentences spared 2, −1, 0, 1 at margins 3, 1, 1, 3: r = Σ(Δm·Δs)/(4·σm·σs) with σm = 1,
    /// σs = √1.25. The third pair is decided by what its sides name, against the chosen one.
    private var audit: RewardAudit {
        RewardAudit([
            AuditedPair(chosen: judged(0, words: 10), rejected: judged(2, words: 14, invented: 1), margin: 3),
            AuditedPair(chosen: judged(2, words: 10, invented: 2), rejected: judged(1, words: 10), margin: 1),
            AuditedPair(chosen: judged(1, words: 12, named: 2), rejected: judged(1, words: 8), margin: 1),
            AuditedPair(chosen: judged(0, words: 8, named: 5), rejected: judged(1, words: 12), margin: 3),
        ])
    }

    @Test func comparesRewardWithTruth() throws {
        #expect(audit.pairs == 4 && audit.differing == 4 && audit.chosenTruer == 2)
        #expect(audit.agreement == 0.5)
        #expect(audit.chosen.falseSentences == 0.75 && audit.rejected.falseSentences == 1.25)
        #expect(audit.chosen.inventedObjects == 0.5 && audit.rejected.inventedObjects == 0.25)
        #expect(audit.chosen.namedObjects == 3.25)
        #expect(audit.lengthDifference == -1)
        let expected = 1.0 / 1.25.squareRoot()
        #expect(abs(try #require(audit.marginCorrelation) - expected) < 1e-12)
    }

    @Test func truerIsFewerFalseSentencesThenMoreNamed() {
        #expect(judged(0, words: 1, named: 1).isTruer(than: judged(1, words: 1, named: 5)))
        #expect(judged(1, words: 1, named: 2).isTruer(than: judged(1, words: 9, named: 1)))
        #expect(!judged(1, words: 1).isTruer(than: judged(1, words: 9, invented: 4)))
    }

    @Test func metricsAndTableSayTheSame() throws {
        let json = try JSONObject(figures: audit.metrics)
        #expect(json.keys == audit.metrics.map(\.name))
        #expect(try json.double("agreement") == audit.agreement)
        let metrics = Dictionary(uniqueKeysWithValues: audit.metrics.map { ($0.name, $0.value) })
        #expect(metrics["agreement"] == audit.agreement)
        #expect(metrics["length_difference"] == -1)
        #expect(metrics.count == 16)
        let lines = audit.description.split(separator: "\n").map(String.init)
        #expect(lines[5] == "words              10.00     11.00       -1.00")
        #expect(audit.description.contains("truer one in 2 of 4 (50.0%) pairs"))
        #expect(audit.description.contains("sentences spared: 0.89."))
    }

    @Test func nothingToCompareIsNoNumber() {
        let empty = RewardAudit([])
        #expect(empty.agreement == nil && empty.marginCorrelation == nil)
        #expect(!empty.metrics.contains { !$0.value.isFinite })
        let equal = RewardAudit([
            AuditedPair(chosen: judged(1, words: 1), rejected: judged(1, words: 1), margin: 1)
        ])
        #expect(equal.agreement == nil && equal.differing == 0)
        let critic = RewardAudit([
            AuditedPair(chosen: judged(0, words: 1), rejected: judged(1, words: 1), margin: nil)
        ])
        #expect(critic.agreement == 1 && critic.marginCorrelation == nil)
    }
}
