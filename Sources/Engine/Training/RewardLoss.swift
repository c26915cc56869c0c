import Foundation
import Model

/// Answers to one prompt, each followed by the turn that has it graded: children of one root.
package struct GradedExample: AnswerGroup {
    package let id: String
    package let prompt: [Int32]
    package let picture: Picture?
    /// The score of each is read at its last token.
    package let answers: [[Int32]]

    package init(id: String, prompt: [Int32], picture: Picture?, answers: [[Int32]]) {
        self.id = id
        self.prompt = prompt
        self.picture = picture
        self.answers = answers
    }
}

/// The loss that reward models are trained with, on scores of a head: −log σ(r_w − r_l), its mean over a batch, and
/// a term that centers the scores, which the difference alone leaves free: weight · |mean(r_w + r_l)|. A group's first
/// answer is the chosen one, its second the rejected one.
package struct RewardLoss: Objective {
    package var centering: Double

    package init(centering: Double = 1e-3) { self.centering = centering }

    /// The centering term is of the whole batch.
    package var isOverBatch: Bool { true }

    package func slopes(of range: Range<Int>, in batch: [GradedExample], _ read: [Reading]) -> [Reading] {
        evaluate(Self.pairs(read)).slopes[range].map { [[$0.chosen], [$0.rejected]] }
    }

    package func metrics(_ batch: [GradedExample], _ read: [Reading]) -> Metrics {
        let pairs = Self.pairs(read)
        func mean(_ value: (PairScores) -> Double) -> Double {
            pairs.reduce(0) { $0 + value($1) } / Double(pairs.count)
        }
        return [
            ("loss", evaluate(pairs).loss), ("rewards/chosen", mean(\.chosen)),
            ("rewards/rejected", mean(\.rejected)),
            ("rewards/accuracies", mean { $0.chosen > $0.rejected ? 1 : 0 }),
            ("rewards/margins", mean { $0.chosen - $0.rejected }),
        ]
    }

    private static func pairs(_ read: [Reading]) -> [PairScores] {
        read.map { PairScores(chosen: $0[0][0], rejected: $0[1][0]) }
    }

    /// The loss of a batch and dLoss/dscore of every answer.
    package func evaluate(_ batch: [PairScores]) -> (loss: Double, slopes: [PairScores]) {
        let count = Double(batch.count)
        let mean = batch.reduce(0) { $0 + $1.chosen + $1.rejected } / count
        let pull = mean == 0 ? 0 : centering * (mean < 0 ? -1 : 1) / count
        var loss = centering * abs(mean)
        let slopes = batch.map { scores in
            let z = scores.chosen - scores.rejected
            loss += surprise(z) / count
            let slope = doubt(z) / count
            return PairScores(chosen: pull - slope, rejected: pull + slope)
        }
        return (loss, slopes)
    }
}
