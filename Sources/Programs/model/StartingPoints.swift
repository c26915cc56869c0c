import Kernels
import Model
import Random
import Synchronization

/// Parameters by name, shape and start alone: their values are drawn when they are written, and no page of their memory is
/// touched before.
final class StartingPoints: ParameterSource {
    private let starts = Mutex<[String: ParameterStart]>([:])

    func has(_ name: String) -> Bool { true }

    func parameter(_ name: String, _ shape: [Int], start: ParameterStart) -> Parameter {
        starts.withLock { $0[name] = start }
        return Parameter(name: name, shape: shape)
    }

    /// Draws depend on the seed, the name and the block of values alone, not on the number of threads.
    func values(of parameter: Parameter, seed: UInt64) -> [Float] {
        let start = starts.withLock { $0[parameter.name] } ?? .constant(0)
        guard case .normal(let deviation) = start else {
            if case .constant(let value) = start { return Array(repeating: value, count: parameter.count) }
            return []
        }
        let block = 1 << 16
        return [Float](unsafeUninitializedCapacity: parameter.count) { buffer, filled in
            nonisolated(unsafe) let values = buffer.baseAddress!
            let count = parameter.count
            Parallel.run((count + block - 1) / block) { index in
                var generator = SplitMix64(seed: seed, key: parameter.name, index: UInt64(index))
                for i in index * block..<min(count, (index + 1) * block) {
                    values[i] = Float(generator.nextGaussian() * deviation)
                }
            }
            filled = count
        }
    }
}
