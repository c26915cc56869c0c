import Foundation
import Kernels
import Model

/// A piece of a token tree in the key/value cache: a prompt, a sentence, an answer.
final class Branch {
    let parent: Branch?
    /// Slots reserved; `count` of them are filled.
    let run: Range<Int>
    private(set) var count = 0
    let position: Int
    /// Final hidden state of the last token: what the next one is predicted from.
    var hidden: [Float] = []

    init(parent: Branch?, run: Range<Int>) {
        self.parent = parent
        self.run = run
        position = parent.map { $0.position + $0.count } ?? 0
    }

    func grow(by tokens: Int) { count += tokens }

    var filled: Range<Int> { run.lowerBound..<run.lowerBound + count }

    /// Slots of all ancestors, root first.
    var ancestors: [Range<Int>] {
        guard let parent else { return [] }
        return (parent.ancestors + [parent.filled]).filter { !$0.isEmpty }
    }
}

/// Tokens to be appended to a branch. Negative tokens, −1 − i, are rows of `features`.
struct Feed {
    let branch: Branch
    let tokens: [Int32]
    var features: Matrix?
}

/// Runs the decoder over any mixture of branches of any records in one batch. No row depends on another
/// record's rows, so the mixture does not show in the results.
final class DecodingPool {
    let model: Llama
    let cache: KeyValueCache
    private let arena = Arena()

    init(model: Llama, slots: Int) {
        self.model = model
        cache = KeyValueCache(model, slots: slots)
    }

    /// Appends the tokens of each feed to its branch and sets the branch's `hidden`.
    func append(_ feeds: [Feed]) {
        arena.reset()
        var tokens: [Int32] = []
        var positions: [Int32] = []
        var slots: [Int] = []
        var segments: [AttentionSegment] = []
        var wanted: [Int] = []
        let features = gather(feeds)
        var featureRow = 0
        for feed in feeds {
            let (branch, start) = (feed.branch, tokens.count)
            let first = branch.filled.upperBound
            precondition(first + feed.tokens.count <= branch.run.upperBound)
            for (i, token) in feed.tokens.enumerated() {
                tokens.append(token >= 0 ? token : token - Int32(featureRow))
                positions.append(Int32(branch.position + branch.count + i))
                slots.append(first + i)
            }
            featureRow += feed.features?.rows ?? 0
            branch.grow(by: feed.tokens.count)
            segments.append(
                AttentionSegment(
                    queries: start..<tokens.count, shared: branch.ancestors, own: branch.filled))
            wanted.append(tokens.count - 1)
        }
        let hidden = model.forward(
            tokens: tokens, positions: positions, slots: slots, segments: segments, features: features,
            cache: cache, wanted: wanted, arena)
        for (row, feed) in feeds.enumerated() { feed.branch.hidden = hidden.rows(row..<row + 1).values }
    }

    private func gather(_ feeds: [Feed]) -> Matrix? {
        let parts = feeds.compactMap(\.features)
        guard let columns = parts.first?.columns else { return nil }
        let all = arena.matrix(parts.reduce(0) { $0 + $1.rows }, columns)
        var row = 0
        for part in parts {
            all.rows(row..<row + part.rows).copy(from: part)
            row += part.rows
        }
        return all
    }

    /// Draws the next token of every stream, from its branch's hidden state or, before its first token, from
    /// its parent's.
    func draw(_ streams: [Stream]) {
        arena.reset()
        let hidden = arena.matrix(streams.count, model.config.hiddenSize)
        for (row, stream) in streams.enumerated() {
            let from = stream.branch.count > 0 ? stream.branch : stream.branch.parent!
            from.hidden.withUnsafeBufferPointer {
                hidden.row(row).update(from: $0.baseAddress!, count: $0.count)
            }
        }
        let logits = model.logits(hidden, arena)
        nonisolated(unsafe) let shared = streams
        Parallel.run(streams.count) { row in
            shared[row].accept(UnsafeBufferPointer(start: logits.row(row), count: logits.columns))
        }
    }
}

/// One continuation being drawn.
final class Stream {
    enum End: String { case period, stop, length }

    let branch: Branch
    let sampler: Sampler
    private var generator: SplitMix64
    private let rule: StopRule
    private(set) var tokens: [Int32] = []
    private(set) var logProbabilities: [Float] = []
    private(set) var end: End?

    init(branch: Branch, sampler: Sampler, generator: SplitMix64, rule: StopRule) {
        self.branch = branch
        self.sampler = sampler
        self.generator = generator
        self.rule = rule
    }

    func accept(_ logits: UnsafeBufferPointer<Float>) {
        let (token, logProbability) = sampler.draw(logits, &generator)
        tokens.append(token)
        logProbabilities.append(logProbability)
        end = rule.end(after: tokens)
    }
}

/// When a continuation is complete.
package struct StopRule: Sendable {
    /// End-of-answer tokens.
    package var stops: Set<Int32>
    /// Tokens that end a sentence; empty when whole answers are drawn.
    package var periods: Set<Int32>
    package var maxTokens: Int
    /// Tokens for which the model has positions left. At the last one an answer is over, full stop or not:
    /// nothing could follow.
    package var room: Int

    package init(stops: Set<Int32>, periods: Set<Int32> = [], maxTokens: Int, room: Int = .max) {
        self.stops = stops
        self.periods = periods
        self.maxTokens = maxTokens
        self.room = room
    }

    func end(after tokens: [Int32]) -> Stream.End? {
        guard let last = tokens.last else { return nil }
        if stops.contains(last) { return .stop }
        if tokens.count >= room { return .length }
        if periods.contains(last) { return .period }
        return tokens.count >= maxTokens ? .length : nil
    }
}
