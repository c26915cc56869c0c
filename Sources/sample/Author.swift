import Decoding
import Foundation
import Kernels
import Model
import ModelOptions
import Records
import StageKit

/// Grows the answers of a batch of records and writes them down as sentences and paths.
final class Author {
    private let model: VisionLanguageModel
    private let plan: GrowthPlan
    private let steering: TreeSteering?
    private let memory: Int
    private let mode: String
    private let features: ImageFeatures
    private var grower: Grower?

    init(model: VisionLanguageModel, plan: GrowthPlan, steering: TreeSteering?, memory: Int, mode: String) {
        (self.model, self.plan, self.steering, self.memory, self.mode) = (model, plan, steering, memory, mode)
        features = ImageFeatures(model)
    }

    /// A result per record. What is wrong with one record doesn't touch the others.
    func answer(_ batch: [InputRecord], _ read: [Result<ReadPrompt, any Error>]) throws -> [RecordResult] {
        var results: [RecordResult?] = read.map {
            if case .failure(let error) = $0 { .bad(error) } else { nil }
        }
        var requests: [(index: Int, prompt: ReadPrompt, growth: GrowthRequest)] = []
        // Requests point into the pictures' features, which the cache may drop meanwhile.
        var pictures: [Buffer] = []
        for (index, result) in read.enumerated() {
            guard case .success(let prompt) = result else { continue }
            do {
                let picture = try prompt.image.map { try features.features(of: [$0])[0] }
                pictures += picture.map { [$0] } ?? []
                requests.append((index, prompt, request(prompt, picture)))
            } catch { results[index] = .bad(error) }
        }
        let grower = suitableGrower(requests.map(\.growth))
        let grown = try withExtendedLifetime(pictures) {
            try grower.grow(requests.map(\.growth)) { request, nodes, fresh in
                guard let steering else { return [] }
                let sentences = Sentences(nodes, model)
                return try steering.keep(
                    record: request, image: requests[request].prompt.image, sentences, fresh)
            }
        }
        for (request, nodes) in zip(requests, grown) {
            results[request.index] = Result { try record(batch[request.index], nodes) }.recordResult
        }
        return results.compactMap { $0 }
    }

    private func suitableGrower(_ requests: [GrowthRequest]) -> Grower {
        let longest = requests.map(\.tokens.count).max() ?? 0
        if let grower, grower.suffices(longestPrompt: longest, records: requests.count) { return grower }
        // The old cache goes before the new one comes.
        grower = nil
        let made = Grower(
            model: model.llava.decoder, plan: plan, memory: memory, longestPrompt: longest,
            records: requests.count)
        grower = made
        return made
    }

    private func request(_ prompt: ReadPrompt, _ picture: Buffer?) -> GrowthRequest {
        let (rows, width) = (model.llava.tokensPerImage, model.llava.config.text.hiddenSize)
        return GrowthRequest(
            id: prompt.prompt.id, tokens: prompt.tokens,
            features: picture.map { $0.matrix(rows: rows, columns: width) })
    }

    private func record(_ input: InputRecord, _ nodes: [GrownNode]) throws -> Record {
        let sentences = Sentences(nodes, model)
        var record = input.record
        let candidates = try sentences.answers(plan).enumerated().map { number, answer in
            let sampler = plan.samplers[answer.sampler]
            let draw = try Draw(
                mode: mode, temperature: sampler.temperature, seed: plan.seed,
                other: [("top_k", .int(sampler.topK)), ("top_p", try .double(sampler.topP))])
            return Candidate(id: "c\(number)", path: answer.path, text: answer.text, draw: draw)
        }
        let sample = Sample(
            nodes: sentences.nodes, candidates: candidates, tokenizer: model.tokenizer.digest)
        try sample.write(into: &record)
        return record
    }
}

extension Result where Success == Record {
    fileprivate var recordResult: RecordResult {
        switch self {
        case .success(let record): .record(record)
        case .failure(let error): .bad(error)
        }
    }
}
