/// Idefics3's and SmolVLM's preprocessing: the picture, scaled so that its longer side has a fixed length, is cut into
/// square tiles, and the whole, squeezed into one more tile, comes last (transformers' `Idefics3ImageProcessor`; Marafioti
/// et al. 2025, §2.2).
package struct Idefics3Processor: PictureProcessor, Equatable {
    /// Of the longer side before the cut.
    package let longestEdge: Int
    /// Side of a tile.
    package let side: Int
    package let splits: Bool
    package var alpha = AlphaRule.white
    package var resizing: Resizing

    /// The longer side has this many pixels at most, whatever a checkpoint says.
    private static let limit = 4096

    /// - Throws: `ImageError.configuration` where a side isn't positive, or more than 16,384.
    init(longestEdge: Int, side: Int, splits: Bool, resizing: Resizing) throws {
        for length in [longestEdge, side] where !(1...ImageProcessor.maximumEdge).contains(length) {
            throw ImageError.processor(
                "an edge of \(length) pixels", "use 1 to \(ImageProcessor.maximumEdge)")
        }
        (self.longestEdge, self.side, self.splits, self.resizing) = (longestEdge, side, splits, resizing)
    }

    package func unsplit() throws -> (any PictureProcessor)? {
        var whole = try Idefics3Processor(
            longestEdge: longestEdge, side: side, splits: false, resizing: resizing)
        whole.alpha = alpha
        return whole
    }

    package var tile: PictureSize? { PictureSize(height: side, width: side) }

    package func shape(of original: PictureSize) -> PictureShape {
        let cut = splits ? cutSize(scaledSize(original)) : PictureSize(height: side, width: side)
        let isOne = cut.height == side && cut.width == side
        return PictureShape(
            grid: PictureSize(
                height: isOne ? 0 : cut.height / side, width: isOne ? 0 : cut.width / side),
            original: original)
    }

    package func input(_ image: RGBImage) throws -> TowerInput {
        let original = PictureSize(of: image)
        let scaled = try resizing.resize(image, to: scaledSize(original))
        let square = PictureSize(height: side, width: side)
        let cut = splits ? cutSize(PictureSize(of: scaled)) : square
        let fitted = try resizing.resize(scaled, to: cut)
        if cut == square {
            return TowerInput(
                tiles: [resizing.values.planes(of: fitted)], grid: PictureSize(height: 0, width: 0),
                original: original)
        }
        let whole = try resizing.resize(fitted, to: square)
        return TowerInput(
            tiles: resizing.tiles(of: fitted, side: side) + [resizing.values.planes(of: whole)],
            grid: PictureSize(height: cut.height / side, width: cut.width / side), original: original)
    }

    /// The longer side at its length, up or down, and the other one even.
    private func scaledSize(_ size: PictureSize) -> PictureSize {
        let scaled = size.scaled(toLongest: longestEdge) { $0 + $0 % 2 }
        return longestEdge > Self.limit ? scaled.scaled(toLongest: Self.limit) { $0 } : scaled
    }

    /// Multiples of a tile's side.
    private func cutSize(_ size: PictureSize) -> PictureSize {
        let aspect = Double(size.width) / Double(size.height)
        func up(_ length: Int) -> Int { (length + side - 1) / side * side }
        if size.width >= size.height {
            let width = up(size.width)
            return PictureSize(height: up(Int(Double(width) / aspect)), width: width)
        }
        let height = up(size.height)
        return PictureSize(height: height, width: up(Int(Double(height) * aspect)))
    }
}

extension PictureSize {
    /// With the longer side at `length` and the other one as the aspect asks, cut to a whole number, then rounded.
    fileprivate func scaled(toLongest length: Int, rounded: (Int) -> Int) -> PictureSize {
        let aspect = Double(width) / Double(height)
        return width >= height
            ? PictureSize(height: max(1, rounded(Int(Double(length) / aspect))), width: length)
            : PictureSize(height: length, width: max(1, rounded(Int(Double(length) * aspect))))
    }
}
