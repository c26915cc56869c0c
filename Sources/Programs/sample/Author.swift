import Decoding
import Foundation
import Kernels
import Model
import ModelOptions
import Records
import Relevance
import StageKit

/// Grows the answers of a batch of records and writes them down as sentences and paths.
final class Author {
    private let model: VisionLanguageModel
    private let plan: GrowthPlan
    private let steering: TreeSteering?
    /// What steers sees of the records.
    private let view: RewardView
    private let images: ImageOptions
    private let maxCharacters: Int?
    private let memory: Int
    private let mode: String
    private let pictures: PictureCache
    private var grower: Grower?

    /// - Parameter maxCharacters: of prompt and answer together.
    init(
        model: VisionLanguageModel, plan: GrowthPlan, steering: TreeSteering?, view: RewardView,
        images: ImageOptions, maxCharacters: Int?, memory: Int, mode: String
    ) {
        (self.model, self.plan, self.steering, self.memory, self.mode) = (model, plan, steering, memory, mode)
        (self.view, self.images, self.maxCharacters) = (view, images, maxCharacters)
        pictures = PictureCache(model)
    }

    /// A result per record. What is wrong with one record doesn't touch the others.
    func answer(_ batch: [InputRecord], _ read: [Result<ReadPrompt, any Error>]) throws -> [RecordResult] {
        var results: [RecordResult?] = read.map {
            if case .failure(let error) = $0 { .bad(error) } else { nil }
        }
        var requests: [Request] = []
        for (index, result) in read.enumerated() {
            guard case .success(let prompt) = result else { continue }
            do {
                let picture = try pictures.picture(at: prompt.image)
                let seen = try view.seen(batch[index])
                requests.append(
                    Request(
                        index: index, seen: seen, rewarded: try seen.picture(images),
                        sentences: sentences(of: prompt),
                        growth: GrowthRequest(
                            id: prompt.prompt.id, tokens: prompt.tokens, picture: picture)))
            } catch { results[index] = .bad(error) }
        }
        let grower = suitableGrower(requests.map(\.growth))
        let grown = try grower.grow(requests.map(\.growth)) { index, nodes, fresh in
            guard let steering else { return [] }
            requests[index].sentences.grow(to: nodes)
            return try steering.keep(
                fresh, of: requests[index].sentences, scored: &requests[index].scored,
                image: requests[index].rewarded)
        }
        for (var request, nodes) in zip(requests, grown) {
            request.sentences.grow(to: nodes)
            results[request.index] =
                Result {
                    var record = try record(batch[request.index], request.sentences)
                    if steering != nil { request.seen.note(in: &record) }
                    return record
                }.recordResult
        }
        return results.compactMap { $0 }
    }

    private struct Request {
        /// Within the batch.
        let index: Int
        let seen: RewardView.Seen
        /// The picture that rewards look at.
        let rewarded: PictureFile?
        /// What was grown so far.
        var sentences: Sentences
        /// The same with the scores that steer.
        var scored: [SentenceNode] = []
        let growth: GrowthRequest
    }

    private func suitableGrower(_ requests: [GrowthRequest]) -> Grower {
        let longest = requests.map(\.tokens.count).max() ?? 0
        if let grower, grower.suffices(longestPrompt: longest, records: requests.count) { return grower }
        // The old cache goes before the new one comes.
        grower = nil
        let made = Grower(
            model: model.decoder, plan: plan, memory: memory, longestPrompt: longest,
            records: requests.count)
        grower = made
        return made
    }

    private func sentences(of prompt: ReadPrompt) -> Sentences {
        guard let maxCharacters else { return Sentences(model) }
        let asked = model.text(
            prompt: prompt.prompt.prompt, history: prompt.prompt.history.texts, hasImage: prompt.image != nil)
        return Sentences(model, maxCharacters: maxCharacters - asked.unicodeScalars.count)
    }

    private func record(_ input: InputRecord, _ sentences: Sentences) throws -> Record {
        var record = input.record
        let candidates = try sentences.answers(plan).enumerated().map { number, answer in
            Candidate(
                id: "c\(number)", path: answer.path, text: answer.text, draw: try draw(of: answer.sampler))
        }
        let sample = Sample(
            nodes: sentences.nodes, candidates: candidates, tokenizer: model.tokenizer.digest)
        try sample.write(into: &record)
        return record
    }

    private func draw(of index: Int) throws -> Draw {
        if let beams = plan.beams {
            return try Draw(
                mode: mode,
                other: [
                    ("group", .int(index)), ("groups", .int(plan.samplers.count)),
                    ("diversity_penalty", try .double(beams.penalty)),
                    ("length_penalty", try .double(beams.lengthPenalty)),
                ])
        }
        let sampler = plan.samplers[index]
        return try Draw(
            mode: mode, temperature: sampler.temperature, seed: plan.seed,
            other: [("top_k", .int(sampler.topK)), ("top_p", try .double(sampler.topP))])
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
