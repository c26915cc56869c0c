import Imaging
import Kernels
import Model
import Random
import Records
import Rewards

/// What a model reads when it grades answers: the conversation up to each answer's end, then the turn that asks
/// for its grade, up to the word at which the score is read.
package struct Grader {
    package let model: VisionLanguageModel
    private let prompt: GradingPrompt
    private let showsFacts: Bool

    package init(_ model: VisionLanguageModel, _ prompt: GradingPrompt, showsFacts: Bool) {
        (self.model, self.prompt, self.showsFacts) = (model, prompt, showsFacts)
    }

    package struct Conversation: Sendable {
        /// −1 − i stands for the image's token i.
        package let prompt: [Int32]
        /// With the end token.
        package let answers: [[Int32]]
        /// One for every order of the facts.
        private let turns: [[Int32]]

        fileprivate init(_ encoded: EncodedPrompt, turns: [[Int32]]) {
            (prompt, answers, self.turns) = (encoded.prompt, encoded.answers, turns)
        }

        /// The answers, each with its grading turn, facts in their `order`th order.
        package func graded(order: Int = 0) -> [[Int32]] {
            answers.map { $0 + turns[order % turns.count] }
        }

        fileprivate var longest: (answer: Int, turn: Int) {
            (answers.map(\.count).max() ?? 0, turns.map(\.count).max() ?? 0)
        }
    }

    /// Facts as the record has them.
    ///
    /// - Throws: `PromptError` where that is more than the model reads, with the numbers.
    package func conversation(about record: Prompt, answers: [String], picture: PictureShape?) throws
        -> Conversation
    {
        try conversation(record, answers, picture, orders: [facts(of: record)])
    }

    /// Facts in `count` orders, which depend on `seed`, the record's id and their number alone.
    package func conversation(
        about record: Prompt, answers: [String], picture: PictureShape?, orders count: Int, seed: UInt64
    ) throws -> Conversation {
        let facts = facts(of: record)
        let orders = (0..<(facts.count > 1 ? count : 1)).map { order in
            var generator = SplitMix64(seed: seed, key: record.id, index: UInt64(order))
            return facts.shuffled(using: &generator)
        }
        return try conversation(record, answers, picture, orders: orders)
    }

    private func facts(of record: Prompt) -> [String] { showsFacts ? record.facts.map(\.text) : [] }

    private func conversation(
        _ record: Prompt, _ answers: [String], _ picture: PictureShape?, orders: [[String]]
    ) throws -> Conversation {
        let encoded = try model.encode(
            prompt: record.prompt, history: record.history.texts, picture: picture, answers: answers)
        let conversation = Conversation(
            encoded,
            turns: try orders.map {
                try model.encodeTurn(prompt.question(facts: $0), reply: prompt.reply)
            })
        let (answer, turn) = conversation.longest
        try model.checkLength(
            of: encoded.prompt, ["longest answer": answer, "grading turn": turn],
            remedy: "give a shorter prompt, fewer facts or shorter answers")
        return conversation
    }
}
