import Foundation
import Imaging
import Kernels
import Model
import Random

/// A piece of a token tree in the key/value cache: a prompt, a sentence, an answer.
final class Branch {
    let parent: Branch?
    /// Slots reserved; `count` of them are filled.
    let run: Range<Int>
    private(set) var count = 0
    /// Tokens before it.
    let position: Int
    private var path: RotaryPath
    /// Final hidden state of the last token: what the next one is predicted from.
    var hidden: [Float] = []

    init(parent: Branch?, run: Range<Int>) {
        self.parent = parent
        self.run = run
        position = parent.map { $0.position + $0.count } ?? 0
        path = parent?.path ?? RotaryPath()
    }

    /// - Returns: the rotary positions of the tokens.
    func grow(by tokens: [Int32], grid: PictureSize?) -> [RotaryPosition] {
        count += tokens.count
        return path.add(tokens, grid: grid)
    }

    var filled: Range<Int> { run.lowerBound..<run.lowerBound + count }

    /// Slots of all ancestors, root first.
    var ancestors: [Range<Int>] {
        guard let parent else { return [] }
        return (parent.ancestors + [parent.filled]).filter { !$0.isEmpty }
    }
}

/// Tokens to be appended to a branch. Negative tokens, −1 − i, are rows of `picture`.
struct Feed {
    let branch: Branch
    let tokens: [Int32]
    var picture: Picture?
}

/// Runs the decoder over any mixture of branches of any records in one batch. No row depends on another
/// record's rows, so the mixture does not show in the results.
final class DecodingPool {
    let model: Llama
    let cache: KeyValueCache
    private let arena = Arena()
    /// Rows of a pass at most, as far as whole feeds allow: prompts would otherwise be the largest activations by far.
    private let passRows: Int

    init(model: Llama, slots: Int) {
        self.model = model
        cache = KeyValueCache(model, slots: slots)
        passRows = max(1, Footprint.decodingBytes / Footprint(model).layer)
    }

    /// Appends the tokens of each feed to its branch and sets the branch's `hidden`.
    func append(_ feeds: [Feed]) {
        var (first, rows) = (0, 0)
        for (index, feed) in feeds.enumerated() {
            if index > first, rows + feed.tokens.count > passRows {
                pass(feeds[first..<index])
                (first, rows) = (index, 0)
            }
            rows += feed.tokens.count
        }
        pass(feeds[first...])
    }

    private func pass(_ feeds: ArraySlice<Feed>) {
        arena.reset()
        var tokens: [Int32] = []
        var positions: [RotaryPosition] = []
        var slots: [Int] = []
        var segments: [AttentionSegment] = []
        var wanted: [Int] = []
        var pictures = PictureRows()
        for feed in feeds {
            let (branch, start) = (feed.branch, tokens.count)
            let first = branch.filled.upperBound
            precondition(first + feed.tokens.count <= branch.run.upperBound)
            tokens += pictures.add(feed.picture, feed.tokens)
            slots += feed.tokens.indices.map { first + $0 }
            positions += branch.grow(by: feed.tokens, grid: feed.picture?.grid)
            segments.append(
                AttentionSegment(
                    queries: start..<tokens.count, shared: branch.ancestors, own: branch.filled))
            wanted.append(tokens.count - 1)
        }
        let hidden = model.forward(
            tokens: tokens, positions: positions, slots: slots, segments: segments,
            features: pictures.matrix(arena), cache: cache, wanted: wanted, arena)
        for (row, feed) in zip(0..., feeds) { feed.branch.hidden = hidden.rows(row..<row + 1).values }
    }

    /// Draws the next token of every open stream, from its branch's hidden state or, before its first token,
    /// from its parent's.
    func draw(_ families: [Family]) {
        arena.reset()
        let streams = families.flatMap(\.open)
        let starts = families.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.open.count) }
        // Behind the streams come the rows that some of them are held against.
        let others = streams.map { $0.branches.dropFirst() }
        let hidden = arena.matrix(others.reduce(streams.count) { $0 + $1.count }, model.config.hiddenSize)
        for (row, branch) in (streams.map(\.branch) + others.joined()).enumerated() {
            let from = branch.count > 0 ? branch : branch.parent!
            from.hidden.withUnsafeBufferPointer {
                hidden.row(row).update(from: $0.baseAddress!, count: $0.count)
            }
        }
        let logits = model.logits(hidden, arena)
        func row(_ index: Int) -> UnsafeMutableBufferPointer<Float> {
            UnsafeMutableBufferPointer(start: logits.row(index), count: logits.columns)
        }
        var next = streams.count
        for (index, stream) in streams.enumerated() where !others[index].isEmpty {
            let rows = next..<next + others[index].count
            stream.contrast?.rule.apply(to: row(index), rows.map { UnsafeBufferPointer(row($0)) })
            next = rows.upperBound
        }
        nonisolated(unsafe) let shared = families
        Parallel.run(families.count) { index in
            shared[index].draw { place in
                UnsafeBufferPointer(start: logits.row(starts[index] + place), count: logits.columns)
            }
        }
    }
}

/// One continuation being drawn.
final class Stream {
    let branch: Branch
    let sampler: Sampler
    private var generator: SplitMix64
    let rule: StopRule
    /// What its logits are held against, and where these come from: the same tokens in other contexts.
    let contrast: (rule: Contrast, branches: [Branch])?
    private(set) var tokens: [Int32] = []
    private(set) var logProbabilities: [Float] = []
    /// What a search took from the log-probabilities, in all.
    private(set) var penalties = 0.0
    private(set) var end: GrownNode.End?

    init(
        branch: Branch, sampler: Sampler, generator: SplitMix64, rule: StopRule,
        contrast: (rule: Contrast, branches: [Branch])? = nil
    ) {
        self.contrast = contrast
        self.branch = branch
        self.sampler = sampler
        self.generator = generator
        self.rule = rule
    }

    /// All that its tokens are appended to, its own first.
    var branches: [Branch] { [branch] + (contrast?.branches ?? []) }

    func accept(_ logits: UnsafeBufferPointer<Float>) {
        accept(sampler.draw(logits, &generator), logits)
    }

    func accept(_ token: Int32, _ logits: UnsafeBufferPointer<Float>, penalty: Double = 0) {
        tokens.append(token)
        logProbabilities.append(logProbability(logits.baseAddress!, logits.count, of: Int(token)))
        penalties += penalty
        end = rule.end(after: tokens)
    }

    func score(_ beams: DiverseBeams) -> Double { beams.score(logProbabilities, penalties: penalties) }

    /// Whether nothing follows what was drawn.
    var isLast: Bool { end.map { rule.isLast(tokens, $0) } ?? false }
}

/// When a continuation is complete.
package struct StopRule: Sendable {
    /// End-of-answer tokens.
    package var stops: Set<Int32>
    /// Whether an end token is drawn like any other, and the answer is over with the sentence that it is in.
    package var passesStops: Bool
    /// Tokens that end a sentence; empty when whole answers are drawn.
    package var periods: Set<Int32>
    package var maxTokens: Int
    /// Tokens for which the model has positions left. At the last one an answer is over, full stop or not:
    /// nothing could follow.
    package var room: Int

    package init(
        stops: Set<Int32>, passesStops: Bool = false, periods: Set<Int32> = [], maxTokens: Int,
        room: Int = .max
    ) {
        self.stops = stops
        self.passesStops = passesStops
        self.periods = periods
        self.maxTokens = maxTokens
        self.room = room
    }

    /// Tokens after which nothing more is drawn for the time being.
    var closers: Set<Int32> { passesStops ? periods : periods.union(stops) }

    func end(after tokens: [Int32]) -> GrownNode.End? {
        guard let last = tokens.last else { return nil }
        if !passesStops, stops.contains(last) { return .stop }
        if tokens.count >= room { return .length }
        if periods.contains(last) { return .period }
        return tokens.count >= maxTokens ? .length : nil
    }

    /// Whether an answer is over with tokens that ended so. Where end tokens are passed, one that is cut at
    /// its length is not.
    func isLast(_ tokens: [Int32], _ end: GrownNode.End) -> Bool {
        passesStops ? tokens.count >= room || tokens.contains(where: stops.contains) : end != .period
    }
}
