import Kernels
import Random

/// Made-up weights that share their memory until they are laid out for products: for whoever measures time.
package struct PooledSource: ParameterSource {
    private let compute: Compute
    private let half: HalfFloat?
    private let pool: Buffer

    /// - Parameters:
    ///   - half: what weights are stored as; nil for f32.
    ///   - count: elements of the largest matrix.
    package init(_ compute: Compute, half: HalfFloat?, count: Int) {
        (self.compute, self.half) = (compute, half)
        pool = Buffer(count: half == nil ? count : (count + 1) / 2)
        var random = SplitMix64(seed: 1)
        // One float, or two of bf16, of ±0.008 to ±0.016; as f16 they are ±1 to ±1.1.
        for i in 0..<pool.count {
            pool.base[i] = Float(
                bitPattern: UInt32(truncatingIfNeeded: random.next()) & 0x807f_807f | 0x3c00_3c00)
        }
    }

    package func has(_ name: String) -> Bool { true }

    package func parameter(_ name: String, _ shape: [Int], start: ParameterStart) throws -> Parameter {
        guard shape.count == 2, case .normal = start else {
            return RandomSource(seed: 1).parameter(name, shape, start: start)
        }
        let bytes = UnsafeRawBufferPointer(
            start: pool.base, count: (half == nil ? 4 : 2) * shape[0] * shape[1])
        let stored = StoredMatrix(
            mapped: bytes, as: half, rows: shape[0], columns: shape[1], owner: pool, isFile: false)
        return Parameter(name: name, shape: shape, stored: stored, compute: compute)
    }
}

extension Llama {
    /// One layer like these, with made-up weights and a layer's share of the head: so many times what it takes is what
    /// the decoder takes.
    package func oneLayer() throws -> Llama {
        var config = self.config
        config.vocabSize = max(16, config.vocabSize / config.layerCount)
        config.layerCount = 1
        let weight = layers[0].projections[0].weight
        let widest = max(
            config.intermediateSize, config.vocabSize, config.headCount * config.headDim, config.hiddenSize)
        let copy = try Llama(
            PooledSource(weight.compute, half: weight.stored.half, count: widest * 2 * config.hiddenSize),
            config: config)
        if head.compute == .int8 { copy.quantize() }
        return copy
    }
}
