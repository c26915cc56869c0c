import Decoding
import Foundation
import Model
import Records
import Rewards

/// Drawn continuations as the record's sentences.
///
/// The end token is not written: a continuation that is nothing but the end token finishes the answer at its
/// parent, one that ends with it is a sentence without its full stop. An end token that was passed stays in the
/// ids of its sentence. A whole answer becomes a path of sentences too.
struct Sentences {
    struct Answer {
        let path: [Int]
        let text: String
        let sampler: Int
    }

    private(set) var nodes: [SentenceNode] = []
    /// The last sentence of each grown node; that of its parent where it added none, −1 at the prompt.
    private(set) var last: [Int] = []
    private var grown: [GrownNode] = []
    private let model: VisionLanguageModel
    private let stops: Set<Int32>
    /// An answer of so many characters is over.
    private let maxCharacters: Int
    /// Tokens of the answer up to and including each sentence.
    private var prefixes: [[Int32]] = []

    init(_ model: VisionLanguageModel, maxCharacters: Int = .max) {
        (self.model, self.maxCharacters) = (model, maxCharacters)
        stops = model.stops
    }

    /// Goes on to all that was grown of the record, of which it has the first already.
    mutating func grow(to all: [GrownNode]) {
        for node in all[grown.count...] { add(node) }
    }

    private mutating func add(_ node: GrownNode) {
        grown.append(node)
        var parent = node.parent < 0 ? -1 : last[node.parent]
        var start = 0
        let count = node.end == .stop ? node.tokens.count - 1 : node.tokens.count
        for index in 0..<count {
            let isPeriod = model.periods.contains(node.tokens[index])
            guard isPeriod || index == count - 1 else { continue }
            let hasStop =
                node.end == .stop && !isPeriod || node.tokens[start...index].contains(where: stops.contains)
            let end: SentenceNode.End =
                hasStop ? .stop : isPeriod || node.end != .length ? .period : .length
            append(node, start...index, parent: parent, end: end)
            parent = nodes.count - 1
            start = index + 1
        }
        last.append(parent)
        if let score = node.beamScore, count > 0 { nodes[parent].scores[ScoreName.beam] = score }
    }

    private mutating func append(
        _ node: GrownNode, _ range: ClosedRange<Int>, parent: Int, end: SentenceNode.End
    ) {
        let prefix = parent < 0 ? [] : prefixes[parent]
        let ids = Array(node.tokens[range])
        let text = model.tokenizer.text(of: ids[...], after: prefix)
        prefixes.append(prefix + ids)
        nodes.append(
            SentenceNode(
                parent: parent, text: text.trimmingCharacters(in: .whitespacesAndNewlines), ids: ids,
                logprob: node.logProbabilities[range].reduce(0) { $0 + Double($1) }, end: end))
    }

    /// Whether a grown node is a sentence that can be gone on from.
    func isOpen(_ index: Int) -> Bool {
        if grown[index].isFinal { return false }
        if maxCharacters == .max || last[index] < 0 { return true }
        return model.tokenizer.decode(prefixes[last[index]]).unicodeScalars.count < maxCharacters
    }

    /// Sentences from the first to the last of a grown node.
    func path(to index: Int) -> [Int] {
        var path: [Int] = []
        var at = last[index]
        while at >= 0 {
            path.append(at)
            at = nodes[at].parent
        }
        return path.reversed()
    }

    /// Finished answers in the order they were drawn: those that ended, were cut at a length, or stand at the
    /// deepest level.
    func answers(_ plan: GrowthPlan) -> [Answer] {
        grown.indices.compactMap { index in
            guard !isOpen(index) || grown[index].depth == plan.maxDepth else { return nil }
            let path = path(to: index)
            let ids = path.flatMap { nodes[$0].ids }
            let text = model.tokenizer.decode(ids).trimmingCharacters(in: .whitespacesAndNewlines)
            return Answer(path: path, text: text, sampler: grown[index].sampler)
        }
    }
}
