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

    private static func sinc(_ x: Double) -> Double {
        x == 0 ? 1 : sin(x * .pi) / (x * .pi)
    }
}

/// Resizes to `width` × `height` with the bytes of Pillow's `Image.resize` (libImaging/Resample.c): a
/// horizontal, then a vertical pass, each rounded to 8 bits, with weights in 22-bit fixed point and the filter
/// widened when the picture shrinks.
package func resize(_ image: RGBImage, width: Int, height: Int, filter: ResamplingFilter) throws -> RGBImage {
    guard width > 0, height > 0, image.width > 0, image.height > 0, width < 1 << 24, height < 1 << 24 else {
        throw ImageError.configuration(
            source: "resize", found: "\(image.width) × \(image.height) pixels to \(width) × \(height)",
            remedy: "both sizes must be positive and below 16,777,216")
    }
    return resample(image, Window(width: width, height: height, columns: 0..<width, rows: 0..<height), filter)
}

/// A part of a resized picture: only these columns and rows are computed, with the values that they have in
/// the whole of `width` × `height`.
struct Window {
    let width: Int
    let height: Int
    let columns: Range<Int>
    let rows: Range<Int>
}

func resample(_ image: RGBImage, _ window: Window, _ filter: ResamplingFilter) -> RGBImage {
    let columns = ResamplingKernel(
        from: image.width, to: window.width, part: window.columns, filter: filter)
    let rows = ResamplingKernel(from: image.height, to: window.height, part: window.rows, filter: filter)
    // Pillow turns the passes round for very tall pictures that shrink, and the rounding between them shows.
    if image.height > 100 * image.width && window.height < image.height && filter != .nearest {
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

    init(from source: Int, to target: Int, part: Range<Int>, filter: ResamplingFilter) {
        let scale = Double(source) / Double(target)
        let isIdentity = source == target && part == 0..<target
        if filter == .nearest || source == target {
            self.init(nearestPositions: part, source: source, scale: scale, isIdentity: isIdentity)
            return
        }
        let widening = max(scale, 1)
        let support = filter.support * widening
        let stride = Int(support.rounded(.up)) * 2 + 1
        var ranges: [cimage_tap_range] = []
        var weights = [Int32](repeating: 0, count: part.count * stride)
        var values = [Double](repeating: 0, count: stride)
        for (index, position) in part.enumerated() {
            let center = (Double(position) + 0.5) * scale
            let start = max(0, Int(center - support + 0.5))
            let count = min(source, Int(center + support + 0.5)) - start
            var sum = 0.0
            for tap in 0..<count {
                let value = filter.weight((Double(tap + start) - center + 0.5) * (1 / widening))
                values[tap] = value
                sum += value
            }
            for tap in 0..<count {
                let value = (sum == 0 ? values[tap] : values[tap] / sum) * Double(1 << Self.precisionBits)
                weights[index * stride + tap] = Int32(value < 0 ? value - 0.5 : value + 0.5)
            }
            ranges.append(cimage_tap_range(start: UInt32(start), count: UInt32(count)))
        }
        self.init(ranges: ranges, weights: weights, stride: stride, isIdentity: isIdentity)
    }

    /// One source position each, accumulated by addition as libImaging/Geometry.c does, whose rounding decides
    /// ties.
    private init(nearestPositions part: Range<Int>, source: Int, scale: Double, isIdentity: Bool) {
        var ranges: [cimage_tap_range] = []
        var position = scale * 0.5
        for index in 0..<part.upperBound {
            if index >= part.lowerBound {
                ranges.append(cimage_tap_range(start: UInt32(min(source - 1, Int(position))), count: 1))
            }
            position += scale
        }
        self.init(
            ranges: ranges, weights: [Int32](repeating: 1 << Self.precisionBits, count: part.count),
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
