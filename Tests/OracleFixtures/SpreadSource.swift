import Kernels
import Model
import Random

/// A random start that is wide awake: norms away from 1, biases away from 0, and weights large enough that
/// attention is far from even. Fresh models are too tame to show a wrong mask.
package struct SpreadSource: ParameterSource {
    private let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    package func has(_ name: String) -> Bool { true }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) -> Parameter {
        let parameter = Parameter(name: name, shape: shape)
        var generator = SplitMix64(seed: seed, key: name)
        for i in 0..<parameter.count {
            let draw = generator.nextGaussian()
            switch start {
            case .constant(let value): parameter.value.base[i] = value + Float(0.2 * draw)
            case .normal:
                let inputs = shape.count > 1 ? shape.dropFirst().reduce(1, *) : 1
                parameter.value.base[i] = Float(1.5 * draw / Double(inputs).squareRoot())
            }
        }
        return parameter
    }
}
