import Foundation
import Kernels
import Model

/// AdamW (Loshchilov & Hutter 2019) over a model's trained parameters, with global-norm clipping; the
/// arithmetic of `torch.optim.AdamW` and `clip_grad_norm_`.
package final class AdamW: @unchecked Sendable {
    package struct Settings: Sendable, Codable {
        package var beta1: Float = 0.9
        package var beta2: Float = 0.999
        package var epsilon: Float = 1e-8
        /// Applied to matrices only; norms and biases do not decay.
        package var weightDecay: Float = 0
        /// Largest L2 norm of the whole gradient; 0 leaves it alone.
        package var clip: Float = 1

        package init() {}
    }

    package let parameters: [Parameter]
    package let settings: Settings
    package private(set) var step = 0
    /// First and second moments, one after the other in the order of `parameters`.
    private let first: Buffer
    private let second: Buffer

    package init(_ parameters: [Parameter], _ settings: Settings) {
        self.parameters = parameters.filter(\.isTrained)
        self.settings = settings
        let count = self.parameters.reduce(0) { $0 + $1.count }
        first = Buffer(count: count)
        second = Buffer(count: count)
    }

    /// L2 norm over all gradients, in Double.
    package var gradientNorm: Double {
        parameters.reduce(0) { $0 + ($1.gradient.map { sumOfSquares($0.asOneRow) } ?? 0) }.squareRoot()
    }

    /// A number that changes with any bit of the values (FNV-1a over their words).
    package var fingerprint: UInt64 {
        parameters.reduce(0xcbf2_9ce4_8422_2325) { hash, parameter in
            (0..<parameter.count).reduce(hash) { hash, i in
                (hash ^ UInt64(parameter.value.base[i].bitPattern)) &* 0x100_0000_01b3
            }
        }
    }

    /// One step at learning rate `rate`; gradients are zero afterwards.
    /// - Parameter norm: `gradientNorm`, which the caller has looked at.
    package func update(rate: Float, norm: Double) {
        step += 1
        // torch: clip / (norm + 1e-6), never above 1.
        let factor = settings.clip > 0 ? min(1, Double(settings.clip) / (norm + 1e-6)) : 1
        let correction1 = Float(1 - pow(Double(settings.beta1), Double(step)))
        let correction2 = Float(1 - pow(Double(settings.beta2), Double(step)))
        var offset = 0
        for parameter in parameters {
            let (m, v) = (part(of: first, offset, parameter), part(of: second, offset, parameter))
            let step = AdamWStep(
                gradientScale: Float(factor), rate: rate * parameter.rateShare,
                betas: (settings.beta1, settings.beta2), corrections: (correction1, correction2),
                epsilon: settings.epsilon, decay: parameter.shape.count > 1 ? settings.weightDecay : 0)
            if let gradient = parameter.gradient {
                step.update(parameter.value, gradient: gradient, first: m, second: v)
            }
            offset += parameter.count
        }
    }

    private func part(of moments: Buffer, _ offset: Int, _ parameter: Parameter) -> Matrix {
        Matrix(moments.base + offset, rows: 1, columns: parameter.count)
    }

    /// The state a killed run needs to go on to the same bytes.
    package var moments: (step: Int, first: Matrix, second: Matrix) {
        (step, first.matrix(rows: 1, columns: first.count), second.matrix(rows: 1, columns: second.count))
    }

    package func restore(step: Int) { self.step = step }
}
