/// Qwen2-VL's and Qwen2.5-VL's preprocessing of stills: the picture is resized to a whole number of merged patches,
/// within bounds on its area, and handed over as rows of patches, those that are merged later beside each other
/// (transformers' `Qwen2VLImageProcessor`; Wang et al. 2024, §2.1).
package struct Qwen2VLProcessor: PictureProcessor, Equatable {
    /// Bounds on the area of a resized picture, in pixels.
    package let area: ClosedRange<Int>
    /// Side of a patch.
    package let patch: Int
    /// Patches a side that become one token.
    package let merge: Int
    /// Times that a still stands in a patch, which is one of a film.
    package let frames: Int
    package var alpha = AlphaRule.white
    package var resizing: Resizing

    /// Longer side by shorter one at most.
    private static let largestAspect = 200

    /// - Throws: `ImageError.configuration` for numbers that aren't positive.
    init(area: ClosedRange<Int>, patch: Int, merge: Int, frames: Int, resizing: Resizing) throws {
        guard area.lowerBound > 0, area.upperBound <= ImageProcessor.maximumEdge * ImageProcessor.maximumEdge,
            [patch, merge, frames].allSatisfy({ (1...256).contains($0) })
        else {
            throw ImageError.processor(
                "\(area.lowerBound) to \(area.upperBound) pixels in patches of \(patch), merged by \(merge), "
                    + "of \(frames) frames", "give positive numbers")
        }
        (self.area, self.patch, self.merge, self.frames) = (area, patch, merge, frames)
        self.resizing = resizing
    }

    package var tile: PictureSize? { nil }

    package func shape(of original: PictureSize) throws -> PictureShape {
        let size = try resizedSize(original)
        return PictureShape(
            grid: PictureSize(height: size.height / patch, width: size.width / patch), original: original)
    }

    package func input(_ image: RGBImage) throws -> TowerInput {
        let original = PictureSize(of: image)
        let size = try resizedSize(original)
        let planes = resizing.values.planes(of: try resizing.resize(image, to: size))
        return TowerInput(
            tiles: [rows(of: planes, size)],
            grid: PictureSize(height: size.height / patch, width: size.width / patch), original: original)
    }

    /// - Throws: `ImageError.configuration` for an aspect of more than 200 to 1.
    package func resizedSize(_ size: PictureSize) throws -> PictureSize {
        let (long, short) = (max(size.height, size.width), min(size.height, size.width))
        guard short > 0, long <= Self.largestAspect * short else {
            throw ImageError.processor(
                "an image of \(size.width) × \(size.height) pixels, which is thinner than "
                    + "\(Self.largestAspect) to 1", "crop or pad it first")
        }
        let unit = patch * merge
        func sides(_ rule: FloatingPointRoundingRule, atLeast least: Int, scale: (Double) -> Double)
            -> PictureSize
        {
            func side(_ length: Int) -> Int {
                max(least, Int((scale(Double(length)) / Double(unit)).rounded(rule)) * unit)
            }
            return PictureSize(height: side(size.height), width: side(size.width))
        }
        let pixels = Double(size.height * size.width)
        let nearest = sides(.toNearestOrEven, atLeast: 0) { $0 }
        if nearest.height * nearest.width > area.upperBound {
            let shrinking = (pixels / Double(area.upperBound)).squareRoot()
            return sides(.down, atLeast: unit) { $0 / shrinking }
        }
        if nearest.height * nearest.width < area.lowerBound {
            let growth = (Double(area.lowerBound) / pixels).squareRoot()
            return sides(.up, atLeast: 0) { $0 * growth }
        }
        return nearest
    }

    /// `[3, H, W]` → `[H/patch · W/patch, 3 · frames · patch²]`: blocks of `merge` × `merge` patches row after row, the
    /// patches of a block row after row, and of each its channels, its frames, its pixels.
    private func rows(of planes: [Float], _ size: PictureSize) -> [Float] {
        let unit = patch * merge
        var rows: [Float] = []
        rows.reserveCapacity(planes.count * frames)
        for blockTop in stride(from: 0, to: size.height, by: unit) {
            for blockLeft in stride(from: 0, to: size.width, by: unit) {
                for top in stride(from: blockTop, to: blockTop + unit, by: patch) {
                    for left in stride(from: blockLeft, to: blockLeft + unit, by: patch) {
                        for channel in 0..<3 {
                            for _ in 0..<frames {
                                for y in top..<top + patch {
                                    let start = (channel * size.height + y) * size.width + left
                                    rows += planes[start..<start + patch]
                                }
                            }
                        }
                    }
                }
            }
        }
        return rows
    }
}
