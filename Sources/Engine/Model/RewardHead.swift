import Checkpoint
import Foundation
import Kernels
import Random

/// A hidden state's score: Linear(hidden → 1). The weight starts as PyTorch's Linear does, uniform within
/// ±1/√hidden, the bias at 0.
package final class RewardHead: @unchecked Sendable {
    /// `[1 × C]`
    package let weight: Parameter
    package let bias: Parameter

    package init(width: Int, seed: UInt64) {
        weight = Parameter(name: "weight", shape: [1, width])
        bias = Parameter(name: "bias", shape: [1])
        var generator = SplitMix64(seed: seed, key: "reward_head.weight")
        let bound = 1 / Double(width).squareRoot()
        for i in 0..<width { weight.value.base[i] = Float((2 * generator.nextUniform() - 1) * bound) }
    }

    /// Reads what `write` wrote.
    /// - Throws: `CheckpointError` for a head of another width.
    package convenience init(_ url: URL, width: Int) throws {
        self.init(width: width, seed: 0)
        let file = try SafetensorsFile(url)
        for parameter in parameters {
            let view = try file.tensor(named: parameter.name)
            guard view.shape == parameter.shape else {
                throw CheckpointError(
                    "\(url.path): tensor \(parameter.name)",
                    "it is \(view.shape) and the model wants \(parameter.shape)",
                    "use the model that the head was trained on")
            }
            try view.read(
                into: UnsafeMutableBufferPointer(start: parameter.value.base, count: parameter.count))
        }
    }

    package var parameters: [Parameter] { [weight, bias] }

    package func write(to url: URL) throws {
        try SafetensorsWriter.write(
            parameters.map { parameter in
                SafetensorsWriter.Tensor(
                    parameter.name, shape: parameter.shape, as: .f32, values: parameter.values)
            }, to: url)
    }

    /// The score of row `row` of `hidden` `[T × C]`.
    package func score(_ hidden: Matrix, row: Int) -> Double {
        let state = hidden.row(row)
        return (0..<hidden.columns).reduce(Double(bias.value.base[0])) {
            $0 + Double(state[$1]) * Double(weight.value.base[$1])
        }
    }

    /// Adds `slope` times the gradient of the row's score to the head's gradients and to `dHidden`.
    package func backward(_ hidden: Matrix, row: Int, slope: Double, dHidden: Matrix) {
        let (state, dState) = (hidden.row(row), dHidden.row(row))
        for i in 0..<hidden.columns {
            dState[i] += Float(slope) * weight.value.base[i]
            weight.gradient?.base[i] += Float(slope) * state[i]
        }
        bias.gradient?.base[0] += Float(slope)
    }
}
