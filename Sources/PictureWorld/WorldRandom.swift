/// A counter-based generator: the n-th number depends on the key and n alone.
///
/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", 2014). The draws below
/// are spelled out here because the standard library may change how it maps bits to ranges and shuffles, and
/// a picture must stay the same picture under every compiler.
package struct WorldRandom: Sendable {
    private var state: UInt64

    /// A stream for one purpose: the same `seed` with another `purpose` or `index` is an unrelated stream.
    package init(seed: UInt64, purpose: String, index: UInt64 = 0) {
        var key = WorldRandom.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
        key = WorldRandom.mix(key ^ stableHash(purpose.utf8))
        state = WorldRandom.mix(key ^ WorldRandom.mix(index &+ 0xD1B5_4A32_D192_ED03))
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return WorldRandom.mix(state)
    }

    /// Uniform in [0, 1) with 53 bits.
    package mutating func unit() -> Double {
        Double(next() >> 11) * 0x1p-53
    }

    /// Uniform in 0..<count; `count` must be positive.
    package mutating func below(_ count: Int) -> Int {
        Int(next().multipliedFullWidth(by: UInt64(count)).high)
    }

    package mutating func chance(_ probability: Double) -> Bool {
        unit() < probability
    }

    /// Uniform in the closed range, in steps of `step`.
    package mutating func step(_ low: Double, _ high: Double, by step: Double) -> Double {
        low + Double(below(Int(((high - low) / step).rounded()) + 1)) * step
    }

    /// One element, or nil of an empty array.
    package mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[below(elements.count)]
    }

    /// The elements in random order (Fisher and Yates).
    package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for last in stride(from: result.count - 1, to: 0, by: -1) {
            result.swapAt(last, below(last + 1))
        }
        return result
    }

    /// The index of one weight, with probability proportional to it; weights are positive.
    package mutating func weighted(_ weights: [Double]) -> Int {
        var rest = unit() * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.count - 1
    }

    private static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// FNV-1a over bytes: Swift's own hashing is seeded per process and can't name a picture.
package func stableHash(_ bytes: some Sequence<UInt8>) -> UInt64 {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    for byte in bytes {
        hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01B3
    }
    return hash
}
