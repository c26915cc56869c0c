import Records
import Rewards

/// CSR's rewards of drawn sentences, for whoever grows a tree and whoever reads one: `sample` steers by what
/// `calibrate` writes.
package struct SentenceScorer {
    package let calibration: Calibration
    /// Without it the relevance that stands in the nodes is used, so that λ can be changed without a model.
    package let relevance: RelevanceModel?
    /// Whether the relevance model reads sentences as `SentenceFilter` cleans them.
    package let cleansTexts: Bool

    package init(calibration: Calibration, relevance: RelevanceModel?, cleansTexts: Bool = false) {
        (self.calibration, self.relevance, self.cleansTexts) = (calibration, relevance, cleansTexts)
    }

    /// Writes `likelihood`, `relevance` and `calibrated` to the nodes of one level, and `cosine` beside a relevance
    /// that has its base rate off.
    ///
    /// - Parameters:
    ///   - fresh: whole families: every child of each parent that has one in it.
    /// - Throws: `PreferenceError` where λ > 0 and relevance can't be known, and what the model throws.
    package func score(_ nodes: inout [SentenceNode], _ fresh: Range<Int>, image: PictureFile?) throws {
        if let relevance, let image {
            let scores = try relevance.scores(image: image, texts: nodes[fresh].map(read))
            for (index, score) in zip(fresh, scores) { nodes[index].set(score) }
        }
        try calibration.calibrate(&nodes, fresh)
    }

    private func read(_ node: SentenceNode) -> String {
        cleansTexts ? SentenceFilter.cleaned(node.text) : node.text
    }

    /// Whole trees and their candidates' path scores; the texts of all go through the model together.
    ///
    /// - Returns: one result per sample; what fails is that sample's alone.
    package func score(_ works: [(sample: Sample, image: PictureFile?)]) -> [Result<Sample, any Error>] {
        let queries = works.indices.compactMap { index in
            works[index].image.map { image in
                (index, RelevanceModel.Query(image: image, texts: works[index].sample.nodes.map(read)))
            }
        }
        let scores = relevance?.scores(queries.map(\.1))
        var byWork: [Int: Result<[RelevanceScore?], any Error>] = [:]
        for ((index, _), result) in zip(queries, scores ?? []) { byWork[index] = result }
        return works.indices.map { index in
            Result {
                var sample = works[index].sample
                for (node, score) in zip(sample.nodes.indices, try byWork[index]?.get() ?? []) {
                    sample.nodes[node].set(score)
                }
                try calibration.calibrate(&sample)
                return sample
            }
        }
    }
}

extension SentenceNode {
    fileprivate mutating func set(_ score: RelevanceScore?) {
        scores[ScoreName.relevance] = score?.relevance
        scores[ScoreName.logit] = score?.logit
        scores[ScoreName.cosine] = score.flatMap { $0.baseRate == nil ? nil : $0.cosine }
    }
}
