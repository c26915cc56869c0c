import Foundation
import Kernels
import Model
import Random

/// How answers grow from a prompt: whole answers in one level, or a tree of sentences level by level.
package struct GrowthPlan: Sendable {
    /// One child per sampler under every node that is extended.
    package var samplers: [Sampler]
    /// The children of a node are the groups of one search, of which the samplers only give the number.
    package var beams: DiverseBeams?
    package var stops: Set<Int32>
    /// Whether an end token is drawn like any other, and the answer is over with the sentence that it is in.
    package var passesStops: Bool
    /// Tokens that end a sentence; empty draws whole answers.
    package var periods: Set<Int32>
    /// Most new tokens of one child.
    package var maxTokens: Int
    /// Most levels; 1 for whole answers.
    package var maxDepth: Int
    /// Most nodes that are extended on one level.
    package var width: Int
    /// Positions of the model: prompt, answer and end token take no more.
    package var context: Int
    package var seed: UInt64

    package init(
        samplers: [Sampler], beams: DiverseBeams? = nil, stops: Set<Int32>, passesStops: Bool = false,
        periods: Set<Int32> = [], maxTokens: Int, maxDepth: Int = 1, width: Int = 1, context: Int = .max,
        seed: UInt64
    ) {
        self.samplers = samplers
        self.beams = beams
        self.stops = stops
        self.passesStops = passesStops
        self.periods = periods
        self.maxTokens = maxTokens
        self.maxDepth = maxDepth
        self.width = width
        self.context = context
        self.seed = seed
    }

    var isTree: Bool { !periods.isEmpty }

    /// Tokens that are drawn one after the other at most.
    package var steps: Int { maxTokens * maxDepth }

    /// Slots that one record may hold at once: its prompt, a level being drawn, and the kept nodes above it.
    package func slots(promptTokens: Int) -> Int {
        promptTokens + maxTokens * width * (samplers.count + maxDepth - 1)
    }
}

/// What to grow from. Negative tokens, −1 − i, are rows of `picture`.
package struct GrowthRequest {
    package let id: String
    package let tokens: [Int32]
    package let picture: Picture?

    package init(id: String, tokens: [Int32], picture: Picture?) {
        self.id = id
        self.tokens = tokens
        self.picture = picture
    }
}

/// A drawn continuation.
package struct GrownNode: Sendable {
    package enum End: Sendable { case period, stop, length }

    /// Index into the record's nodes, −1 under the prompt.
    package let parent: Int
    package let tokens: [Int32]
    /// Per token, under the model itself at temperature 1.
    package let logProbabilities: [Float]
    package let end: End
    /// Whether its answer ends with it.
    package let isFinal: Bool
    /// What the search of the plan makes of it; nil where each child is drawn by itself.
    package let beamScore: Double?
    /// Which sampler of the plan drew it.
    package let sampler: Int
    package let depth: Int
}

/// Decides which unfinished nodes of a level are extended.
/// - Parameter nodes: all nodes of the record so far; `fresh` are those of the level just drawn.
package typealias Steering = (_ request: Int, _ nodes: [GrownNode], _ fresh: Range<Int>) throws -> [Int]

/// A record's tree while it grows.
final class Growth {
    private typealias Entry = (stream: Stream, parent: Int, sampler: Int)

    let index: Int
    let request: GrowthRequest
    let plan: GrowthPlan
    let region: Range<Int>
    private(set) var nodes: [GrownNode] = []
    private var branches: [Branch?] = []
    private var free: FreeSlots
    private let root: Branch
    private var streams: [Entry] = []
    /// Streams begun so far: each draws from a generator of its own.
    private var drawn: UInt64 = 0

    init(index: Int, request: GrowthRequest, plan: GrowthPlan, region: Range<Int>) {
        self.index = index
        self.request = request
        self.plan = plan
        self.region = region
        free = FreeSlots(region)
        root = Branch(parent: nil, run: free.take(request.tokens.count)!)
    }

    var isDone: Bool { streams.isEmpty && !nodes.isEmpty }
    var isLevelDrawn: Bool { streams.allSatisfy { $0.stream.end != nil } }
    var openFamilies: [Family] {
        let size = plan.beams == nil ? 1 : plan.samplers.count
        return stride(from: 0, to: streams.count, by: size)
            .map { Family(streams: streams[$0..<$0 + size].map(\.stream), beams: plan.beams) }
            .filter { !$0.open.isEmpty }
    }

    var promptFeed: Feed { Feed(branch: root, tokens: request.tokens, picture: request.picture) }

    func start() { extend([-1]) }

    /// What must be in the cache before the next token can be drawn.
    var feeds: [Feed] {
        streams.compactMap { entry in
            let stream = entry.stream
            let missing = stream.tokens.suffix(stream.tokens.count - stream.branch.count)
            // A finished answer is never read again; a finished sentence is what the next ones hang on.
            guard !missing.isEmpty, !stream.isLast else { return nil }
            return Feed(branch: stream.branch, tokens: Array(missing))
        }
    }

    /// Turns a drawn level into nodes and starts the next one.
    func advance(_ steering: Steering) throws {
        let first = nodes.count
        for entry in drawnStreams {
            let stream = entry.stream
            guard let end = stream.end else { preconditionFailure("the level isn't drawn yet") }
            // Groups of a search that drew the same differ in their scores.
            let twin =
                plan.isTree && plan.beams == nil
                && nodes[first...].contains { $0.parent == entry.parent && $0.tokens == stream.tokens }
            if twin {
                free.giveBack(stream.branch.run)
                continue
            }
            nodes.append(
                GrownNode(
                    parent: entry.parent, tokens: stream.tokens, logProbabilities: stream.logProbabilities,
                    end: end, isFinal: stream.isLast,
                    beamScore: plan.beams.map { stream.score($0) }, sampler: entry.sampler,
                    depth: (entry.parent < 0 ? 0 : nodes[entry.parent].depth) + 1))
            branches.append(stream.branch)
        }
        streams = []
        let unfinished = (first..<nodes.count).filter {
            !nodes[$0].isFinal && nodes[$0].depth < plan.maxDepth
        }
        let kept = unfinished.isEmpty ? [] : try steering(index, nodes, first..<nodes.count)
        precondition(kept.count <= plan.width && Set(kept).isSubset(of: unfinished))
        for node in first..<nodes.count where !kept.contains(node) { release(node) }
        for node in 0..<first where branches[node] != nil && !isAncestor(node, of: kept) { release(node) }
        extend(kept)
    }

    /// The streams of a level; those of a search the best first, of equal ones the later group, as
    /// transformers hands them out.
    private var drawnStreams: [Entry] {
        guard let beams = plan.beams else { return streams }
        return stride(from: 0, to: streams.count, by: plan.samplers.count).flatMap { start in
            streams[start..<start + plan.samplers.count].sorted { a, b in
                (a.stream.score(beams), a.sampler) > (b.stream.score(beams), b.sampler)
            }
        }
    }

    private func extend(_ parents: [Int]) {
        for parent in parents {
            for (index, sampler) in plan.samplers.enumerated() {
                let branch = Branch(
                    parent: parent < 0 ? root : branches[parent]!, run: free.take(plan.maxTokens)!)
                let generator = SplitMix64(seed: plan.seed, key: request.id, index: drawn)
                drawn += 1
                let rule = StopRule(
                    stops: plan.stops, passesStops: plan.passesStops, periods: plan.periods,
                    maxTokens: plan.maxTokens, room: max(1, plan.context - branch.position - 1))
                let stream = Stream(branch: branch, sampler: sampler, generator: generator, rule: rule)
                streams.append((stream, parent, index))
            }
        }
    }

    private func isAncestor(_ node: Int, of kept: [Int]) -> Bool {
        kept.contains { start in
            var at = start
            while at > node { at = nodes[at].parent }
            return at == node
        }
    }

    private func release(_ node: Int) {
        if let branch = branches[node] { free.giveBack(branch.run) }
        branches[node] = nil
    }
}
