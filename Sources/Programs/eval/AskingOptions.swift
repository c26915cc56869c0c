import ArgumentParser
import Model
import ModelOptions
import StageKit

/// How a model is asked yes/no questions, and how much is worked on at once.
struct AskingOptions: ParsableArguments {
    /// Those that change no byte of the result.
    static let immaterial: Set<String> = ["batch", "memory"]

    @Option(help: "Maximum tokens per answer to a yes/no question.") var answerTokens = 8
    @Option(help: ArgumentHelp("Text appended to every yes/no question.", valueName: "text"))
    var suffix: String?
    @Option(help: "Batch size, in pictures.") var batch = 64

    func validate() throws {
        for (name, count) in [("answer-tokens", answerTokens), ("batch", batch)] where count < 1 {
            throw ValidationError("--\(name) \(count): give a number from 1")
        }
    }

    func examinee(
        _ model: VisionLanguageModel, _ images: ImageOptions, bias: [Int32: Float] = [:],
        contrasting: Examinee.Contrasting? = nil, seed: UInt64 = 0, _ computing: ComputeOptions
    ) throws -> Examinee {
        let memory = try computing.planDecoding(model)
        return Examinee(
            model, images, batch: batch, memory: memory, bias: bias, contrasting: contrasting, seed: seed)
    }

    /// A yes/no question as the model gets it.
    func request(_ question: String, image: String, place: String) -> Examinee.Request {
        Examinee.Request(
            place: place, image: image, prompt: question + (suffix ?? ""), maxTokens: answerTokens)
    }
}
