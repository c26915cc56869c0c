import Checkpoint
import Foundation
import Imaging
import Model
import Records
import Training

/// A trained reward model on the policy that it was trained on.
package final class RewardModel {
    private let grader: Grader
    private let reader: GroupTrainer<RewardLoss>
    private let pictures: PictureCache
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
                "give the model and adapter that it was trained on")
        }
        let decoder = model.decoder
        try decoder.attach(PEFTAdapter.read(folder, expecting: model.digest), from: folder.path)
        let head = try RewardHead(Self.head(in: folder), width: decoder.config.hiddenSize)
        reader = GroupTrainer(decoder, RewardLoss(), head: head)
        grader = Grader(model, config.prompt, showsFacts: config.showsFacts)
        pictures = PictureCache(model)
    }

    /// What is read of `answers`, which says whether they can be scored.
    ///
    /// - Throws: `PromptError`, about this record.
    package func conversation(
        about prompt: Prompt, answers: [String], picture: PictureShape?
    ) throws -> Grader.Conversation {
        try grader.conversation(about: prompt, answers: answers, picture: picture)
    }

    /// - Throws: `ImageError`, about this record.
    package func shape(at image: String) throws -> PictureShape { try pictures.model.shape(at: image) }

    /// A score for each answer.
    ///
    /// - Parameter image: the picture's file.
    /// - Throws: `ImageError`, about this record.
    package func scores(of conversation: Grader.Conversation, id: String, image: String?) throws -> [Double] {
        let example = GradedExample(
            id: id, prompt: conversation.prompt,
            picture: try pictures.picture(at: image), answers: conversation.graded())
        return reader.read([example])[0].map { $0[0] }
    }
}
