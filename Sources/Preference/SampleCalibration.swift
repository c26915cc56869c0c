import Records

/// Names of the scores that calibration reads and writes.
package enum ScoreName {
    /// Mean token log-probability of a sentence, in nats.
    package static let likelihood = "likelihood"
    /// Cosine of image and sentence under the relevance model.
    package static let relevance = "relevance"
    /// The calibrated reward of a sentence, or the path score of a candidate.
    package static let calibrated = "calibrated"
}

extension SentenceReward {
    /// The reward material of a drawn sentence; its relevance is the node's own score of that name.
    package init(_ node: SentenceNode) {
        self.init(
            logProbability: node.logprob, tokenCount: node.ids.count,
            relevance: node.scores[ScoreName.relevance])
    }
}

extension SentenceNode {
    /// Whether it says anything. The end token drawn right after a full stop makes a node without words: the
    /// end of an answer, not a sentence of it.
    package var hasWords: Bool { text.unicodeScalars.contains { !$0.properties.isWhitespace } }
}

extension Calibration {
    /// Writes `likelihood` and `calibrated` to the nodes of `range`. Siblings are the nodes of one parent in
    /// the order of the record; a tree that was steered by the same rule over the same siblings therefore gets
    /// the same numbers. A node without words has nothing to be relevant with: it gets no `calibrated`, and its
    /// siblings are compared without it.
    ///
    /// - Parameter range: whole families: every child of each parent that has one in it.
    /// - Throws: what `calibrated(_:)` throws, naming the nodes.
    package func calibrate(_ nodes: inout [SentenceNode], _ range: Range<Int>) throws {
        for index in range {
            nodes[index].scores[ScoreName.likelihood] = SentenceReward(nodes[index]).likelihood
            if !nodes[index].hasWords { nodes[index].scores[ScoreName.calibrated] = nil }
        }
        let families = Dictionary(grouping: range.filter { nodes[$0].hasWords }) { nodes[$0].parent }
        // In the order of the file, so that an error is always about the first family it holds for.
        for parent in families.keys.sorted() {
            let children = families[parent] ?? []
            let rewards = try calibrated(children.map { SentenceReward(nodes[$0]) })
            for (child, reward) in zip(children, rewards) {
                nodes[child].scores[ScoreName.calibrated] = reward
            }
        }
    }

    /// Calibrates every node and writes the path score, `calibrated`, to every candidate drawn as sentences.
    /// Relevance stands in the nodes already, so λ can be changed without scoring again.
    ///
    /// - Throws: what `calibrated(_:)` throws.
    package func calibrate(_ sample: inout Sample) throws {
        try calibrate(&sample.nodes, sample.nodes.indices)
        for index in sample.candidates.indices where !sample.candidates[index].path.isEmpty {
            let rewards = sample.candidates[index].path.compactMap {
                sample.nodes[$0].scores[ScoreName.calibrated]
            }
            sample.candidates[index].scores[ScoreName.calibrated] = pathScore(rewards)
        }
    }
}
