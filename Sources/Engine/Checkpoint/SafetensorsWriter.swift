import Files
import Foundation
import JSON
import Kernels

/// Writes safetensors files whose bytes depend only on what is in them.
package enum SafetensorsWriter {
    /// One tensor to write. Values are fetched when their turn comes, so that a large model is never held
    /// whole.
    package struct Tensor {
        enum Source {
            case floats(() throws -> [Float])
            case bytes(TensorView)
        }

        package let name: String
        package let shape: [Int]
        package let elementType: ElementType
        let source: Source

        /// - Parameter values: as many floats as `shape` says, row-major; rounded to `elementType`, ties to
        ///   even.
        package init(
            _ name: String, shape: [Int], as elementType: ElementType, values: @escaping () throws -> [Float]
        ) {
            self.name = name
            self.shape = shape
            self.elementType = elementType
            source = .floats(values)
        }

        package init(_ name: String, shape: [Int], as elementType: ElementType, values: [Float]) {
            self.init(name, shape: shape, as: elementType, values: { values })
        }

        /// Copies a stored tensor bit for bit, under `name`.
        package init(copying view: TensorView, as name: String) {
            self.name = name
            shape = view.shape
            elementType = view.elementType
            source = .bytes(view)
        }

        var byteCount: Int { (elementCount(of: shape) ?? 0) * elementType.byteCount }
    }

    /// Writes `tensors` to `url` as one file, by way of `AtomicFile`.
    ///
    /// Tensors lie in order of falling element size, then name, so that each is aligned to its elements.
    /// - Parameter metadata: strings for the header, beside `"format": "pt"`, which transformers asks for.
    /// - Throws: `CheckpointError` for a name given twice and values that do not fit their shape, `FileError`
    ///   where writing fails.
    package static func write(
        _ tensors: [Tensor], to url: URL, metadata: [String: String] = [:]
    ) throws {
        let ordered = tensors.sorted {
            $0.elementType.byteCount != $1.elementType.byteCount
                ? $0.elementType.byteCount > $1.elementType.byteCount : precedesByUTF8($0.name, $1.name)
        }
        try check(ordered, path: url.path)
        let file = try AtomicFile(url.path)
        let header = header(ordered, metadata: metadata.merging(["format": "pt"]) { given, _ in given })
        try file.write(withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init))
        try file.write(header)
        for tensor in ordered {
            switch tensor.source {
            case .bytes(let view): try file.write(view.bytes)
            case .floats(let values): try write(try values(), of: tensor, to: file, path: url.path)
            }
        }
        try file.commit()
    }

    private static func check(_ tensors: [Tensor], path: String) throws {
        var names: Set<String> = []
        for tensor in tensors {
            guard names.insert(tensor.name).inserted, tensor.name != SafetensorsHeader.metadataKey else {
                throw CheckpointError(
                    path, "the tensor name \(tensor.name) is given twice or reserved",
                    "give each tensor its own name")
            }
            guard let count = elementCount(of: tensor.shape), count <= Int.max / tensor.elementType.byteCount
            else {
                throw CheckpointError(
                    "\(path): tensor \(tensor.name)", "the shape \(tensor.shape) is invalid",
                    "check its dimensions")
            }
            if case .floats = tensor.source, !tensor.elementType.isFloat {
                throw CheckpointError(
                    "\(path): tensor \(tensor.name)",
                    "floats cannot be written as \(tensor.elementType.rawValue)",
                    "write F32, F16 or BF16")
            }
        }
    }

    private static func header(_ tensors: [Tensor], metadata: [String: String]) -> [UInt8] {
        var strings = JSONObject()
        for (key, value) in metadata.sorted(by: { precedesByUTF8($0.key, $1.key) }) {
            strings.set(key, .string(value))
        }
        var header = JSONObject()
        header.set(SafetensorsHeader.metadataKey, .object(strings))
        var offset = 0
        for tensor in tensors {
            let end = offset + tensor.byteCount
            var entry = JSONObject()
            entry.set("dtype", .string(tensor.elementType.rawValue))
            entry.set("shape", .ints(tensor.shape))
            entry.set("data_offsets", .ints([offset, end]))
            header.set(tensor.name, .object(entry))
            offset = end
        }
        let bytes = header.bytes
        return bytes + Array(repeating: 0x20, count: (8 - bytes.count % 8) % 8)
    }

    private static func write(
        _ values: [Float], of tensor: Tensor, to file: AtomicFile, path: String
    ) throws {
        guard values.count == elementCount(of: tensor.shape) else {
            throw CheckpointError(
                "\(path): tensor \(tensor.name)",
                "\(values.count) values are given for the shape \(tensor.shape)",
                "give as many values as the shape says")
        }
        switch tensor.elementType {
        case .f16: try HalfFloat.f16.narrow(values).withUnsafeBytes { try file.write($0) }
        case .bf16: try HalfFloat.bf16.narrow(values).withUnsafeBytes { try file.write($0) }
        default: try values.withUnsafeBytes { try file.write($0) }
        }
    }
}
