import Foundation
import Model
import Records
import StageKit

/// A prompt as this model reads it.
package struct ReadPrompt: Sendable {
    package let prompt: Prompt
    /// −1 − i stands for the image's token i.
    package let tokens: [Int32]
    /// The file of the image, resolved.
    package let image: String?
}

/// Turns records into prompts for a model: image found, text tokenised, length checked.
package struct PromptReader {
    private let model: VisionLanguageModel
    private let images: ImageOptions

    package init(model: VisionLanguageModel, images: ImageOptions) {
        self.model = model
        self.images = images
    }

    /// - Throws: `RecordError`, `StageError` or `PromptError`, all about this record.
    package func read(_ input: InputRecord) throws -> ReadPrompt {
        let prompt = try Prompt(input.record)
        let image = try prompt.image.map { try images.resolve($0) }
        let encoded = try model.encode(
            prompt: prompt.prompt, history: prompt.history.texts,
            picture: try image.map { try model.shape(at: $0) })
        return ReadPrompt(prompt: prompt, tokens: encoded.prompt, image: image)
    }
}

/// Tokens as text, for `--dump-tokens`: position, piece, id, and whether the token is learned.
package struct TokenDump {
    private let model: VisionLanguageModel

    package init(_ model: VisionLanguageModel) { self.model = model }

    /// - Parameter learned: tokens after the prompt, which carry labels.
    package func text(of prompt: [Int32], learned: [Int32] = [], id: String) -> String {
        var lines = ["\(id): \(prompt.count + learned.count) tokens, \(learned.count) with a label"]
        for (position, token) in (prompt + learned).enumerated() {
            let isImage = token < 0
            let piece = isImage ? "<image \(-1 - Int(token))>" : model.tokenizer.pieces([token])[0]
            let number = isImage ? "-" : String(token)
            lines.append(
                "\(position)\t\(piece.debugDescription)\t\(number)\t\(position < prompt.count ? "-100" : number)"
            )
        }
        return lines.joined(separator: "\n")
    }
}
