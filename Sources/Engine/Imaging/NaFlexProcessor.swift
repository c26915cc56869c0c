/// SigLIP 2's preprocessing for its NaFlex models: the picture keeps its aspect and is resized, up too, to as many patches
/// as are allowed (transformers' `Siglip2ImageProcessor`; Tschannen et al. 2025, §2.4).
package struct NaFlexProcessor: PictureProcessor, Equatable {
    /// Side of a patch.
    package let patch: Int
    /// Patches of a picture at most.
    package let limit: Int
    package var alpha = AlphaRule.white
    package var resizing: Resizing

    /// - Throws: `ImageError.configuration` for numbers that aren't positive.
    init(patch: Int, limit: Int, resizing: Resizing) throws {
        guard (1...256).contains(patch), (1...1 << 16).contains(limit) else {
            throw ImageError.processor("\(limit) patches of \(patch) pixels", "give positive numbers")
        }
        (self.patch, self.limit, self.resizing) = (patch, limit, resizing)
    }

    package var tile: PictureSize? { nil }

    package func shape(of original: PictureSize) throws -> PictureShape {
        let size = resizedSize(original)
        return PictureShape(
            grid: PictureSize(height: size.height / patch, width: size.width / patch), original: original)
    }

    package func input(_ image: RGBImage) throws -> TowerInput {
        let original = PictureSize(of: image)
        guard original.height > 0, original.width > 0 else {
            throw ImageError.processor(
                "an image of \(image.width) × \(image.height) pixels", "give at least one pixel")
        }
        let size = resizedSize(original)
        return TowerInput(
            tiles: [rows(of: resizing.values.planes(of: try resizing.resize(image, to: size)), size)],
            grid: PictureSize(height: size.height / patch, width: size.width / patch), original: original)
    }

    /// At the largest scale, found by bisection as the reference does, that keeps to the limit.
    package func resizedSize(_ size: PictureSize) -> PictureSize {
        let precision = 1e-5
        func scaled(_ scale: Double) -> PictureSize {
            func side(_ length: Int) -> Int {
                max(patch, Int((Double(length) * scale / Double(patch)).rounded(.up)) * patch)
            }
            return PictureSize(height: side(size.height), width: side(size.width))
        }
        var (low, high) = (precision / 10, 100.0)
        while high - low >= precision {
            let middle = (low + high) / 2
            let size = scaled(middle)
            if size.height / patch * (size.width / patch) <= limit { low = middle } else { high = middle }
        }
        return scaled(low)
    }

    /// `[3, H, W]` → `[H/patch · W/patch, patch² · 3]`, patches row after row, the channels of a pixel together.
    private func rows(of planes: [Float], _ size: PictureSize) -> [Float] {
        var rows: [Float] = []
        rows.reserveCapacity(planes.count)
        for top in stride(from: 0, to: size.height, by: patch) {
            for left in stride(from: 0, to: size.width, by: patch) {
                for y in top..<top + patch {
                    for x in left..<left + patch {
                        for channel in 0..<3 {
                            rows.append(planes[(channel * size.height + y) * size.width + x])
                        }
                    }
                }
            }
        }
        return rows
    }
}
