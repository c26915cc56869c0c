import Decoding
import Imaging
import Kernels
import Model
import ModelOptions
import Pairing
import Records
import StageKit

/// In which orders a pair of answers is shown.
enum AnswerOrder: String, CaseIterable {
    case both
    /// One order, as in SIMA's release: the drawn answer is the first, the greedy one the second.
    case sampledFirst = "sampled-first"
}

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
    private let view: RewardView
    private let order: AnswerOrder
    private let maxPairs: Int
    private let reading: VerdictReading
    private let plan: GrowthPlan
    private let memory: Int
    private let pictures: PictureCache
    /// Verdicts that were asked for, and those of them that were cut off before they could be read.
    private(set) var asked = 0
    private(set) var cut = 0
    /// Pairs that were left out for their length.
    private(set) var tooLong = 0

    init(
        name: String, model: VisionLanguageModel, prompt: CriticPrompt, images: ImageOptions,
        view: RewardView, order: AnswerOrder, maxPairs: Int, reading: VerdictReading, maxTokens: Int,
        memory: Int
    ) {
        self.name = name
        (self.model, self.prompt, self.images, self.view) = (model, prompt, images, view)
        (self.order, self.maxPairs, self.reading, self.memory) = (order, maxPairs, reading, memory)
        // Greedy: nothing is drawn, so the seed doesn't matter.
        plan = GrowthPlan(samplers: [.greedy], stops: model.stops, maxTokens: maxTokens, seed: 0)
        pictures = PictureCache(model)
    }

    /// What is asked about one record.
    struct Inquiry {
        let seen: RewardView.Seen
        /// The file of the image that the critic sees.
        let image: String?
        let questions: [Question]
        /// Pairs that the critic can't read.
        let tooLong: Int
    }

    /// Each pair that is judged, in the orders it is asked in; none where there aren't two different answers, or none
    /// that the critic can read both of and have tokens left to answer with.
    ///
    /// - Throws: `RecordError`, `PromptError`, `StageError`, `NoOtherPicture`, all about this record.
    func inquiry(about input: InputRecord) throws -> Inquiry {
        let seen = try view.seen(input)
        let asked = seen.prompt
        try input.record.checkThatNothingWasSaidBefore(reader: "a critic")
        let sample = try Sample(input.record)
        let image = try asked.image.map { try images.resolve($0) }
        let picture = try image.map { try model.shape(at: $0) }
        let pairs = Self.pairs(of: sample.candidates).prefix(maxPairs)
        let questions = try pairs.map { pair in
            try orders(of: pair).map { try question($0, $1, about: asked, picture) }
        }
        let readable = questions.map { $0.compactMap { $0 } }.filter { !$0.isEmpty }
        return Inquiry(
            seen: seen, image: image, questions: readable.flatMap { $0 },
            tooLong: questions.count - readable.count)
    }

    /// - Returns: nil where question and answer are longer than the model reads.
    private func question(
        _ first: Candidate, _ second: Candidate, about asked: Prompt, _ picture: PictureShape?
    ) throws -> Question? {
        let text = try prompt.text(about: asked, (first.text, second.text))
        do {
            let tokens = try model.encode(prompt: text, picture: picture).prompt
            try model.checkLength(
                of: tokens, ["longest verdict": plan.maxTokens], remedy: "lower --max-tokens")
            return Question(order: [first.id, second.id], tokens: tokens)
        } catch let error as PromptError where error.isTooLong { return nil }
    }

    private func orders(of pair: (Candidate, Candidate)) throws -> [(Candidate, Candidate)] {
        guard order == .sampledFirst else { return [pair, (pair.1, pair.0)] }
        switch (pair.0.isGreedy, pair.1.isGreedy) {
        case (true, false): return [(pair.1, pair.0)]
        case (false, true): return [pair]
        default:
            throw RecordError.invalid(
                key: "candidates",
                found: "\(pair.0.id) and \(pair.1.id), where exactly one must be greedy",
                remedy: "draw with sample --with-greedy --count 1, or ask in both orders")
        }
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
        var seen: [Int: RewardView.Seen] = [:]
        var dropped: [Int: [String: Int]] = [:]
        for (index, input) in batch.enumerated() {
            do {
                let asked = try inquiry(about: input)
                let questions = asked.questions
                let picture = try questions.isEmpty ? nil : pictures.picture(at: asked.image)
                requests += questions.map {
                    (index, $0, GrowthRequest(id: input.id, tokens: $0.tokens, picture: picture))
                }
                seen[index] = asked.seen
                tooLong += asked.tooLong
                if asked.tooLong > 0 { dropped[index] = ["longer than the critic reads": asked.tooLong] }
                if questions.isEmpty {
                    results[index] = .records(
                        [input.record], dropped: dropped[index] ?? ["no two different answers": 1])
                }
            } catch { results[index] = .bad(error) }
        }
        let grower = Grower(
            model: model.decoder, plan: plan, memory: memory,
            longestPrompt: requests.map(\.growth.tokens.count).max() ?? 0, records: requests.count)
        let grown = try grower.grow(requests.map(\.growth)) { _, _, _ in [] }
        var verdicts: [Int: [Records.Verdict]] = [:]
        for (request, nodes) in zip(requests, grown) {
            verdicts[request.record, default: []].append(verdict(request.question, nodes[0]))
        }
        for (index, verdicts) in verdicts {
            var record = batch[index].record
            try record.append(verdicts)
            seen[index]?.note(in: &record)
            results[index] = .records([record], dropped: dropped[index] ?? [:])
        }
        return results.compactMap { $0 }
    }

    private func verdict(_ question: Question, _ node: GrownNode) -> Records.Verdict {
        let tokens = node.end == .stop ? Array(node.tokens.dropLast()) : node.tokens
        let isCut = node.end == .length
        let verdict = Records.Verdict(
            critic: name, order: question.order, raw: model.tokenizer.decode(tokens), reading: reading,
            isCut: isCut)
        asked += 1
        if isCut, verdict.choice == .unreadable { cut += 1 }
        return verdict
    }
}
