import Kernels
import Random

/// One named tensor of a model: its value, and its gradient while it is trained.
package final class Parameter: @unchecked Sendable {
    /// The name in a Hugging Face checkpoint.
    package let name: String
    package let shape: [Int]
    /// `[shape[0] × rest]`; a vector is one row.
    package let value: Matrix
    /// nil while frozen; gradients are added to it.
    package private(set) var gradient: Matrix?
    /// What it learns at, as a share of the learning rate.
    package var rateShare: Float = 1

    private let storage: Buffer
    private var gradientStorage: Buffer?

    package init(name: String, shape: [Int]) {
        self.name = name
        self.shape = shape
        let rows = shape.count < 2 ? 1 : shape[0]
        let count = shape.reduce(1, *)
        storage = Buffer(count: count)
        value = Matrix(storage.base, rows: rows, columns: count / max(rows, 1))
    }

    package var count: Int { value.count }
    package var isTrained: Bool { gradient != nil }

    package func train() {
        guard gradient == nil else { return }
        let buffer = Buffer(count: count)
        gradientStorage = buffer
        gradient = Matrix(buffer.base, rows: value.rows, columns: value.columns)
    }

    package func freeze() {
        gradient = nil
        gradientStorage = nil
    }
}

/// Where a model's parameters come from when it is built: a checkpoint's tensors or a random start.
package protocol ParameterSource {
    /// - Throws: when the tensor is missing or has another shape, naming the file and the tensor.
    func parameter(_ name: String, _ shape: [Int], start: ParameterStart) throws -> Parameter
    func has(_ name: String) -> Bool
}

package enum ParameterStart: Sendable {
    case normal(deviation: Double)
    case constant(Float)
}

/// A random start: draws depend on the seed and the parameter's name alone.
package struct RandomSource: ParameterSource {
    let seed: UInt64

    package init(seed: UInt64) { self.seed = seed }

    package func has(_ name: String) -> Bool { true }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) -> Parameter {
        let parameter = Parameter(name: name, shape: shape)
        switch start {
        case .constant(let value): parameter.value.fill(value)
        case .normal(let deviation):
            var generator = SplitMix64(seed: seed, key: name)
            for i in 0..<parameter.count {
                parameter.value.base[i] = Float(generator.nextGaussian() * deviation)
            }
        }
        return parameter
    }
}
