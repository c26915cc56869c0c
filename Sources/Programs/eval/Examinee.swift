import Decoding
import Foundation
import Kernels
import Model
import ModelOptions
import StageKit

/// A model that answers greedily, with some tokens made likelier or less likely. Everything asked about one picture is a child of one root, and no question
/// is asked twice.
final class Examinee {
    struct Request {
        /// `file:line`, for messages.
        let place: String
        let image: String
        let prompt: String
        let maxTokens: Int
    }

    private struct Key: Hashable {
        let image: String
        let prompt: [UInt8]
        let maxTokens: Int
    }

    let model: VisionLanguageModel
    private let images: ImageOptions
    private let cache: PictureCache
    private let batch: Int
    private let memory: Int
    private let sampler: Sampler
    private var known: [Key: String] = [:]

    /// - Parameters:
    ///   - batch: pictures worked on together.
    ///   - memory: bytes of keys and values at most.
    ///   - bias: added to the logits of tokens.
    init(
        _ model: VisionLanguageModel, _ images: ImageOptions, batch: Int, memory: Int, bias: [Int32: Float]
    ) {
        sampler = Sampler(temperature: 0, bias: bias)
        self.model = model
        self.images = images
        self.batch = batch
        self.memory = memory
        cache = PictureCache(model)
    }

    /// - Returns: an answer per request, trimmed.
    /// - Throws: `StageError` naming the place of what this model can't be asked.
    func answer(_ requests: [Request], _ run: StageRun) throws -> [String] {
        let interviews = try prepare(requests)
        let progress = run.progress(total: interviews.count, unit: "pictures")
        let answerer = Answerer(
            model: model.decoder, stops: model.stops, sampler: sampler, memory: memory,
            slots: slots(interviews))
        for start in stride(from: 0, to: interviews.count, by: batch) {
            let some = interviews[start..<min(interviews.count, start + batch)]
            try ask(Array(some), answerer)
            progress.advance(by: some.count)
        }
        progress.finish()
        return requests.map { known[Self.key($0)] ?? "" }
    }

    private static func key(_ request: Request) -> Key {
        Key(image: request.image, prompt: Array(request.prompt.utf8), maxTokens: request.maxTokens)
    }

    /// What is still to be asked about one picture.
    private struct Interview {
        let id: String
        let path: String
        let root: [Int32]
        var questions: [QuestionGroup.Question] = []
        var keys: [Key] = []
    }

    private func prepare(_ requests: [Request]) throws -> [Interview] {
        var interviews: [Interview] = []
        var indices: [[Int32]: [String: Int]] = [:]
        var seen = Set(known.keys)
        for request in requests where seen.insert(Self.key(request)).inserted {
            do {
                let path = try images.resolve(request.image)
                let encoded = try model.encode(prompt: request.prompt, picture: model.shape(at: path))
                try model.checkLength(
                    of: encoded.prompt, ["longest answer": request.maxTokens],
                    remedy: "lower --caption-tokens, --long-tokens or --answer-tokens")
                // The root ends with the picture: what follows differs from question to question.
                let root = Array(encoded.prompt[..<encoded.pictureEnd])
                var index = indices[root]?[request.image]
                if index == nil {
                    interviews.append(
                        Interview(id: request.place, path: path, root: root))
                    indices[root, default: [:]][request.image] = interviews.count - 1
                    index = interviews.count - 1
                }
                guard let index else { continue }
                interviews[index].questions.append(
                    .init(tokens: Array(encoded.prompt[encoded.pictureEnd...]), maxTokens: request.maxTokens))
                interviews[index].keys.append(Self.key(request))
            } catch { throw StageError.failed("\(request.place): \(error)") }
        }
        return interviews
    }

    private func slots(_ interviews: [Interview]) -> Int {
        stride(from: 0, to: interviews.count, by: batch).map { start in
            interviews[start..<min(interviews.count, start + batch)].reduce(0) { sum, interview in
                interview.questions.reduce(sum + interview.root.count) { $0 + $1.tokens.count + $1.maxTokens }
            }
        }.max() ?? 0
    }

    private func ask(_ interviews: [Interview], _ answerer: Answerer) throws {
        let shown: [Picture?]
        do { shown = try cache.pictures(at: interviews.map(\.path)) } catch {
            throw StageError.failed("\(error)")
        }
        let groups = zip(interviews, shown).map { interview, picture in
            QuestionGroup(
                id: interview.id, root: interview.root, picture: picture, questions: interview.questions)
        }
        for (interview, texts) in zip(interviews, try answerer.answer(groups)) {
            for (key, ids) in zip(interview.keys, texts) {
                known[key] = model.tokenizer.decode(ids, skipSpecialTokens: true)
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }
        }
    }
}
