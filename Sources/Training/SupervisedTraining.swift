import Foundation
import Kernels
import Model

/// One picture with everything that is said about it: children of one root, so that the picture and the
/// prompt's opening are computed once.
package struct SupervisedExample: Sendable {
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
    /// Planar `[3, H, W]`; nil for text alone.
    package let pixels: [Float]?
    /// Tokens up to where the samples part; −1 − i stands for the picture's token i.
    package let root: [Int32]
    package let samples: [Sample]

    package init(id: String, pixels: [Float]?, root: [Int32], samples: [Sample]) {
        (self.id, self.pixels, self.root, self.samples) = (id, pixels, root, samples)
    }
}

/// Supervised training of a LLaVA, LoRA or full: whatever of the model is trained gets its gradient.
package final class SupervisedTrainer {
    private let model: VisionLanguageModel
    private let arena = Arena()
    /// A sample of n answer tokens weighs n^(1 − balance): 0 counts tokens, 1 counts samples. One-word answers
    /// drown among captions at 0.
    private let lengthBalance: Float

    package init(_ model: VisionLanguageModel, lengthBalance: Float) {
        self.model = model
        self.lengthBalance = lengthBalance
    }

    /// Adds the gradient of the weighted mean cross-entropy of the batch, in `passes` runs of about equal size.
    /// - Returns: the mean loss per answer token (unweighted) and the share of answer tokens that would be
    ///   said greedily… that is, whose probability is above one half.
    package func addGradients(_ batch: [SupervisedExample], passes: Int = 1) -> Metrics {
        let total = batch.reduce(Float(0)) { sum, example in
            sum + example.samples.reduce(0) { $0 + tokenWeight($1) * Float($1.answer.count) }
        }
        var (loss, weighted, sure, tokens) = (0.0, 0.0, 0, 0)
        for pass in 0..<passes {
            let part = batch[batch.count * pass / passes..<batch.count * (pass + 1) / passes]
            let logs = step(part, total: total)
            for (log, weight) in logs {
                loss -= Double(log)
                weighted -= Double(log * weight)
                sure += log > -0.693 ? 1 : 0
            }
            tokens += logs.count
        }
        return [
            ("loss", weighted / Double(total)), ("token_loss", loss / Double(tokens)),
            ("token_accuracy", Double(sure) / Double(tokens)),
        ]
    }

    /// Mean loss per answer token without gradients.
    package func loss(_ batch: [SupervisedExample]) -> Double {
        let pass = forward(batch[...])
        let logs = model.decoder.logProbabilities(pass.tape.hidden, pass.labels, arena)
        return -logs.reduce(0) { $0 + Double($1) } / Double(logs.count)
    }

    private func tokenWeight(_ sample: SupervisedExample.Sample) -> Float {
        sample.weight * Float(pow(Double(sample.answer.count), Double(-lengthBalance)))
    }

    private func forward(_ batch: ArraySlice<SupervisedExample>) -> (
        images: Llava.ImageTape?, tape: Llama.Tape, labels: [Label], weights: [Float]
    ) {
        arena.reset()
        let pixels = batch.compactMap(\.pixels)
        let images = pixels.isEmpty ? nil : model.encode(pixels, arena)
        var forest = TokenForest()
        var labels: [Label] = []
        var weights: [Float] = []
        var rows = images?.rows[...] ?? []
        for example in batch {
            let first = example.pixels == nil ? 0 : Int32(rows.removeFirst().lowerBound)
            let root = forest.add(example.root.map { $0 < 0 ? $0 - first : $0 })
            for sample in example.samples {
                let span = forest.add(sample.prompt + sample.answer, parent: root)
                let answer = forest.labels(of: span).suffix(sample.answer.count)
                labels += answer
                weights += answer.map { _ in tokenWeight(sample) }
            }
        }
        return (images, model.decoder.forward(forest, features: images?.features, arena), labels, weights)
    }

    private func step(_ batch: ArraySlice<SupervisedExample>, total: Float) -> [(Float, Float)] {
        let pass = forward(batch)
        let decoder = model.decoder
        let logs = decoder.logProbabilities(pass.tape.hidden, pass.labels, arena)
        let dHidden = decoder.logProbabilitiesBackward(
            pass.tape.hidden, pass.labels, weights: pass.weights.map { -$0 / total }, arena)
        let dFeatures = pass.images.map { arena.zeros($0.features.rows, $0.features.columns) }
        decoder.backward(pass.tape, dHidden: dHidden, dFeatures: dFeatures, arena)
        if let images = pass.images, let dFeatures {
            model.encodeBackward(images, dFeatures: dFeatures, arena)
        }
        return Array(zip(logs, pass.weights))
    }
}
