import Foundation
import Imaging
import Kernels
import Model
import Records

/// Computes the log-probabilities of drawn sentences anew, under another policy than the one that drew them.
/// A record's tree is one token forest: every sentence is computed once.
final class Rescorer {
    private let model: VisionLanguageModel
    private let pictures: PictureCache
    private let arena = Arena()

    init(_ model: VisionLanguageModel) {
        self.model = model
        pictures = PictureCache(model)
    }

    var digest: String { model.digest }

    /// Sets `logprob` of every node, and `ids` where the sample belongs to another tokenizer.
    ///
    /// - Parameter image: the picture's file.
    /// - Throws: `PromptError`, `RecordError`, `ImageError`, all about this record.
    func rescore(_ sample: inout Sample, of prompt: Prompt, image: String?) throws {
        let shape = try image.map { try model.shape(at: $0) }
        let root = try root(prompt, shape)
        if sample.tokenizer == model.tokenizer.digest {
            try check(sample.nodes)
        } else {
            try tokenise(&sample, prompt, shape)
        }
        let picture = try pictures.picture(at: image)
        var forest = TokenForest()
        let start = forest.add(root, grid: picture?.grid)
        let spans = sample.nodes.map(\.ids).enumerated().reduce(into: [Int]()) { spans, node in
            let parent = sample.nodes[node.offset].parent
            spans.append(forest.add(node.element, parent: parent < 0 ? start : spans[parent]))
        }
        let longest = forest.spans.map(\.pathCount).max() ?? 0
        try model.checkLength(
            of: root, ["longest path": longest - root.count], remedy: "draw shorter answers")
        arena.reset()
        let labels = spans.map { forest.labels(of: $0) }
        var values = model.decoder.logProbabilities(
            of: labels.flatMap { $0 }, in: forest, picture: picture, arena)[...]
        for (index, labels) in labels.enumerated() {
            sample.nodes[index].logprob = values.prefix(labels.count).reduce(0) { $0 + Double($1) }
            values = values.dropFirst(labels.count)
        }
    }

    /// Rows of a record's tree, where its own tokenizer cut it about as this one does.
    func rows(of sample: Sample, to prompt: Prompt, image: String?) throws -> Int {
        try sample.nodes.reduce(root(prompt, image.map { try model.shape(at: $0) }).count) {
            $0 + $1.ids.count
        }
    }

    private func root(_ prompt: Prompt, _ picture: PictureShape?) throws -> [Int32] {
        try model.encode(prompt: prompt.prompt, history: prompt.history.texts, picture: picture).prompt
    }

    /// Each sentence as the tokens that it adds to the answer before it.
    private func tokenise(_ sample: inout Sample, _ prompt: Prompt, _ picture: PictureShape?) throws {
        var texts: [String] = []
        for node in sample.nodes {
            texts.append(
                (node.parent < 0 ? [node.text] : [texts[node.parent], node.text])
                    .filter { !$0.isEmpty }.joined(separator: " "))
        }
        // The end token that `encode` adds is not part of a sentence.
        let wholes = try model.encode(
            prompt: prompt.prompt, history: prompt.history.texts, picture: picture, answers: texts
        ).answers.map { Array($0.dropLast()) }
        for (index, whole) in wholes.enumerated() {
            let parent = sample.nodes[index].parent
            let before = parent < 0 ? [] : wholes[parent]
            guard whole.starts(with: before) else {
                throw RecordError.invalid(
                    key: "nodes[\(index)].text",
                    found: "merged with the previous sentence by this tokenizer",
                    remedy: "rescore with a model that has the tokenizer it was sampled with")
            }
            sample.nodes[index].ids = Array(whole[before.count...])
        }
        sample.tokenizer = model.tokenizer.digest
    }

    /// The model may know more ids than its tokenizer, and may have drawn them.
    private func check(_ nodes: [SentenceNode]) throws {
        let size = model.vocabularySize
        for (index, node) in nodes.enumerated() {
            guard let id = node.ids.first(where: { $0 < 0 || $0 >= size }) else { continue }
            throw RecordError.invalid(
                key: "nodes[\(index)].ids", found: "the id \(id), and there are \(size) tokens",
                remedy: "rescore only what was sampled with this tokenizer")
        }
    }
}
