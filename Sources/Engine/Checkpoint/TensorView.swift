import Kernels

/// One tensor of a mapped file: no copy, row-major, little-endian.
///
/// `bytes` stay valid as long as the view (or its file) is alive.
package struct TensorView: @unchecked Sendable {
    // Unchecked only because raw pointers are not Sendable: the mapping is read-only, and `file` keeps it.
    package let name: String
    package let elementType: ElementType
    package let shape: [Int]
    package let bytes: UnsafeRawBufferPointer
    package let file: SafetensorsFile

    package var count: Int { bytes.count / elementType.byteCount }

    /// False in the rare file whose header is not padded: kernels that load whole elements straight
    /// from the mapping need true, `read(into:)` does not.
    package var isAligned: Bool {
        Int(bitPattern: bytes.baseAddress) % elementType.byteCount == 0
    }

    /// As a matrix `[shape[0] × rest]` that is read where it lies; nil where a float's address isn't a float's, and for
    /// integers.
    package var matrix: StoredMatrix? {
        guard let rows = shape.first, rows > 0, elementType == .f32 ? isAligned : elementType.half != nil
        else {
            return nil
        }
        return StoredMatrix(
            mapped: bytes, as: elementType.half, rows: rows, columns: count / rows, owner: file)
    }

    /// Widens every element to f32 (exactly).
    ///
    /// - Parameter destination: `count` floats, row-major as stored.
    /// - Throws: `CheckpointError` where the tensor holds integers or `destination` has another length.
    package func read(into destination: UnsafeMutableBufferPointer<Float>) throws {
        guard elementType.isFloat else {
            throw CheckpointError(
                "\(file.path): tensor \(name)",
                "it holds \(elementType.rawValue) integers where weights are needed",
                "convert the checkpoint to F32, F16 or BF16")
        }
        guard destination.count == count else {
            throw CheckpointError(
                "\(file.path): tensor \(name)",
                "it has \(count) elements of shape \(shape), not \(destination.count)",
                "check that config.json belongs to these weights")
        }
        switch elementType {
        case .f16: HalfFloat.f16.widen(bytes, into: destination)
        case .bf16: HalfFloat.bf16.widen(bytes, into: destination)
        default: UnsafeMutableRawBufferPointer(destination).copyMemory(from: bytes)
        }
    }

    /// All elements as f32, row-major.
    ///
    /// - Throws: `CheckpointError` where the tensor holds integers.
    package func floats() throws -> [Float] {
        try [Float](unsafeUninitializedCapacity: count) { buffer, initialised in
            try read(into: UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
            initialised = count
        }
    }
}
