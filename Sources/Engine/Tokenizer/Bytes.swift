/// A string as its UTF-8 bytes. Swift compares `String`s by canonical equivalence, under which "é" composed
/// and "é" decomposed are one dictionary key; a vocabulary holds both, so its keys are these.
struct Bytes: Hashable, Sendable, Comparable {
    var storage: [UInt8]

    init(_ storage: [UInt8]) { self.storage = storage }
    init(_ text: String) { storage = Array(text.utf8) }
    init(scalars: some Sequence<Unicode.Scalar>) {
        storage = []
        for scalar in scalars { storage.append(scalar: scalar) }
    }

    var text: String { String(decoding: storage, as: UTF8.self) }
    var scalars: [Unicode.Scalar] { Array(text.unicodeScalars) }
    var count: Int { storage.count }

    // One call over the whole buffer: the synthesised hash feeds the hasher byte by byte.
    func hash(into hasher: inout Hasher) {
        storage.withUnsafeBytes { hasher.combine(bytes: $0) }
    }

    static func < (a: Bytes, b: Bytes) -> Bool { a.storage.lexicographicallyPrecedes(b.storage) }
    static func + (a: Bytes, b: Bytes) -> Bytes { Bytes(a.storage + b.storage) }
}

extension [UInt8] {
    mutating func append(scalar: Unicode.Scalar) {
        if scalar.value < 0x80 {
            append(UInt8(scalar.value))
        } else {
            append(contentsOf: UTF8.encode(scalar)!)
        }
    }

    /// Every occurrence of `pattern`, left to right without overlap, replaced.
    func replacing(bytes pattern: [UInt8], with replacement: [UInt8]) -> [UInt8] {
        guard let first = pattern.first, count >= pattern.count else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(count)
        var i = 0
        while i < count {
            if self[i] == first, i + pattern.count <= count,
                self[i..<i + pattern.count].elementsEqual(pattern)
            {
                result += replacement
                i += pattern.count
            } else {
                result.append(self[i])
                i += 1
            }
        }
        return result
    }

    /// Number of trailing bytes (0 to 3) that begin a UTF-8 character and do not finish it.
    var incompleteTailCount: Int {
        var back = 1
        while back <= 3, back <= count {
            let byte = self[count - back]
            if byte & 0xC0 == 0x80 {
                back += 1
                continue
            }
            let length = byte >= 0xF0 && byte < 0xF5 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC2 ? 2 : 1
            return byte < 0xF5 && length > back ? back : 0
        }
        return 0
    }
}
