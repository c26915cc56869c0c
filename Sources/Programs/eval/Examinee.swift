import Decoding
import Exams
import Foundation
import Imaging
import JSON
import Kernels
import Model
import ModelOptions
import Records
import StageKit

/// A model that answers greedily, with some tokens made likelier or less likely, or held against what it says without
/// seeing. Everything asked about one picture is a child of one root, and no question is asked twice.
final class Examinee {
    struct Request {
        /// `file:line`, for messages.
        let place: String
        let image: String
        let prompt: String
        let maxTokens: Int
        /// Of which the likeliest is the answer; nil where it is drawn.
        var ranked: Choices?
        /// What a picture is called that is a `data:` URI.
        var embedded: String?
    }

    /// What a question is read with in the picture's place.
    enum Context {
        case noised(DiffusionNoise)
        case noPicture
        /// `<unk>`, or the first token where there is none.
        case unknownToken
    }

    struct Contrasting {
        let rule: Contrast
        let contexts: [Context]
    }

    private struct Key: Hashable {
        let image: String
        let prompt: [UInt8]
        let maxTokens: Int
        let ranked: [String]

        init(_ request: Request) {
            (image, prompt) = (request.embedded ?? request.image, Array(request.prompt.utf8))
            (maxTokens, ranked) = (request.maxTokens, request.ranked?.texts ?? [])
        }

        /// - Throws: `RecordError` for what `record` didn't make.
        init(_ record: Record) throws {
            image = try record.requiredString("image")
            prompt = Array(try record.requiredString("prompt").utf8)
            maxTokens = try record.requiredInt("max_tokens")
            ranked = try record.strings("ranked") ?? []
        }

        func record(_ text: String) -> Record {
            var record = Record()
            record.set("image", .string(image))
            record.set("prompt", .string(String(decoding: prompt, as: UTF8.self)))
            record.set("max_tokens", .int(maxTokens))
            if !ranked.isEmpty { record.set("ranked", .strings(ranked)) }
            record.set("text", .string(text))
            return record
        }
    }

    let model: VisionLanguageModel
    private let images: ImageOptions
    private let cache: PictureCache
    private let noised: PictureCache?
    private let contrasting: Contrasting?
    private let batch: Int
    private let memory: Int
    private let sampler: Sampler
    private var known: [Key: String] = [:]
    private var work: KeptWork?

    /// - Parameters:
    ///   - batch: pictures worked on together.
    ///   - memory: bytes of keys and values at most.
    ///   - bias: added to the logits of tokens.
    ///   - seed: of noise.
    init(
        _ model: VisionLanguageModel, _ images: ImageOptions, batch: Int, memory: Int, bias: [Int32: Float],
        contrasting: Contrasting? = nil, seed: UInt64 = 0
    ) {
        self.contrasting = contrasting
        let noise = contrasting?.contexts.lazy.compactMap { context -> DiffusionNoise? in
            if case .noised(let noise) = context { noise } else { nil }
        }.first
        noised = noise.map { PictureCache(model, noise: ($0, seed)) }
        sampler = Sampler(temperature: 0, bias: bias)
        self.model = model
        self.images = images
        self.batch = batch
        self.memory = memory
        cache = PictureCache(model)
    }

    /// Keeps answers as they are given, and knows those that were kept.
    ///
    /// - Throws: `RecordError` for records that are no such answers.
    func keep(in work: KeptWork) throws {
        for record in work.earlier { known[try Key(record)] = try record.requiredString("text") }
        self.work = work
    }

    /// - Returns: an answer per request, trimmed.
    /// - Throws: `StageError` naming the place of what this model can't be asked.
    func answer(_ requests: [Request], _ run: StageRun) throws -> [String] {
        try rank(requests.filter { $0.ranked != nil }, run)
        let interviews = try prepare(requests.filter { $0.ranked == nil })
        if !interviews.isEmpty { try draw(interviews, run) }
        try work?.flush()
        return requests.map { known[Key($0)] ?? "" }
    }

    private func draw(_ interviews: [Interview], _ run: StageRun) throws {
        let progress = run.progress(total: interviews.count, unit: "pictures")
        let answerer = Answerer(
            model: model.decoder, stops: model.stops, sampler: sampler, contrast: contrasting?.rule,
            memory: memory, slots: slots(interviews))
        for some in batches(interviews) {
            try ask(Array(some), answerer)
            progress.advance(by: some.count)
        }
        progress.finish()
    }

    /// Answers with the letters of the likeliest choices.
    private func rank(_ requests: [Request], _ run: StageRun) throws {
        if requests.isEmpty { return }
        var seen = Set(known.keys)
        let pictures = Dictionary(
            grouping: requests.filter { seen.insert(Key($0)).inserted }, by: \.image)
        let order = requests.map(\.image).filter(Set(pictures.keys).contains)
        var done: Set<String> = []
        let progress = run.progress(total: pictures.count, unit: "pictures")
        let ranker = Ranker(model, cache)
        for image in order where done.insert(image).inserted {
            try rank(pictures[image] ?? [], ranker)
            progress.advance(by: 1)
        }
        progress.finish()
    }

    /// Those about one picture.
    private func rank(_ requests: [Request], _ ranker: Ranker) throws {
        var groups: [(root: [Int32], path: String, questions: [Ranker.Question], requests: [Request])] = []
        for request in requests {
            do {
                let path = try images.resolve(request.image)
                let encoded = try model.encode(
                    prompt: request.prompt, picture: model.shape(at: path),
                    answers: request.ranked?.texts ?? [])
                let root = Array(encoded.prompt[..<encoded.pictureEnd])
                let question = Ranker.Question(
                    tokens: Array(encoded.prompt[encoded.pictureEnd...]), choices: encoded.answers)
                if groups.last?.root == root {
                    groups[groups.count - 1].questions.append(question)
                    groups[groups.count - 1].requests.append(request)
                } else {
                    groups.append((root, path, [question], [request]))
                }
            } catch { throw StageError.failed("\(request.place): \(error)") }
        }
        for group in groups {
            do {
                let best = try ranker.likeliest(group.questions, after: group.root, picture: group.path)
                let answers = zip(group.requests, best).map { request, index in
                    (Key(request), request.ranked?.letters[index] ?? "")
                }
                for (key, letter) in answers { known[key] = letter }
                try work?.add(answers.map { $0.record($1) }, at: group.requests[0].place)
            } catch let error as ImageError {
                throw StageError.failed("\(group.requests[0].place): \(error)")
            }
        }
    }

    /// Says what memory that will take, and about how long.
    func estimate(_ requests: [Request], _ computing: ComputeOptions, _ run: StageRun) throws {
        let interviews = try prepare(requests.filter { $0.ranked == nil })
        try computing.sayPlan(model, slots: slots(interviews), run)
        guard !interviews.isEmpty else { return }
        var work = WorkEstimate(model)
        for interview in interviews {
            let rows = interview.questions.reduce(interview.root.count) { $0 + $1.tokens.count }
            try work.add(rows: rows * (1 + contexts.count), picture: interview.path)
        }
        let batches = batches(interviews)
        let longest = batches.map { $0.flatMap(\.questions).map(\.maxTokens).max() ?? 0 }
        let questions = interviews.reduce(0) { $0 + $1.questions.count }
        try work.say(
            drawing: longest.reduce(0, +) / batches.count, streams: max(1, questions / interviews.count),
            atOnce: batch, run)
    }

    /// What is still to be asked about one picture.
    private struct Interview {
        let id: String
        let path: String
        let root: [Int32]
        var questions: [QuestionGroup.Question] = []
        var keys: [Key] = []
        /// Of each context what is read of the questions, after its root where it has one.
        var others: [(root: [Int32], questions: [[Int32]])]

        var slots: Int {
            let answers = questions.reduce(0) { $0 + $1.maxTokens }
            let own = questions.reduce(root.count + answers) { $0 + $1.tokens.count }
            return others.reduce(own) { $1.questions.reduce($0 + $1.root.count + answers) { $0 + $1.count } }
        }
    }

    private func prepare(_ requests: [Request]) throws -> [Interview] {
        var interviews: [Interview] = []
        var indices: [[Int32]: [String: Int]] = [:]
        var seen = Set(known.keys)
        for request in requests where seen.insert(Key(request)).inserted {
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
                        Interview(
                            id: request.place, path: path, root: root,
                            others: contexts.map { (self.root(root, in: $0), []) }))
                    indices[root, default: [:]][request.image] = interviews.count - 1
                    index = interviews.count - 1
                }
                guard let index else { continue }
                let question = Array(encoded.prompt[encoded.pictureEnd...])
                interviews[index].questions.append(
                    .init(
                        tokens: question,
                        maxTokens: contrasting?.rule.isWhole == true ? 1 : request.maxTokens))
                for (number, context) in contexts.enumerated() {
                    interviews[index].others[number].questions.append(
                        try self.question(question, of: request, in: context))
                }
                interviews[index].keys.append(Key(request))
            } catch { throw StageError.failed("\(request.place): \(error)") }
        }
        return interviews
    }

    /// Those that are asked together.
    private func batches(_ interviews: [Interview]) -> [ArraySlice<Interview>] {
        stride(from: 0, to: interviews.count, by: batch).map {
            interviews[$0..<min(interviews.count, $0 + batch)]
        }
    }

    private func slots(_ interviews: [Interview]) -> Int {
        batches(interviews).map { $0.reduce(0) { $0 + $1.slots } }.max() ?? 0
    }

    private var contexts: [Context] { contrasting?.contexts ?? [] }

    private func root(_ root: [Int32], in context: Context) -> [Int32] {
        switch context {
        case .noised: root
        // Without its picture a prompt begins otherwise, so that it is read as one.
        case .noPicture: []
        case .unknownToken:
            Array(root.prefix { $0 >= 0 }) + [model.tokenizer.id(of: "<unk>") ?? 0]
                + root.reversed().prefix { $0 >= 0 }.reversed()
        }
    }

    private func question(_ tokens: [Int32], of request: Request, in context: Context) throws -> [Int32] {
        guard case .noPicture = context else { return tokens }
        return try model.encode(prompt: request.prompt, picture: nil).prompt
    }

    private func ask(_ interviews: [Interview], _ answerer: Answerer) throws {
        let paths = interviews.map(\.path)
        let shown: [Picture?]
        let blurred: [Picture?]?
        do {
            shown = try cache.pictures(at: paths)
            blurred = try noised?.pictures(at: paths)
        } catch { throw StageError.failed("\(error)") }
        let groups = interviews.enumerated().map { index, interview in
            QuestionGroup(
                id: interview.id, root: interview.root, picture: shown[index],
                questions: interview.questions,
                contexts: zip(contexts, interview.others).map { context, other in
                    let picture: Picture? = if case .noised = context { blurred?[index] } else { nil }
                    return .init(root: other.root, picture: picture, questions: other.questions)
                })
        }
        try answerer.answer(groups) { index, answers in
            let interview = interviews[index]
            let texts = answers.map {
                model.tokenizer.decode($0, skipSpecialTokens: true)
                    .trimmingCharacters(in: .whitespacesAndNewlines)
            }
            for (key, text) in zip(interview.keys, texts) { known[key] = text }
            try work?.add(zip(interview.keys, texts).map { $0.record($1) }, at: interview.id)
        }
    }
}
