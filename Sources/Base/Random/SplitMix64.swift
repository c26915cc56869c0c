import Foundation

/// The generator of every draw in Sightline: small, and seeded by what the draw is for, so that a draw depends on
/// nothing else.
///
/// SplitMix64 (Steele, Lea & Flood: "Fast splittable pseudorandom number generators", 2014). The draws are spelled
/// out because the standard library may change how it maps bits to ranges and shuffles, and a picture must stay the
/// same picture under every compiler.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    @usableFromInline var state: UInt64

    package init(seed: UInt64) { state = seed }

    /// Seeded by `seed` and the bytes of `key`, so that records draw independently.
    package init(seed: UInt64, key: String, index: UInt64 = 0) {
        state = seed
        state = next() ^ stableHash(key.utf8)
        state = next() &+ index &* 0x9E37_79B9_7F4A_7C15
    }

    /// A stream of the picture world: the same `seed` with another `purpose` or `index` is an unrelated one. Drawn
    /// pictures, captions and questions hang on this seeding; everything else is seeded by a key.
    package init(seed: UInt64, purpose: String, index: UInt64 = 0) {
        var key = Self.mix(seed &+ 0x9E37_79B9_7F4A_7C15)
        key = Self.mix(key ^ stableHash(purpose.utf8))
        state = Self.mix(key ^ Self.mix(index &+ 0xD1B5_4A32_D192_ED03))
    }

    @inlinable package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    @inlinable static func mix(_ value: UInt64) -> UInt64 {
        var z = value
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

/// Draws.
extension SplitMix64 {
    /// Uniform in [0, 1), 53 bits.
    @inlinable package mutating func nextUniform() -> Double { Double(next() >> 11) * 0x1p-53 }

    /// Standard normal (Box & Muller 1958).
    package mutating func nextGaussian() -> Double {
        let radius = (-2 * log(1 - nextUniform())).squareRoot()
        return radius * cos(2 * Double.pi * nextUniform())
    }

    /// Uniform in `0..<count` by multiply and shift, with a bias below `count` / 2⁶⁴; `count` must be positive.
    @inlinable package mutating func below(_ count: Int) -> Int {
        Int(truncatingIfNeeded: next().multipliedFullWidth(by: UInt64(count)).high)
    }

    @inlinable package mutating func chance(_ probability: Double) -> Bool { nextUniform() < probability }

    /// Uniform in the closed range, in steps of `step`.
    package mutating func step(_ low: Double, _ high: Double, by step: Double) -> Double {
        low + Double(below(Int(((high - low) / step).rounded()) + 1)) * step
    }

    /// One element, or nil of an empty array.
    @inlinable package mutating func pick<Element>(_ elements: [Element]) -> Element? {
        elements.isEmpty ? nil : elements[below(elements.count)]
    }

    /// The elements in random order (Fisher and Yates).
    @inlinable package mutating func shuffled<Element>(_ elements: [Element]) -> [Element] {
        var result = elements
        for last in stride(from: result.count - 1, to: 0, by: -1) {
            result.swapAt(last, below(last + 1))
        }
        return result
    }

    /// The index of one weight, with probability proportional to it; weights are positive.
    package mutating func weighted(_ weights: [Double]) -> Int {
        var rest = nextUniform() * weights.reduce(0, +)
        for (index, weight) in weights.enumerated() {
            rest -= weight
            if rest < 0 { return index }
        }
        return weights.count - 1
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
