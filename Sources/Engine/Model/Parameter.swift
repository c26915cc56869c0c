import Kernels
import Random
import Synchronization

/// One named tensor of a model: its value, and its gradient while it is trained.
package final class Parameter: @unchecked Sendable {
    /// The name in a Hugging Face checkpoint.
    package let name: String
    package let shape: [Int]
    /// How products with it are computed.
    package let compute: Compute
    /// nil while frozen; gradients are added to it.
    package private(set) var gradient: Matrix?
    /// What it learns at, as a share of the learning rate.
    package var rateShare: Float = 1

    private enum Storage {
        case floats(Buffer)
        case mapped(StoredMatrix)
    }
    private let storage: Mutex<Storage>
    private var gradientStorage: Buffer?

    /// Zero at first.
    package init(name: String, shape: [Int], compute: Compute = .f32) {
        (self.name, self.shape, self.compute) = (name, shape, compute)
        storage = Mutex(.floats(Buffer(count: shape.reduce(1, *))))
    }

    /// - Parameter stored: `[shape[0] × rest]`, in a checkpoint.
    package init(name: String, shape: [Int], stored: StoredMatrix, compute: Compute) {
        precondition(stored.rows == shape[0] && stored.rows * stored.columns == shape.reduce(1, *))
        (self.name, self.shape, self.compute) = (name, shape, compute)
        storage = Mutex(.mapped(stored))
    }

    package var rows: Int { shape.count < 2 ? 1 : shape[0] }
    package var columns: Int { count / max(rows, 1) }
    package var count: Int { shape.reduce(1, *) }
    package var isTrained: Bool { gradient != nil }

    /// `[rows × columns]`, to be read or written. What a checkpoint stores is copied into floats for it.
    package var value: Matrix {
        storage.withLock { storage in
            switch storage {
            case .floats(let buffer): return Matrix(buffer.base, rows: rows, columns: columns)
            case .mapped(let stored):
                let buffer = Buffer(count: count)
                let matrix = Matrix(buffer.base, rows: rows, columns: columns)
                for row in 0..<rows { stored.read(row: row, into: matrix.row(row)) }
                storage = .floats(buffer)
                return matrix
            }
        }
    }

    /// The same where it lies, to be read.
    package var stored: StoredMatrix {
        storage.withLock { storage in
            switch storage {
            case .floats(let buffer):
                StoredMatrix(Matrix(buffer.base, rows: rows, columns: columns), owner: buffer)
            case .mapped(let stored): stored
            }
        }
    }

    /// A copy of the elements, row after row.
    package var values: [Float] {
        let stored = stored
        return [Float](unsafeUninitializedCapacity: count) { floats, filled in
            for row in 0..<rows { stored.read(row: row, into: floats.baseAddress! + row * columns) }
            filled = count
        }
    }

    package func train() {
        guard gradient == nil else { return }
        let buffer = Buffer(count: count)
        gradientStorage = buffer
        gradient = Matrix(buffer.base, rows: rows, columns: columns)
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
    private let compute: Compute

    package init(seed: UInt64, compute: Compute = .f32) { (self.seed, self.compute) = (seed, compute) }

    package func has(_ name: String) -> Bool { true }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) -> Parameter {
        let parameter = Parameter(name: name, shape: shape, compute: compute)
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
