import CKernels
import Testing

/// Conversions against the definition of the formats, not against another implementation.
@Suite struct HalfPrecisionTests {
    /// The value of an IEEE 754 binary16 pattern, by its definition, in Double.
    private func valueOfF16(_ bits: UInt16) -> Double {
        let sign = bits & 0x8000 == 0 ? 1.0 : -1.0
        let exponent = Int(bits >> 10 & 31)
        let mantissa = Double(bits & 0x3ff)
        if exponent == 31 { return mantissa == 0 ? sign * .infinity : .nan }
        if exponent == 0 { return sign * mantissa * 0x1p-24 }
        return sign * (1 + mantissa / 1024) * Double(sign: .plus, exponent: exponent - 15, significand: 1)
    }

    private func widenF16(_ bits: [UInt16]) -> [Float] {
        [Float](unsafeUninitializedCapacity: bits.count) { buffer, count in
            sl_widen_f16(bits, buffer.baseAddress, bits.count)
            count = bits.count
        }
    }

    private func narrow(
        _ values: [Float], _ convert: (UnsafePointer<Float>?, UnsafeMutableRawPointer?, Int) -> Void
    ) -> [UInt16] {
        [UInt16](unsafeUninitializedCapacity: values.count) { buffer, count in
            convert(values, buffer.baseAddress, values.count)
            count = values.count
        }
    }

    @Test func everyHalfWidensExactly() {
        let all = Array(UInt16.min...UInt16.max)
        let widened = widenF16(all)
        for (bits, float) in zip(all, widened) {
            let expected = valueOfF16(bits)
            if expected.isNaN {
                #expect(
                    float.bitPattern == UInt32(bits & 0x8000) << 16 | 0x7f80_0000 | UInt32(bits & 0x3ff) << 13
                )
            } else {
                #expect(
                    Double(float) == expected && (float.sign == .minus) == (bits & 0x8000 != 0),
                    "\(bits)")
            }
        }
    }

    @Test func everyHalfSurvivesTheRoundTrip() {
        let all = Array(UInt16.min...UInt16.max)
        for (bits, back) in zip(all, narrow(widenF16(all), sl_narrow_f16)) {
            let isNaN = bits & 0x7c00 == 0x7c00 && bits & 0x3ff != 0
            #expect(back == (isNaN ? bits | 0x200 : bits))
        }
    }

    @Test func everyBrainFloatSurvivesTheRoundTrip() {
        let all = Array(UInt16.min...UInt16.max)
        let widened = [Float](unsafeUninitializedCapacity: all.count) { buffer, count in
            sl_widen_bf16(all, buffer.baseAddress, all.count)
            count = all.count
        }
        #expect(zip(all, widened).allSatisfy { $1.bitPattern == UInt32($0) << 16 })
        for (bits, back) in zip(all, narrow(widened, sl_narrow_bf16)) {
            let isNaN = bits & 0x7f80 == 0x7f80 && bits & 0x7f != 0
            #expect(back == (isNaN ? bits | 0x40 : bits))
        }
    }

    /// Between any two neighbours: the midpoint goes to the even one, a hair to either side to the nearer.
    @Test func halfRoundsToNearestTiesToEven() {
        for bits in UInt16(0)..<0x7bff {
            let low = Float(valueOfF16(bits))
            let high = Float(valueOfF16(bits + 1))
            let middle = (low + high) / 2
            let got = narrow([middle.nextDown, middle, middle.nextUp, -middle], sl_narrow_f16)
            let even = bits & 1 == 0 ? bits : bits + 1
            #expect(got == [bits, even, bits + 1, even | 0x8000], "\(bits)")
        }
    }

    @Test func brainFloatRoundsToNearestTiesToEven() {
        for bits in stride(from: UInt16(0), to: 0x7f7f, by: 7) {
            let middle = UInt32(bits) << 16 | 0x8000
            let values = [middle - 1, middle, middle + 1, middle | 0x8000_0000].map(Float.init(bitPattern:))
            let even = bits & 1 == 0 ? bits : bits + 1
            #expect(narrow(values, sl_narrow_bf16) == [bits, even, bits + 1, even | 0x8000], "\(bits)")
        }
    }

    @Test func overflowBecomesInfinityAndUnderflowZero() {
        let values: [Float] = [
            65519.996, 65520, 1e30, -.infinity, 0x1p-25, Float(0x1p-25).nextUp, -0x1p-140, .nan,
        ]
        #expect(narrow(values, sl_narrow_f16) == [0x7bff, 0x7c00, 0x7c00, 0xfc00, 0, 1, 0x8000, 0x7e00])
        let large: [Float] = [
            .greatestFiniteMagnitude, Float(bitPattern: 0x7f80_0001), Float(bitPattern: 0xffff_ffff),
        ]
        #expect(narrow(large, sl_narrow_bf16) == [0x7f80, 0x7fc0, 0xffff])
    }

    /// Lengths around the vector widths, from an odd address.
    @Test(arguments: [0, 1, 7, 8, 15, 16, 17, 31, 33, 63, 65])
    func unalignedTailsAreConverted(count: Int) {
        let halves = (0..<count).map { UInt16(0x3c00 + $0) }
        var bytes: [UInt8] = [0xff]
        for half in halves { bytes += [UInt8(half & 0xff), UInt8(half >> 8)] }
        let widened = bytes.withUnsafeBytes { raw in
            [Float](unsafeUninitializedCapacity: max(count, 1)) { buffer, initialised in
                sl_widen_f16(raw.baseAddress! + 1, buffer.baseAddress, count)
                initialised = count
            }
        }
        #expect(widened == halves.map { Float(valueOfF16($0)) })
    }
}
