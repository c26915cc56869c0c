import Imaging
import Foundation

/// One picture with everything that is said about it: children of one root, so that the picture and the
/// prompt's opening are computed once.
package struct SupervisedExample: AnswerGroup {
    package struct Sample: Sendable {
        /// Tokens after the root that are given.
        package let prompt: [Int32]
        /// Tokens that are learned, end token included.
        package let answer: [Int32]
        /// Weight of the sample among those of the batch.
        package let weight: Float

        package init(prompt: [Int32], answer: [Int32], weight: Float = 1) {
            self.prompt = prompt
            self.answer = answer
            self.weight = weight
        }
    }

    package let id: String
    /// nil for text alone.
    package let pixels: TowerInput?
    /// Tokens up to where the samples part.
    package let prompt: [Int32]
    package let samples: [Sample]

    package var answers: [[Int32]] { samples.map { $0.prompt + $0.answer } }
    package func given(_ answer: Int) -> Int { samples[answer].prompt.count }

    /// - Parameters:
    ///   - pixels: the picture as the tower reads it.
    ///   - root: −1 − i stands for the picture's token i.
    package init(id: String, pixels: TowerInput?, root: [Int32], samples: [Sample]) {
        self.id = id
        self.pixels = pixels
        prompt = root
        self.samples = samples
    }
}

/// The weighted mean cross-entropy of the tokens that are learned.
package struct SupervisedLoss: Objective {
    /// A sample of n answer tokens weighs n^(1 − balance): 0 counts tokens, 1 counts samples. One-word answers
    /// drown among captions at 0.
    package let lengthBalance: Float

    package init(lengthBalance: Float) { self.lengthBalance = lengthBalance }

    package func slopes(
        of range: Range<Int>, in batch: [SupervisedExample], _ read: [Reading]
    ) -> [Reading] {
        let total = totalWeight(batch)
        return range.map { index in
            zip(batch[index].samples, read[index]).map { sample, logs in
                Array(repeating: Double(-tokenWeight(sample) / total), count: logs.count)
            }
        }
    }

    /// Besides the loss the mean loss of a token (unweighted), and the share of tokens whose probability is above one
    /// half.
    package func metrics(_ batch: [SupervisedExample], _ read: [Reading]) -> Metrics {
        var (loss, weighted, sure, tokens) = (0.0, 0.0, 0, 0)
        for (example, reading) in zip(batch, read) {
            for (sample, logs) in zip(example.samples, reading) {
                let weight = tokenWeight(sample)
                for log in logs.map({ Float($0) }) {
                    loss -= Double(log)
                    weighted -= Double(log * weight)
                    sure += log > -0.693 ? 1 : 0
                }
                tokens += logs.count
            }
        }
        return [
            ("loss", weighted / Double(totalWeight(batch))), ("token_loss", loss / Double(tokens)),
            ("token_accuracy", Double(sure) / Double(tokens)),
        ]
    }

    private func tokenWeight(_ sample: SupervisedExample.Sample) -> Float {
        sample.weight * Float(pow(Double(sample.answer.count), Double(-lengthBalance)))
    }

    /// Of all tokens together.
    private func totalWeight(_ batch: [SupervisedExample]) -> Float {
        batch.reduce(Float(0)) { sum, example in
            sum + example.samples.reduce(0) { $0 + tokenWeight($1) * Float($1.answer.count) }
        }
    }
}
