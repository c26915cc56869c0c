import Decoding
import Kernels
import Model
import Preference
import Records
import StageKit

/// Asks a model about pairs of answers, those of many records in one pool, and reads its verdicts.
final class Critic {
    /// One order of one pair of answers, as tokens.
    struct Question {
        let order: [String]
        let tokens: [Int32]
    }

    private let model: VisionLanguageModel
    /// What a verdict's `critic` says.
    private let name: String
    private let prompt: CriticPrompt
    private let images: ImageOptions
    private let maxPairs: Int
    private let reading: VerdictReading
    private let plan: GrowthPlan
    private let memory: Int
    private let features: ImageFeatures

    init(
        name: String, model: VisionLanguageModel, prompt: CriticPrompt, images: ImageOptions, maxPairs: Int,
        reading: VerdictReading, maxTokens: Int, memory: Int
    ) {
        self.name = name
        (self.model, self.prompt, self.images, self.maxPairs) = (model, prompt, images, maxPairs)
        (self.reading, self.memory) = (reading, memory)
        // Greedy: nothing is drawn, so the seed doesn't matter.
        plan = GrowthPlan(samplers: [.greedy], stops: model.stops, maxTokens: maxTokens, seed: 0)
        features = ImageFeatures(model)
    }

    /// Both orders of each pair that is judged; none where there aren't two different answers.
    ///
    /// - Throws: `RecordError`, `PromptError`, `StageError`, all about this record.
    func questions(about input: InputRecord) throws -> (image: String?, questions: [Question]) {
        let asked = try Prompt(input.record)
        let sample = try Sample(input.record)
        let image = try asked.image.map { try images.resolve($0) }
        let pairs = Self.pairs(of: sample.candidates).prefix(maxPairs)
        let questions = try pairs.flatMap { [$0, ($0.1, $0.0)] }.map { first, second in
            let text = try prompt.text(about: asked, (first.text, second.text))
            let encoded = try model.encode(prompt: text, hasImage: image != nil)
            guard encoded.prompt.count + plan.maxTokens <= model.llava.config.text.maxPositionEmbeddings
            else {
                throw RecordError.invalid(
                    key: "candidates", found: "too long to ask about (\(encoded.prompt.count) tokens)",
                    remedy: "draw shorter answers, or lower --max-tokens")
            }
            return Question(order: [first.id, second.id], tokens: encoded.prompt)
        }
        return (image, questions)
    }

    private static func pairs(of candidates: [Candidate]) -> [(Candidate, Candidate)] {
        candidates.indices.flatMap { i in
            candidates[(i + 1)...].compactMap { other in
                candidates[i].text.utf8.elementsEqual(other.text.utf8) ? nil : (candidates[i], other)
            }
        }
    }

    /// A result per record; what is wrong with one doesn't touch the others.
    func judge(_ batch: [InputRecord]) throws -> [RecordResult] {
        var results: [RecordResult?] = batch.map { _ in nil }
        var requests: [(record: Int, question: Question, growth: GrowthRequest)] = []
        // Requests point into the pictures' features, which the cache may drop meanwhile.
        var pictures: [Buffer] = []
        for (index, input) in batch.enumerated() {
            do {
                let (image, questions) = try questions(about: input)
                let picture = try questions.isEmpty ? nil : image.map { try features.features(of: [$0])[0] }
                pictures += picture.map { [$0] } ?? []
                requests += questions.map { (index, $0, request($0, of: input.id, picture)) }
                if questions.isEmpty {
                    results[index] = .records([input.record], dropped: ["no two different answers": 1])
                }
            } catch { results[index] = .bad(error) }
        }
        let grower = Grower(
            model: model.llava.decoder, plan: plan, memory: memory,
            longestPrompt: requests.map(\.growth.tokens.count).max() ?? 0, records: requests.count)
        let grown = try withExtendedLifetime(pictures) {
            try grower.grow(requests.map(\.growth)) { _, _, _ in [] }
        }
        var verdicts: [Int: [Records.Verdict]] = [:]
        for (request, nodes) in zip(requests, grown) {
            verdicts[request.record, default: []].append(verdict(request.question, nodes[0]))
        }
        for (index, verdicts) in verdicts {
            var record = batch[index].record
            try record.append(verdicts)
            results[index] = .record(record)
        }
        return results.compactMap { $0 }
    }

    private func request(_ question: Question, of id: String, _ picture: Buffer?) -> GrowthRequest {
        let (rows, width) = (model.llava.tokensPerImage, model.llava.config.text.hiddenSize)
        return GrowthRequest(
            id: id, tokens: question.tokens, features: picture.map { $0.matrix(rows: rows, columns: width) })
    }

    private func verdict(_ question: Question, _ node: GrownNode) -> Records.Verdict {
        let tokens = node.end == .stop ? Array(node.tokens.dropLast()) : node.tokens
        return Records.Verdict(
            critic: name, order: question.order, raw: model.tokenizer.decode(tokens), reading: reading)
    }
}
