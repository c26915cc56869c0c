import Checkpoint
import Files
import Foundation
import JSON
import Records
import Rewards

/// `reward_config.json`: what besides adapter and head a reward model is.
package struct RewardConfig {
    /// Of the model under the adapter.
    package var baseDigest: String
    /// The prompt's name and digest.
    package var promptID: String
    package var prompt: GradingPrompt
    package var showsFacts: Bool
    /// Whose picture it was trained to look at: `own`, or of a control `other`.
    package var picture: String

    package init(
        baseDigest: String, promptID: String, prompt: GradingPrompt, showsFacts: Bool, picture: String = "own"
    ) {
        (self.baseDigest, self.promptID) = (baseDigest, promptID)
        (self.prompt, self.showsFacts, self.picture) = (prompt, showsFacts, picture)
    }

    private static func file(in folder: URL) -> URL { folder.appendingPathComponent("reward_config.json") }

    /// - Throws: `CheckpointError`.
    package init(folder: URL) throws {
        let file = Self.file(in: folder)
        guard let bytes = try? Data(contentsOf: file) else {
            throw CheckpointError(file.path, "it can't be read", "give a folder that reward-train wrote")
        }
        do {
            let object = try JSONObject(parsing: ArraySlice(bytes))
            baseDigest = try object.requiredString("base_digest")
            promptID = try object.requiredString("prompt_id")
            prompt = try GradingPrompt(try object.requiredString("prompt"), place: "key prompt")
            showsFacts = try object.requiredBool("facts")
            picture = try object.string("picture") ?? "own"
        } catch { throw CheckpointError(file.path, "\(error)", "train the reward model again") }
    }

    package func write(to folder: URL) throws {
        var object = JSONObject()
        object.set("base_digest", .string(baseDigest))
        object.set("prompt_id", .string(promptID))
        object.set("prompt", .string(prompt.text))
        object.set("facts", .bool(showsFacts))
        object.set("picture", .string(picture))
        try AtomicFile.write(object.bytes + [UInt8(ascii: "\n")], to: Self.file(in: folder).path)
    }
}
