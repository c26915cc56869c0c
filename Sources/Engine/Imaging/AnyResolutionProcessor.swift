import Foundation

/// The any-resolution preprocessing of LLaVA-OneVision and LLaVA-NeXT: the picture, fitted into the best of several
/// shapes and padded, is cut into square tiles; the whole, squeezed into one tile, comes first (transformers'
/// `LlavaOnevisionImageProcessor`; Li et al. 2024, §3.2).
package struct AnyResolutionProcessor: PictureProcessor, Equatable {
    /// What the picture as one tile is.
    package enum Whole: Sendable, Equatable {
        /// Padded to a square, as LLaVA-OneVision takes each of several pictures.
        case padded
        /// Squeezed into the square, as the first of LLaVA-NeXT's tiles.
        case squeezed
    }

    /// Side of a tile.
    package let side: Int
    /// Shapes that a picture is fitted into, multiples of `side`.
    package let shapes: [PictureSize]
    package let whole: Whole
    package var alpha = AlphaRule.white
    package var resizing: Resizing

    /// - Throws: `ImageError.configuration` without a shape, or for one that is no multiple of `side`.
    init(side: Int, shapes: [PictureSize], whole: Whole, resizing: Resizing) throws {
        guard (1...ImageProcessor.maximumEdge).contains(side) else {
            throw ImageError.processor(
                "an edge of \(side) pixels", "use 1 to \(ImageProcessor.maximumEdge)")
        }
        let lengths = side...ImageProcessor.maximumEdge
        let isCut = { (length: Int) in lengths.contains(length) && length % side == 0 }
        guard !shapes.isEmpty, shapes.allSatisfy({ isCut($0.height) && isCut($0.width) }) else {
            throw ImageError.processor(
                "image_grid_pinpoints that aren't multiples of \(side) pixels",
                "give pairs of height and width that are")
        }
        (self.side, self.shapes, self.whole, self.resizing) = (side, shapes, whole, resizing)
    }

    /// As LLaVA's own code cuts pictures into tiles for a tower's preprocessing, which has nothing left to do but to
    /// normalize them (`process_anyres_image` of llava/mm_utils.py).
    ///
    /// - Parameter shapes: as `init` has them; of equally good ones the first is taken.
    /// - Throws: `ImageError.configuration` for a tower that would resize its tiles, and as `init`.
    package init(cuttingFor tower: ImageProcessor, shapes: [PictureSize]) throws {
        let side = tower.outputHeight
        guard tower.outputWidth == side,
            tower.size == .shortestEdge(side) || tower.size == .exact(height: side, width: side)
        else {
            throw ImageError.processor(
                "pictures of \(tower.outputWidth) × \(side) pixels, to which tiles would have to be resized",
                "give a size and a crop_size that are the same square")
        }
        try self.init(side: side, shapes: shapes, whole: .squeezed, resizing: tower.resizing)
    }

    package func unsplit() throws -> (any PictureProcessor)? {
        var processor = try ImageProcessor(
            size: .exact(height: side, width: side), crop: nil, pad: whole == .padded, resizing: resizing)
        processor.alpha = alpha
        return processor
    }

    package var tile: PictureSize? { PictureSize(height: side, width: side) }

    package func shape(of original: PictureSize) -> PictureShape {
        let shape = bestShape(for: original)
        return PictureShape(
            grid: PictureSize(height: shape.height / side, width: shape.width / side), original: original)
    }

    package func input(_ image: RGBImage) throws -> TowerInput {
        let size = PictureSize(of: image)
        let shape = bestShape(for: size)
        let fitted = try resizing.resize(image, to: Self.fit(size, into: shape))
        let padded = fitted.centered(height: shape.height, width: shape.width, on: [0, 0, 0])
        let whole = try resizing.resize(image, to: PictureSize(height: side, width: side))
        return TowerInput(
            tiles: [resizing.values.planes(of: whole)] + resizing.tiles(of: padded, side: side),
            grid: PictureSize(height: shape.height / side, width: shape.width / side), original: size)
    }

    /// The shape in which most of the picture's pixels survive; of equal ones that with the least padding, the earliest.
    package func bestShape(for size: PictureSize) -> PictureSize {
        var best = (shape: shapes[0], kept: 0, wasted: Int.max)
        for shape in shapes {
            let scale = min(
                Double(shape.width) / Double(size.width), Double(shape.height) / Double(size.height))
            let scaled = Int(Double(size.width) * scale) * Int(Double(size.height) * scale)
            let kept = min(scaled, size.width * size.height)
            let wasted = shape.width * shape.height - kept
            if kept > best.kept || kept == best.kept && wasted < best.wasted {
                best = (shape, kept, wasted)
            }
        }
        return best.shape
    }

    /// The largest size of the same aspect in `shape`.
    private static func fit(_ size: PictureSize, into shape: PictureSize) -> PictureSize {
        let across = Double(shape.width) / Double(size.width)
        let down = Double(shape.height) / Double(size.height)
        if across < down {
            let height = min(Int((Double(size.height) * across).rounded(.up)), shape.height)
            return PictureSize(height: height, width: shape.width)
        }
        let width = min(Int((Double(size.width) * down).rounded(.up)), shape.width)
        return PictureSize(height: shape.height, width: width)
    }
}
