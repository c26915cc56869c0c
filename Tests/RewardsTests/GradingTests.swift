import Foundation
import Rewards
import Testing

@Suite struct GradingPromptTests {
    @Test func factsAreLinesAndTheirSectionGoesWithoutThem() throws {
        let prompt = try GradingPrompt(
            "Is it true?{#facts} There is:\n{facts}\nHm.{/facts}\n{reply}\nIt is\n", place: "f")
        #expect(prompt.reply == "It is")
        #expect(
            prompt.question(facts: ["a car", "{facts}"])
                == "Is it true? There is:\n  - a car\n  - {facts}\nHm.")
        #expect(prompt.question(facts: []) == "Is it true?")
    }

    @Test(arguments: [
        ("{#facts}{facts}{/facts} x", "{reply} occurs 0 times in it"),
        ("{#facts}{facts}{/facts} {reply} a {reply} b", "{reply} occurs 2 times in it"),
        ("{#facts}{facts}{/facts} {reply} ", "nothing on one side of {reply}"),
        ("{facts} {reply} x", "no {facts} between {#facts} and {/facts}"),
        ("{#facts}{fact}{/facts} {reply} x", "no {facts} between"),
        ("{#facts}{facts}{/facts} {question} {reply} x", "{question} is out of place"),
        ("{facts} {#facts}{facts}{/facts} {reply} x", "{facts} is out of place"),
        ("{#facts}{facts}{/facts} {#facts} {reply} x", "{#facts} is out of place"),
    ])
    func badPromptsAreRefused(_ text: String, _ finding: String) {
        let error = #expect(throws: PreferenceError.self) { try GradingPrompt(text, place: "f.txt") }
        #expect(error?.description.hasPrefix("f.txt: \(finding)") ?? false, "\(String(describing: error))")
    }

    @Test(arguments: ["grade", "grade-short"]) func theShippedPromptsAreRead(_ name: String) throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("data/prompts/\(name).txt")
        let prompt = try GradingPrompt(try String(contentsOf: file, encoding: .utf8), place: file.path)
        #expect(prompt.question(facts: ["a red car"]).contains("\n  - a red car"))
        #expect(!prompt.question(facts: []).contains("{"))
    }
}

@Suite struct SymbolicRewardTests {
    @Test(arguments: [
        ("B. A cat.", "B", 1.0), ("The correct option is B.", "B", 1), ("A. A cat.", "B", 0),
        ("Both", "B", 0),
        ("No, there isn't.", "no", 0.5), ("Yes, there is.", "no", -0.5), ("There is none.", "no", 0),
        ("Yes.", "yes", 0), ("No.", "yes", 0), ("A red car.", "a red car", 0),
    ])
    func correctnessIsTheReleasedRule(_ text: String, _ answer: String, _ value: Double) {
        #expect(SymbolicReward.correctness(of: text, answer: answer) == value)
    }

    @Test func theThreeAddUp() {
        let reward = SymbolicReward(correct: 2, length: 10, lengthLimit: 896, unfinished: 8)
        #expect(reward.value("B. A cat.", answer: "B", tokens: 448, isFinished: true) == 2 - 5)
        #expect(reward.value("A", answer: "B", tokens: 0, isFinished: false) == -8)
        #expect(reward.value("A", answer: nil, tokens: 0, isFinished: nil) == 0)
    }
}
