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

    /// What the same questions are read after too, so that their logits are held against each other (`Contrast`).
    package struct Context: Sendable {
        package let root: [Int32]
        package let picture: Picture?
        /// Of each question what follows the root there.
        package let questions: [[Int32]]

        package init(root: [Int32], picture: Picture?, questions: [[Int32]]) {
            (self.root, self.picture, self.questions) = (root, picture, questions)
        }
    }

    package let id: String
    /// The common beginning; negative tokens, −1 − i, are rows of `picture`.
    package let root: [Int32]
    package let picture: Picture?
    /// At least one.
    package let questions: [Question]
    package let contexts: [Context]

    package init(
        id: String, root: [Int32], picture: Picture?, questions: [Question], contexts: [Context] = []
    ) {
        self.id = id
        self.root = root
        self.picture = picture
        self.questions = questions
        self.contexts = contexts
    }

    /// Slots of roots, questions and longest answers.
    package var slots: Int {
        contexts.reduce(Self.slots(root, questions.map(\.tokens), questions)) {
            $0 + Self.slots($1.root, $1.questions, questions)
        }
    }

    private static func slots(_ root: [Int32], _ asked: [[Int32]], _ questions: [Question]) -> Int {
        zip(asked, questions).reduce(root.count) { $0 + $1.0.count + $1.1.maxTokens }
    }
}

/// Answers many questions greedily in one batch: a group's beginning is a root span, each of its questions a
/// child, each answer a child of its question; other contexts are roots of their own.
package final class Answerer {
    private let pool: DecodingPool
    private let stops: Set<Int32>
    private let sampler: Sampler
    private let contrast: Contrast?
    private let budget: (slots: Int, bytes: Int)
    private let bytesPerSlot: Int

    /// - Parameters:
    ///   - stops: tokens that end an answer.
    ///   - sampler: without temperature.
    ///   - contrast: of groups with contexts.
    ///   - memory: bytes of keys and values at most.
    ///   - slots: what a call needs at most; no more is allocated.
    package init(
        model: Llama, stops: Set<Int32>, sampler: Sampler = .greedy, contrast: Contrast? = nil, memory: Int,
        slots: Int
    ) {
        (self.stops, self.sampler, self.contrast) = (stops, sampler, contrast)
        bytesPerSlot = KeyValueCache.bytesPerSlot(model)
        budget = (min(memory / bytesPerSlot, slots), memory)
        pool = DecodingPool(model: model, slots: budget.slots)
    }

    /// - Parameter done: is given each group's answers as soon as they are whole, in whatever order.
    /// - Returns: per group and question the drawn tokens, the end token last where one was drawn.
    /// - Throws: `GrowthTooLarge` for a group that the memory can't hold; what `done` throws.
    @discardableResult package func answer(
        _ groups: [QuestionGroup], done: (_ group: Int, _ answers: [[Int32]]) throws -> Void = { _, _ in }
    ) throws -> [[[Int32]]] {
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
                        index: index, group: groups[index], region: region, stops: stops, sampler: sampler,
                        contrast))
                waiting.removeFirst()
            }
            if !admitted.isEmpty {
                pool.append(admitted.flatMap(\.rootFeeds))
                admitted.forEach { $0.ask() }
                pool.append(admitted.flatMap(\.questionFeeds))
                admitted.forEach { $0.begin() }
            }
            open += admitted
            pool.draw(open.flatMap(\.openStreams).map { Family(streams: [$0]) })
            for interview in open where interview.openStreams.isEmpty {
                answers[interview.index] = interview.answers
                free.giveBack(interview.region)
                try done(interview.index, interview.answers)
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
    private let contrast: Contrast?
    private var free: FreeSlots
    /// The group's own and those of its contexts.
    private let roots: [Branch]
    /// Below each root.
    private var questions: [[Branch]] = []
    private var streams: [Stream] = []

    init(
        index: Int, group: QuestionGroup, region: Range<Int>, stops: Set<Int32>, sampler: Sampler,
        _ contrast: Contrast?
    ) {
        (self.sampler, self.contrast) = (sampler, contrast)
        self.index = index
        self.group = group
        self.region = region
        self.stops = stops
        var free = FreeSlots(region)
        roots = ([group.root] + group.contexts.map(\.root)).map {
            Branch(parent: nil, run: free.take($0.count) ?? 0..<0)
        }
        self.free = free
    }

    var rootFeeds: [Feed] {
        let beginnings =
            [(group.root, group.picture)] + group.contexts.map { ($0.root, $0.picture) }
        return zip(roots, beginnings).compactMap { branch, beginning in
            let (tokens, picture) = beginning
            return tokens.isEmpty ? nil : Feed(branch: branch, tokens: tokens, picture: picture)
        }
    }

    /// What is asked below each root.
    private var asked: [[[Int32]]] { [group.questions.map(\.tokens)] + group.contexts.map(\.questions) }

    /// Puts the questions under the roots, which have been fed.
    func ask() {
        questions = zip(roots, asked).map { root, asked in
            asked.map { Branch(parent: root, run: free.take($0.count) ?? 0..<0) }
        }
    }

    var questionFeeds: [Feed] {
        zip(questions.joined(), asked.joined()).map { Feed(branch: $0, tokens: $1) }
    }

    /// Begins an answer under each question; they have been fed, which gives the answers their positions.
    func begin() {
        streams = group.questions.enumerated().map { number, question in
            let branches = questions.map {
                Branch(parent: $0[number], run: free.take(question.maxTokens) ?? 0..<0)
            }
            return Stream(
                branch: branches[0], sampler: sampler, generator: SplitMix64(seed: 0),
                rule: StopRule(stops: stops, maxTokens: question.maxTokens),
                contrast: contrast.map { ($0, Array(branches.dropFirst())) })
        }
    }

    var openStreams: [Stream] { streams.filter { $0.end == nil } }

    var answerFeeds: [Feed] {
        openStreams.flatMap { stream in
            let fresh = Array(stream.tokens.suffix(stream.tokens.count - stream.branch.count))
            return stream.branches.map { Feed(branch: $0, tokens: fresh) }
        }
    }

    var answers: [[Int32]] { streams.map(\.tokens) }
}
