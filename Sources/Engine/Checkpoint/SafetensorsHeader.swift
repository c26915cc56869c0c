import JSON

/// The table at the front of a safetensors file, checked before anything relies on it.
///
/// Layout (huggingface/safetensors, "Format"): a little-endian u64 header length, the header's JSON, then
/// the data, which the tensors cover without gap or overlap.
struct SafetensorsHeader {
    struct Entry {
        let elementType: ElementType
        let shape: [Int]
        /// Bytes, counted from the start of the file.
        let range: Range<Int>
    }

    /// The reference implementation's limit; a longer header is a lie or an attack.
    static let largestByteCount = 100_000_000
    static let metadataKey = "__metadata__"

    private(set) var entries: [String: Entry] = [:]
    private(set) var metadata: [String: String] = [:]

    /// - Parameters:
    ///   - bytes: the whole file.
    ///   - path: names the file in errors.
    /// - Throws: `CheckpointError` for every way in which the header and the file can disagree.
    init(_ bytes: UnsafeRawBufferPointer, path: String) throws {
        let damaged = "fetch or convert the file again"
        guard bytes.count >= 8 else {
            throw CheckpointError(
                path, "the file has \(bytes.count) bytes, too few for a safetensors header", damaged)
        }
        let length = UInt64(littleEndian: bytes.loadUnaligned(as: UInt64.self))
        guard length <= UInt64(Self.largestByteCount) else {
            throw CheckpointError(
                path, "the header claims \(length) bytes, more than the \(Self.largestByteCount) allowed",
                "check that this is a safetensors file (a .bin or .pt checkpoint has to be converted)")
        }
        guard Int(length) <= bytes.count - 8 else {
            throw CheckpointError(
                path,
                "the header claims \(length) bytes but the file has \(bytes.count - 8) after its length",
                damaged)
        }
        let dataStart = 8 + Int(length)
        let text = Array(bytes[8..<dataStart])
        guard String(validating: text, as: UTF8.self) != nil else {
            throw CheckpointError(path, "the header is not UTF-8", damaged)
        }
        do {
            try parse(text, dataStart: dataStart)
        } catch JSONError.malformed(let offset, let found, let wanted) {
            let hint = wanted.isEmpty ? "" : " (\(wanted))"
            throw CheckpointError(path, "header byte \(offset): \(found)\(hint)", damaged)
        }
        try checkCoverage(of: dataStart..<bytes.count, path: path, remedy: damaged)
    }

    /// Piece by piece, so that a header of 100 MB takes no more memory than the tensors that it names.
    private mutating func parse(_ text: [UInt8], dataStart: Int) throws {
        var entries: [String: Entry] = [:]
        var metadata: [String: String] = [:]
        var reader = JSONReader(text[...])
        try reader.object { reader, name in
            if name == Self.metadataKey {
                try reader.object { reader, key in metadata[key] = try reader.string() }
            } else {
                let entry = try Self.entry(&reader, name: name, dataStart: dataStart)
                guard entries.updateValue(entry, forKey: name) == nil else {
                    throw reader.fault("the name \"\(name)\" occurs twice")
                }
            }
        }
        try reader.end()
        self.entries = entries
        self.metadata = metadata
    }

    private static func entry(_ reader: inout JSONReader, name: String, dataStart: Int) throws -> Entry {
        var typeName: String?
        var shape: [Int]?
        var offsets: [Int]?
        try reader.object { reader, key in
            switch key {
            case "dtype": typeName = try reader.string()
            case "shape": shape = try wholeNumbers(&reader)
            case "data_offsets": offsets = try wholeNumbers(&reader)
            default: throw reader.fault("tensor \(name) has the unknown key \"\(key)\"")
            }
        }
        guard let typeName, let shape, let offsets else {
            throw reader.fault("tensor \(name) lacks dtype, shape or data_offsets")
        }
        guard let elementType = ElementType(rawValue: typeName) else {
            throw reader.fault(
                "tensor \(name) has dtype \"\(typeName)\", not one of "
                    + ElementType.allCases.map(\.rawValue).joined(separator: " "))
        }
        guard offsets.count == 2, offsets[0] <= offsets[1], offsets[1] <= Int.max - dataStart else {
            throw reader.fault("tensor \(name) has data_offsets \(offsets), not a begin and a later end")
        }
        guard let count = elementCount(of: shape), count <= Int.max / elementType.byteCount else {
            throw reader.fault("tensor \(name) has shape \(shape), more elements than any file holds")
        }
        guard offsets[1] - offsets[0] == count * elementType.byteCount else {
            throw reader.fault(
                "tensor \(name) spans \(offsets[1] - offsets[0]) bytes where \(typeName) \(shape) needs "
                    + "\(count * elementType.byteCount)")
        }
        return Entry(
            elementType: elementType, shape: shape, range: dataStart + offsets[0]..<dataStart + offsets[1])
    }

    private static func wholeNumbers(_ reader: inout JSONReader) throws -> [Int] {
        var numbers: [Int] = []
        try reader.array { reader in
            let text = try reader.number()
            guard let number = text.integer(as: Int.self), number >= 0 else {
                throw reader.fault("\(text.raw) is not a whole number from 0 to 2^63 - 1")
            }
            numbers.append(number)
        }
        return numbers
    }

    private func checkCoverage(of data: Range<Int>, path: String, remedy: String) throws {
        var end = data.lowerBound
        var previous = "the header"
        let ordered = entries.sorted {
            ($0.value.range.lowerBound, $0.value.range.upperBound, $0.key)
                < ($1.value.range.lowerBound, $1.value.range.upperBound, $1.key)
        }
        for (name, entry) in ordered {
            guard entry.range.upperBound <= data.upperBound else {
                throw CheckpointError(
                    path,
                    "tensor \(name) ends at byte \(entry.range.upperBound) of a file of \(data.upperBound)",
                    "the file is cut short or its offsets are wrong: \(remedy)")
            }
            guard entry.range.lowerBound == end else {
                let kind = entry.range.lowerBound < end ? "overlap" : "leave a gap"
                throw CheckpointError(
                    path, "\(previous) and tensor \(name) \(kind) at byte \(entry.range.lowerBound)", remedy)
            }
            end = entry.range.upperBound
            previous = "tensor \(name)"
        }
        guard end == data.upperBound else {
            throw CheckpointError(
                path, "\(data.upperBound - end) bytes follow the last tensor, which the header does not name",
                remedy)
        }
    }
}
