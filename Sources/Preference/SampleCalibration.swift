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

extension Calibration {
    /// Writes `likelihood` and `calibrated` to every node and `calibrated` to every candidate drawn as
    /// sentences. Relevance stands in the nodes already, so λ can be changed without scoring again. Siblings
    /// are the nodes of one parent in the order of the record; a tree that was steered by the same rule over
    /// the same siblings therefore gets the same numbers.
    ///
    /// - Throws: what `calibrated(_:)` throws.
    package func calibrate(_ sample: inout Sample) throws {
        let families = Dictionary(grouping: sample.nodes.indices) { sample.nodes[$0].parent }
        // In the order of the file, so that an error is always about the first family it holds for.
        for parent in families.keys.sorted() {
            let children = families[parent] ?? []
            let rewards = try calibrated(children.map { SentenceReward(sample.nodes[$0]) })
            for (child, reward) in zip(children, rewards) {
                sample.nodes[child].scores[ScoreName.likelihood] =
                    SentenceReward(sample.nodes[child]).likelihood
                sample.nodes[child].scores[ScoreName.calibrated] = reward
            }
        }
        for index in sample.candidates.indices where !sample.candidates[index].path.isEmpty {
            let rewards = sample.candidates[index].path.compactMap {
                sample.nodes[$0].scores[ScoreName.calibrated]
            }
            sample.candidates[index].scores[ScoreName.calibrated] = pathScore(rewards)
        }
    }
}
