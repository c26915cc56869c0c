import ArgumentParser
import Foundation
import JSON
import Model
import ModelOptions
import Records
import RewardModels
import Rewards
import StageKit

/// Options of `calibrate --reward`.
struct RewardOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Score answers with this reward model, as reward-train writes it.", valueName: "folder"))
    var reward: String?
    @Option(
        help: "Reward for the right answer to a question whose answer is known (an option letter, or \"no\")."
    )
    var correctReward = 0.0
    @Option(help: "Penalty for an answer of --length-limit tokens; shorter ones pay in proportion.")
    var lengthPenalty = 0.0
    @Option(help: "Answer length, in tokens, at which the full length penalty applies.") var lengthLimit = 896
    @Option(help: "Penalty for an answer that was cut off before its end token.") var unfinishedPenalty = 0.0

    func validate() throws {
        if lengthLimit < 1 { throw ValidationError("--length-limit \(lengthLimit): give a number from 1") }
    }

    var symbolic: SymbolicReward {
        SymbolicReward(
            correct: correctReward, length: lengthPenalty, lengthLimit: lengthLimit,
            unfinished: unfinishedPenalty)
    }
}

/// Scores whole answers by a reward model and by what needs no model.
struct RewardScoring {
    private let model: RewardModel
    private let digest: String
    private let symbolic: SymbolicReward
    private let images: ImageOptions
    private let view: RewardView

    init(
        folder: String, on policy: VisionLanguageModel, _ symbolic: SymbolicReward, _ images: ImageOptions,
        _ view: RewardView, _ run: StageRun
    ) throws {
        digest = try run.addModel(folder, role: "reward")
        model = try RewardModel(folder: URL(fileURLWithPath: folder), on: policy)
        (self.symbolic, self.images, self.view) = (symbolic, images, view)
    }

    /// A record with what is read of those of its answers that have words; the others get no score.
    struct Work {
        let seen: RewardView.Seen
        var sample: Sample
        let image: String?
        let spoken: [Int]
        let conversation: Grader.Conversation
    }

    /// - Throws: `RecordError`, `PromptError`, `ImagePathError`, `ImageError`, all about this record.
    func read(_ input: InputRecord) throws -> Work {
        let seen = try view.seen(input)
        let prompt = seen.prompt
        let sample = try Sample(input.record)
        let spoken = sample.candidates.indices.filter { sample.candidates[$0].hasWords }
        let image = try prompt.image.map { try images.resolve($0) }
        let conversation = try model.conversation(
            about: prompt, answers: spoken.map { sample.candidates[$0].text },
            picture: try image.map { try model.shape(at: $0) })
        return Work(seen: seen, sample: sample, image: image, spoken: spoken, conversation: conversation)
    }

    /// - Throws: as `read`, and `ImageError`.
    func score(_ input: InputRecord) throws -> Record {
        var work = try read(input)
        let scores = try model.scores(of: work.conversation, id: input.id, image: work.image)
        for ((index, tokens), score) in zip(zip(work.spoken, work.conversation.answers), scores) {
            let candidate = work.sample.candidates[index]
            let symbols = symbolic.value(
                candidate.text, answer: work.seen.prompt.answer, tokens: tokens.count,
                isFinished: work.sample.sentences(of: candidate).last.map { $0.end == .stop })
            work.sample.candidates[index].scores[ScoreName.graded] = score
            work.sample.candidates[index].scores[ScoreName.reward] = score + symbols
        }
        var record = input.record
        try work.sample.write(into: &record)
        work.seen.note(in: &record)
        var note = try record.object("calibration") ?? JSONObject()
        note.set("mode", .string(model.config.showsFacts ? "facts" : "no-facts"))
        note.set("reward", .string(digest))
        note.set("prompt", .string(model.config.promptID))
        record.set("calibration", .object(note))
        return record
    }
}
