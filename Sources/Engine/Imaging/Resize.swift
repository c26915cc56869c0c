import CImageIO
import Foundation

/// Pillow's resampling filters, by the numbers that `resample` has in preprocessor_config.json.
package enum ResamplingFilter: Int, Sendable, CaseIterable {
    case nearest = 0
    case lanczos = 1
    case bilinear = 2
    case bicubic = 3
    case box = 4

    /// Half the width of the filter, in source pixels at scale 1.
    fileprivate var support: Double {
        switch self {
        case .nearest, .box: 0.5
        case .bilinear: 1
        case .bicubic: 2
        case .lanczos: 3
        }
    }

    /// The filter's value at distance `x`; bicubic is Keys' with a = −0.5.
    fileprivate func weight(_ x: Double) -> Double {
        switch self {
        case .nearest, .box: return x > -0.5 && x <= 0.5 ? 1 : 0
        case .bilinear: return max(0, 1 - abs(x))
        case .bicubic:
            let t = abs(x)
            if t < 1 { return (1.5 * t - 2.5) * t * t + 1 }
            return t < 2 ? (((t - 5) * t + 8) * t - 4) * -0.5 : 0
        case .lanczos:
            return x >= -3 && x < 3 ? Self.sinc(x) * Self.sinc(x / 3) : 0
        }
    }

    /// The source positions that target position `position` reads, from `start` on, with weights whose sum is 1.
    fileprivate func taps(at position: Int, scale: Double, source: Int) -> (start: Int, weights: [Double]) {
        let widening = max(scale, 1)
        let reach = support * widening
        let center = (Double(position) + 0.5) * scale
        let start = max(0, Int(center - reach + 0.5))
        let end = min(source, Int(center + reach + 0.5))
        let weights = (start..<end).map { weight((Double($0) - center + 0.5) * (1 / widening)) }
        let sum = weights.reduce(0, +)
        return (start, sum == 0 ? weights : weights.map { $0 / sum })
    }

    private static func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(x * .pi) / (x * .pi)
    }
}

/// Whose bytes a resized picture has. Both take a horizontal and a vertical pass, each rounded to 8 bits, with the
/// filter widened when the picture shrinks; they differ in the precision of weights and in the order of passes.
package enum Resampling: String, Sendable, CaseIterable {
    /// `Image.resize` of Pillow 13.0 (libImaging/Resample.c): weights of 22 bits, the vertical pass first where the
    /// height loses more than twice as many pixels as the width. Pillow 12 differs in this order alone.
    case pillow
    /// `resize` of torchvision 0.28 on 8-bit tensors, on CPUs with AVX2 (ATen's UpSampleKernel.cpp): weights of as
    /// many bits as let the largest one fit into 16, the horizontal pass always first. What transformers 5 takes.
    case torchvision

    fileprivate func isVerticalFirst(from image: RGBImage, to window: Window) -> Bool {
        let lost = image.height - window.height
        return self == .pillow && lost > 0 && lost > 2 * (image.width - window.width)
    }

    /// The source position that each target position takes over.
    fileprivate func nearestPositions(_ part: Range<Int>, source: Int, scale: Double) -> [Int] {
        switch self {
        case .torchvision:
            // `nearest-exact`, whose scale is a Float
            return part.map { min(source - 1, Int(Float((Double($0) + 0.5) * Double(Float(scale))))) }
        case .pillow:
            // accumulated by addition as libImaging/Geometry.c does, whose rounding decides ties
            var position = scale * 0.5
            var positions: [Int] = []
            for index in 0..<part.upperBound {
                if index >= part.lowerBound { positions.append(min(source - 1, Int(position))) }
                position += scale
            }
            return positions
        }
    }
}

/// Resizes to `width` × `height` with the bytes of `resampling`.
///
/// - Throws: `ImageError.configuration` for an empty picture or size, and for one of 2²⁴ pixels or more a side.
package func resize(
    _ image: RGBImage, width: Int, height: Int, filter: ResamplingFilter, as resampling: Resampling
) throws -> RGBImage {
    guard width > 0, height > 0, image.width > 0, image.height > 0, width < 1 << 24, height < 1 << 24 else {
        throw ImageError.configuration(
            source: "resize", found: "\(image.width) × \(image.height) pixels to \(width) × \(height)",
            remedy: "both sizes must be positive and below 16,777,216")
    }
    return resample(
        image, Window(width: width, height: height, columns: 0..<width, rows: 0..<height), filter, resampling)
}

/// A part of a resized picture: only these columns and rows are computed, with the values that they have in
/// the whole of `width` × `height`.
struct Window {
    let width: Int
    let height: Int
    let columns: Range<Int>
    let rows: Range<Int>
}

func resample(
    _ image: RGBImage, _ window: Window, _ filter: ResamplingFilter, _ resampling: Resampling
) -> RGBImage {
    let columns = ResamplingKernel(
        from: image.width, to: window.width, part: window.columns, filter, resampling)
    let rows = ResamplingKernel(from: image.height, to: window.height, part: window.rows, filter, resampling)
    if filter != .nearest, resampling.isVerticalFirst(from: image, to: window) {
        return columns.applyHorizontally(to: rows.applyVertically(to: image), rows: 0..<window.rows.count)
    }
    let needed = rows.sourceRange
    let squeezed = columns.applyHorizontally(to: image, rows: needed)
    return rows.relative(to: needed.lowerBound).applyVertically(to: squeezed)
}

/// For each target position: the first source position, and the weights of it and the following ones.
private struct ResamplingKernel {
    static let precisionBits: Int32 = 22

    let ranges: [cimage_tap_range]
    let weights: [Int32]  // target positions × stride
    let stride: Int
    let isIdentity: Bool

    init(
        from source: Int, to target: Int, part: Range<Int>, _ filter: ResamplingFilter,
        _ resampling: Resampling
    ) {
        let scale = Double(source) / Double(target)
        let isIdentity = source == target && part == 0..<target
        if filter == .nearest || source == target {
            self.init(
                nearest: resampling.nearestPositions(part, source: source, scale: scale),
                isIdentity: isIdentity)
            return
        }
        let taps = part.map { filter.taps(at: $0, scale: scale, source: source) }
        var precision = Self.precisionBits
        if resampling == .torchvision {
            // Of all positions, not of the part alone.
            let largest = (0..<target).reduce(0) { largest, position in
                filter.taps(at: position, scale: scale, source: source).weights.reduce(largest, max)
            }
            precision = Self.narrowPrecision(for: largest)
        }
        let stride = taps.map(\.weights.count).max() ?? 0
        var weights = [Int32](repeating: 0, count: part.count * stride)
        for (index, taps) in taps.enumerated() {
            for (tap, weight) in taps.weights.enumerated() {
                let scaled = weight * Double(1 << precision)
                // Fewer bits are left-aligned, so that one loop serves both.
                weights[index * stride + tap] =
                    Int32(scaled < 0 ? scaled - 0.5 : scaled + 0.5) << (Self.precisionBits - precision)
            }
        }
        let ranges = taps.map {
            cimage_tap_range(start: UInt32($0.start), count: UInt32($0.weights.count))
        }
        self.init(ranges: ranges, weights: weights, stride: stride, isIdentity: isIdentity)
    }

    /// The most bits with which `largest` stays below 2¹⁵, and at most 22.
    private static func narrowPrecision(for largest: Double) -> Int32 {
        (0..<precisionBits).first { Int(0.5 + largest * Double(1 << ($0 + 1))) >= 1 << 15 } ?? precisionBits
    }

    private init(nearest positions: [Int], isIdentity: Bool) {
        self.init(
            ranges: positions.map { cimage_tap_range(start: UInt32($0), count: 1) },
            weights: [Int32](repeating: 1 << Self.precisionBits, count: positions.count),
            stride: 1, isIdentity: isIdentity)
    }

    private init(ranges: [cimage_tap_range], weights: [Int32], stride: Int, isIdentity: Bool) {
        self.ranges = ranges
        self.weights = weights
        self.stride = stride
        self.isIdentity = isIdentity
    }

    /// All source positions that any target position reads.
    var sourceRange: Range<Int> {
        guard let first = ranges.first, let last = ranges.last else { return 0..<0 }
        return Int(first.start)..<Int(last.start + last.count)
    }

    /// The same positions in a picture that begins at source position `offset`.
    func relative(to offset: Int) -> ResamplingKernel {
        ResamplingKernel(
            ranges: ranges.map { cimage_tap_range(start: $0.start - UInt32(offset), count: $0.count) },
            weights: weights, stride: stride, isIdentity: isIdentity)
    }

    /// [height, width, 3] → [rows.count, targets, 3], of the given rows.
    func applyHorizontally(to image: RGBImage, rows: Range<Int>) -> RGBImage {
        if isIdentity && rows == 0..<image.height { return image }
        let width = ranges.count
        let rowBytes = image.width * 3
        let total = rows.count * width * 3
        // a copy of each row, because the loop reads one byte further
        var padded = [UInt8](repeating: 0, count: rowBytes + 1)
        let pixels = [UInt8](unsafeUninitializedCapacity: total) { target, filled in
            for (line, row) in rows.enumerated() {
                padded.replaceSubrange(
                    0..<rowBytes, with: image.pixels[row * rowBytes..<(row + 1) * rowBytes])
                cimage_resample_row(
                    padded, ranges, weights, stride, width, target.baseAddress! + line * width * 3)
            }
            filled = total
        }
        return RGBImage(width: width, height: rows.count, pixels: pixels)
    }

    /// [height, width, 3] → [targets, width, 3].
    func applyVertically(to image: RGBImage) -> RGBImage {
        if isIdentity { return image }
        let rowBytes = image.width * 3
        let total = ranges.count * rowBytes
        let pixels = [UInt8](unsafeUninitializedCapacity: total) { target, filled in
            image.pixels.withUnsafeBufferPointer { source in
                weights.withUnsafeBufferPointer { weights in
                    for (y, range) in ranges.enumerated() {
                        cimage_resample_column(
                            source.baseAddress! + Int(range.start) * rowBytes, rowBytes,
                            weights.baseAddress! + y * stride, Int(range.count),
                            target.baseAddress! + y * rowBytes)
                    }
                }
            }
            filled = total
        }
        return RGBImage(width: image.width, height: ranges.count, pixels: pixels)
    }
}
