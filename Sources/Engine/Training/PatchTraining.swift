import Foundation
import Kernels
import Model

/// Teaches a vision tower what its patches show, by a linear reading of their hidden states: a start from which
/// captions and sentences are learned several times sooner than from nothing.
package final class PatchTrainer {
    private let tower: ClipVisionTower
    private let depth: Int
    private let groups: [Int]
    private let head: Linear
    private let arena = Arena()

    /// - Parameters:
    ///   - depth: layers of the tower to read behind; LLaVA reads behind the last but one.
    ///   - groups: how many labels each question about a patch has.
    package init(_ tower: ClipVisionTower, depth: Int, groups: [Int]) {
        (self.tower, self.depth, self.groups) = (tower, depth, groups)
        let count = groups.reduce(0, +)
        head = Linear(
            weight: Parameter(name: "patch_head.weight", shape: [count, tower.config.hiddenSize]),
            bias: Parameter(name: "patch_head.bias", shape: [count]))
    }

    /// Of the reading; they belong to the optimizer and its checkpoints, not to the model.
    package var parameters: [Parameter] { head.parameters }
    package func weightsChanged() { head.weightsChanged() }

    /// Adds the gradient of the cross-entropies, a mean over the labeled patches for each group, added up.
    ///
    /// - Parameters:
    ///   - pixels: per image, planar `[3, H, W]`, normalized.
    ///   - labels: per image, patch and group; −1 where nothing is asked.
    /// - Returns: the loss, and of each group how many patches are told right.
    package func addGradients(_ pixels: [[Float]], labels: [[[Int]]]) -> Metrics {
        arena.reset()
        let tape = tower.forward(pixels, depth: depth, arena)
        let (patches, width) = (tower.config.patchCount, tower.config.hiddenSize)
        let read = arena.matrix(pixels.count * patches, width)
        for image in 0..<pixels.count {
            read.rows(image * patches..<(image + 1) * patches).copy(from: tape.hidden.rows(rows(of: image)))
        }
        let logits = head.forward(read, arena).y
        let (loss, right) = crossEntropy(logits, labels.flatMap { $0 })
        let dRead = arena.matrix(read.rows, width)
        head.backward(read, low: nil, dy: logits, dx: dRead, accumulate: false, arena)
        let dHidden = arena.zeros(tape.hidden.rows, width)
        for image in 0..<pixels.count {
            dHidden.rows(rows(of: image)).copy(from: dRead.rows(image * patches..<(image + 1) * patches))
        }
        tower.backward(tape, dHidden: dHidden, arena)
        return [("loss", loss)] + right.enumerated().map { ("patch_accuracy_\($0.offset)", $0.element) }
    }

    /// The patches of an image among the tower's rows; the class token stands before them.
    private func rows(of image: Int) -> Range<Int> {
        let count = tower.config.patchCount + 1
        return image * count + 1..<(image + 1) * count
    }

    /// Logits `[patches × labels]` become their gradient.
    private func crossEntropy(_ logits: Matrix, _ labels: [[Int]]) -> (loss: Double, right: [Double]) {
        var (loss, right, first) = (0.0, [Double](), 0)
        for (group, size) in groups.enumerated() {
            let asked = max(1, labels.count { $0[group] >= 0 })
            var hits = 0
            for (row, label) in labels.enumerated() {
                let scores = logits.row(row) + first
                guard label[group] >= 0 else {
                    scores.update(repeating: 0, count: size)
                    continue
                }
                let best = (0..<size).max { scores[$0] < scores[$1] }
                hits += best == label[group] ? 1 : 0
                loss -= Double(logProbability(scores, size, of: label[group])) / Double(asked)
                logProbabilityBackward(scores, size, of: label[group], weight: -1 / Float(asked))
            }
            right.append(Double(hits) / Double(asked))
            first += size
        }
        return (loss, right)
    }
}
