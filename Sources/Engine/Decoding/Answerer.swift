import Foundation
import Kernels
import Model
import Random

/// Questions that begin with the same tokens, mostly a picture: the beginning is computed once for all.
package struct QuestionGroup {
    package struct Question: Sendable {
        /// What follows the common beginning; at least one token.
        package let tokens: [Int32]
        /// Most new tokens of the answer.
        package let maxTokens: Int

        package init(tokens: [Int32], maxTokens: Int) {
            self.tokens = tokens
            self.maxTokens = maxTokens
        }
    }

    package let id: String
    /// The common beginning; negative tokens, −1 − i, are rows of `picture`.
    package let root: [Int32]
    package let picture: Picture?
    /// At least one.
    package let questions: [Question]

    package init(id: String, root: [Int32], picture: Picture?, questions: [Question]) {
        self.id = id
        self.root = root
        self.picture = picture
        self.questions = questions
    }

    /// Slots of root, questions and longest answers.
    package var slots: Int {
        questions.reduce(root.count) { $0 + $1.tokens.count + $1.maxTokens }
    }
}

/// Answers many questions greedily in one batch: a group's beginning is a root span, each of its questions a
/// child, each answer a child of its question.
package final class Answerer {
    private let pool: DecodingPool
    private let stops: Set<Int32>
    private let sampler: Sampler
    private let budget: (slots: Int, bytes: Int)
    private let bytesPerSlot: Int

    /// - Parameters:
    ///   - stops: tokens that end an answer.
    ///   - sampler: without temperature.
    ///   - memory: bytes of keys and values at most.
    ///   - slots: what a call needs at most; no more is allocated.
    package init(
        model: Llama, stops: Set<Int32>, sampler: Sampler = .greedy, memory: Int, slots: Int
    ) {
        (self.stops, self.sampler) = (stops, sampler)
        bytesPerSlot = KeyValueCache.bytesPerSlot(model)
        budget = (min(memory / bytesPerSlot, slots), memory)
        pool = DecodingPool(model: model, slots: budget.slots)
    }

    /// - Returns: per group and question the drawn tokens, the end token last where one was drawn.
    /// - Throws: `GrowthTooLarge` for a group that the memory can't hold.
    package func answer(_ groups: [QuestionGroup]) throws -> [[[Int32]]] {
        var answers = [[[Int32]]](repeating: [], count: groups.count)
        var free = FreeSlots(0..<budget.slots)
        var waiting = groups.indices[...]
        var open: [Interview] = []
        while !waiting.isEmpty || !open.isEmpty {
            var admitted: [Interview] = []
            while let index = waiting.first {
                guard let region = free.take(groups[index].slots) else {
                    if open.isEmpty && admitted.isEmpty {
                        throw GrowthTooLarge(
                            id: groups[index].id, neededBytes: groups[index].slots * bytesPerSlot,
                            budgetBytes: budget.bytes)
                    }
                    break
                }
                admitted.append(
                    Interview(
                        index: index, group: groups[index], region: region, stops: stops, sampler: sampler))
                waiting.removeFirst()
            }
            if !admitted.isEmpty {
                pool.append(admitted.map(\.rootFeed))
                admitted.forEach { $0.ask() }
                pool.append(admitted.flatMap(\.questionFeeds))
                admitted.forEach { $0.begin() }
            }
            open += admitted
            pool.draw(open.flatMap(\.openStreams).map { Family(streams: [$0]) })
            for interview in open where interview.openStreams.isEmpty {
                answers[interview.index] = interview.answers
                free.giveBack(interview.region)
            }
            open.removeAll { $0.openStreams.isEmpty }
            let feeds = open.flatMap(\.answerFeeds)
            if !feeds.isEmpty { pool.append(feeds) }
        }
        return answers
    }
}

/// A group while it is answered.
private final class Interview {
    let index: Int
    let region: Range<Int>
    private let group: QuestionGroup
    private let stops: Set<Int32>
    private let sampler: Sampler
    private var free: FreeSlots
    private let root: Branch
    private var questions: [Branch] = []
    private var streams: [Stream] = []

    init(index: Int, group: QuestionGroup, region: Range<Int>, stops: Set<Int32>, sampler: Sampler) {
        self.sampler = sampler
        self.index = index
        self.group = group
        self.region = region
        self.stops = stops
        free = FreeSlots(region)
        root = Branch(parent: nil, run: free.take(group.root.count) ?? 0..<0)
    }

    var rootFeed: Feed { Feed(branch: root, tokens: group.root, picture: group.picture) }

    /// Puts the questions under the root, which has been fed.
    func ask() {
        questions = group.questions.map {
            Branch(parent: root, run: free.take($0.tokens.count) ?? 0..<0)
        }
    }

    var questionFeeds: [Feed] {
        zip(questions, group.questions).map { Feed(branch: $0, tokens: $1.tokens) }
    }

    /// Begins an answer under each question; they have been fed, which gives the answers their positions.
    func begin() {
        streams = zip(questions, group.questions).map { branch, question in
            let run = free.take(question.maxTokens) ?? 0..<0
            return Stream(
                branch: Branch(parent: branch, run: run), sampler: sampler, generator: SplitMix64(seed: 0),
                rule: StopRule(stops: stops, maxTokens: question.maxTokens))
        }
    }

    var openStreams: [Stream] { streams.filter { $0.end == nil } }

    var answerFeeds: [Feed] {
        openStreams.map { stream in
            Feed(
                branch: stream.branch,
                tokens: Array(stream.tokens.suffix(stream.tokens.count - stream.branch.count)))
        }
    }

    var answers: [[Int32]] { streams.map(\.tokens) }
}
