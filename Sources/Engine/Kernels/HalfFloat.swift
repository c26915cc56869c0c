import CKernels

/// The floats of two bytes that checkpoints hold.
package enum HalfFloat: Sendable {
    case f16, bf16

    /// Exact, NaN payloads and subnormals included.
    ///
    /// - Parameters:
    ///   - halves: two bytes a number, at any address.
    ///   - floats: as many.
    package func widen(_ halves: UnsafeRawBufferPointer, into floats: UnsafeMutableBufferPointer<Float>) {
        precondition(halves.count == 2 * floats.count)
        guard let source = halves.baseAddress, let target = floats.baseAddress else { return }
        switch self {
        case .f16: sl_widen_f16(source, target, floats.count)
        case .bf16: sl_widen_bf16(source, target, floats.count)
        }
    }

    /// To the nearest, ties to even; what is too large becomes infinity.
    package func narrow(_ floats: [Float]) -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: floats.count) { halves, count in
            count = floats.count
            guard let target = halves.baseAddress else { return }
            floats.withUnsafeBufferPointer { narrow($0, into: target) }
        }
    }

    /// The same into memory with room for two bytes a number.
    package func narrow(_ floats: UnsafeBufferPointer<Float>, into halves: UnsafeMutableRawPointer) {
        guard let source = floats.baseAddress else { return }
        switch self {
        case .f16: sl_narrow_f16(source, halves, floats.count)
        case .bf16: sl_narrow_bf16(source, halves, floats.count)
        }
    }
}
