import Foundation
import Model
import OracleFixtures
import Records
import RewardModels
import Rewards
import Testing

@Suite struct GraderTests {
    private static let record = Prompt(
        id: "p", prompt: "What?",
        facts: ["one", "two", "three", "four"].map { Prompt.Fact(kind: "caption", text: $0) })

    private let model: VisionLanguageModel
    private let prompt: GradingPrompt

    init() throws {
        model = try VisionLanguageModel(directory: Oracle.root.appendingPathComponent("llava-grouped"))
        prompt = try GradingPrompt("{#facts}{facts}\n{/facts}Good?{reply}It is", place: "f")
    }

    /// What is read is the conversation as text: question, answer, end, grading turn, beginning of the reply.
    @Test func theGradingTurnFollowsTheEndToken() throws {
        let read = try Grader(model, prompt, showsFacts: true)
            .conversation(about: Self.record, answers: ["A cat", "Two"], picture: nil)
        let ids = read.prompt + read.graded()[0]
        let end = try #require(ids.firstIndex(of: model.end))
        let after = model.tokenizer.encode(
            model.tokenizer.pieces([model.end])[0]
                + "USER:   - one\n  - two\n  - three\n  - four\nGood? ASSISTANT: It is")
        #expect(Array(ids[end...]) == after)
        #expect(read.answers.map(\.last) == [model.end, model.end])
    }

    @Test func factsAreShuffledBySeedRecordAndEpoch() throws {
        let grader = Grader(model, prompt, showsFacts: true)
        func turns(_ id: String, seed: UInt64) throws -> [[Int32]] {
            var record = Self.record
            record.id = id
            let read = try grader.conversation(
                about: record, answers: ["A cat"], picture: nil, orders: 6, seed: seed)
            return (0..<6).map { read.graded(order: $0)[0] }
        }
        let once = try turns("p", seed: 1)
        #expect(Set(once).count > 1)
        #expect(try turns("p", seed: 1) == once)
        #expect(try turns("p", seed: 2) != once)
        #expect(try turns("q", seed: 1) != once)
        let sorted = once.map { $0.sorted() }
        #expect(Set(sorted).count == 1, "an order is no more than an order")
    }

    @Test func withoutFactsTheSectionIsGone() throws {
        func tokens(_ showsFacts: Bool) throws -> Int {
            try Grader(model, prompt, showsFacts: showsFacts)
                .conversation(about: Self.record, answers: ["A cat"], picture: nil).graded()[0].count
        }
        #expect(try tokens(false) < tokens(true))
    }

    @Test func whatIsTooLongIsRefusedWithItsNumbers() throws {
        var record = Self.record
        record.facts = Array(repeating: Prompt.Fact(kind: "caption", text: "one two three"), count: 60)
        let error = #expect(throws: PromptError.self) {
            try Grader(model, prompt, showsFacts: true)
                .conversation(about: record, answers: ["A cat"], picture: nil)
        }
        #expect(error?.description.contains("grading turn") ?? false)
        #expect(error?.description.contains("the model reads 256") ?? false)
    }
}

@Suite struct RewardConfigTests {
    @Test func isReadAsItWasWritten() throws {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID())")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        #expect(throws: (any Error).self) { try RewardConfig(folder: folder) }
        let prompt = try GradingPrompt("{#facts}{facts}{/facts}\nGood?{reply}\"It\" is", place: "f")
        try RewardConfig(baseDigest: "d", promptID: "f@1", prompt: prompt, showsFacts: false)
            .write(to: folder)
        let read = try RewardConfig(folder: folder)
        #expect((read.baseDigest, read.promptID, read.showsFacts) == ("d", "f@1", false))
        #expect(read.prompt == prompt)
    }
}
