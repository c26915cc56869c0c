import Records

/// Names of the scores that calibration reads and writes.
package enum ScoreName {
    /// Mean token log-probability of a sentence, in nats.
    package static let likelihood = "likelihood"
    /// Cosine of image and sentence under the relevance model, or what is left of it without its base rate.
    package static let relevance = "relevance"
    /// The cosine itself, where `relevance` has its base rate off.
    package static let cosine = "cosine"
    /// z of a SigLIP: the log of the odds that picture and sentence belong together.
    package static let logit = "logit"
    /// What the search that drew a sentence makes of it: the mean of its penalised log-probabilities, in nats.
    package static let beam = "beam"
    /// The calibrated reward of a sentence, or the path score of a candidate.
    package static let calibrated = "calibrated"
    /// A reward model's score of a candidate.
    package static let graded = "graded"
    /// The same with its symbolic rewards.
    package static let reward = "reward"
    /// Sentences that the known scene calls false, negated: found where it is asked for, never written.
    package static let truth = "truth"
}

extension SentenceReward {
    /// The reward material of a drawn sentence; its relevance is the node's own score of that name.
    package init(_ node: SentenceNode) {
        self.init(
            logProbability: node.logprob, tokenCount: node.ids.count,
            relevance: node.scores[ScoreName.relevance],
            hasBaseRate: node.scores[ScoreName.cosine] == nil)
    }

    /// - Throws: `PreferenceError.missingScore` where another search drew it than one with scores.
    fileprivate init(_ node: SentenceNode, _ likelihood: Calibration.Likelihood, place: String) throws {
        self.init(node)
        guard likelihood == .beam else { return }
        guard let mean = node.scores[ScoreName.beam] else {
            throw PreferenceError.missingScore(
                where: place, name: ScoreName.beam,
                remedy: "draw them by group beams, or use the model's likelihood")
        }
        logProbability = mean * Double(tokenCount)
    }
}

extension SentenceNode {
    /// Whether it says anything. The end token drawn right after a full stop makes a node without words: the
    /// end of an answer, not a sentence of it.
    package var hasWords: Bool { text.unicodeScalars.contains { !$0.properties.isWhitespace } }
}

extension Candidate {
    /// Whether it says anything.
    package var hasWords: Bool { text.contains { !$0.isWhitespace } }
}

extension Calibration {
    /// Writes `likelihood` and `calibrated` to the nodes of `range`, compared among their peers in the order of
    /// the record; a tree that was steered by the same rule therefore gets the same numbers. A node without
    /// words has nothing to be relevant with: it gets no `calibrated`, and its peers are compared without it.
    ///
    /// - Parameter range: whole sets of peers: a level of the tree, or all nodes.
    /// - Throws: what `calibrated(_:)` throws.
    package func calibrate(_ nodes: inout [SentenceNode], _ range: Range<Int>) throws {
        var depths: [Int] = []
        for node in nodes { depths.append(node.parent < 0 ? 0 : depths[node.parent] + 1) }
        for index in range {
            nodes[index].scores[ScoreName.likelihood] = SentenceReward(nodes[index]).likelihood
            if !nodes[index].hasWords { nodes[index].scores[ScoreName.calibrated] = nil }
        }
        let groups = Dictionary(grouping: range.filter { nodes[$0].hasWords }) { index in
            switch peers {
            case .siblings: nodes[index].parent
            case .level: depths[index]
            }
        }
        // In a fixed order, so that an error is always about the first set it holds for.
        for key in groups.keys.sorted() {
            let group = groups[key] ?? []
            let rewards = try calibrated(
                group.map { try SentenceReward(nodes[$0], likelihood, place: "nodes[\($0)]") })
            for (index, reward) in zip(group, rewards) { nodes[index].scores[ScoreName.calibrated] = reward }
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
