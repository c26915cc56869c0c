import Checkpoint
import Foundation
import Model
import Preference
import Records
import Training

/// A trained reward model on the policy that it was trained on.
package final class RewardModel {
    private let grader: Grader
    private let trainer: RewardTrainer
    private let features: ImageFeatures
    package let config: RewardConfig

    package static func head(in folder: URL) -> URL {
        folder.appendingPathComponent("reward_head.safetensors")
    }

    /// Attaches the adapter of `folder` to `model`, which scores from then on and is no policy any more.
    ///
    /// - Throws: `CheckpointError` where files are missing, or made for another model.
    package init(folder: URL, on model: VisionLanguageModel) throws {
        config = try RewardConfig(folder: folder)
        guard config.baseDigest == model.digest else {
            throw CheckpointError(
                folder.path,
                "it was trained on the model with digest \(config.baseDigest.prefix(12))…, not on "
                    + "\(model.digest.prefix(12))…",
                "give the --model and --adapter that it was trained on")
        }
        let decoder = model.llava.decoder
        try decoder.attach(PEFTAdapter.read(folder, expecting: model.digest), from: folder.path)
        let head = try RewardHead(Self.head(in: folder), width: decoder.config.hiddenSize)
        trainer = RewardTrainer(decoder, head)
        grader = Grader(model, config.prompt, showsFacts: config.showsFacts)
        features = ImageFeatures(model)
    }

    /// A score for each answer, and its tokens with the end token.
    ///
    /// - Parameter image: the picture's file.
    /// - Throws: `PromptError`, `ImageError`, both about this record.
    package func scores(of answers: [String], to prompt: Prompt, image: String?) throws -> [(
        Double, tokens: Int
    )] {
        let read = try grader.conversation(about: prompt, answers: answers, hasImage: image != nil)
        let picture = try image.map { try features.features(of: [$0])[0] }
        let example = GradedExample(
            id: prompt.id, prompt: read.prompt, features: picture, answers: read.graded())
        return zip(trainer.scores([example])[0], read.answers).map { ($0, $1.count) }
    }
}
