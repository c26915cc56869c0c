/// Height and width, in pixels or in parts of a picture.
package struct PictureSize: Sendable, Equatable, Hashable {
    package let height: Int
    package let width: Int

    package init(height: Int, width: Int) { (self.height, self.width) = (height, width) }

    init(of image: RGBImage) { self.init(height: image.height, width: image.width) }
}

/// What is known of a picture from its size alone: how it is cut, and so how many rows it takes in a decoder.
package struct PictureShape: Sendable, Equatable, Hashable {
    /// As that of `TowerInput`.
    package let grid: PictureSize
    package let original: PictureSize

    package init(grid: PictureSize, original: PictureSize) { (self.grid, self.original) = (grid, original) }

    /// One tile, whatever the picture's size.
    package static let tile = PictureShape(
        grid: PictureSize(height: 0, width: 0), original: PictureSize(height: 1, width: 1))
}

/// A picture as a vision tower reads it.
package struct TowerInput: Sendable, Equatable {
    /// Tiles in the order in which the decoder reads them, each planar `[3, H, W]`. For a tower that reads rows of
    /// patches, these alone: `[grid.height · grid.width, row]`.
    package let tiles: [[Float]]
    /// How many tiles stand below and beside each other, the view of the whole picture not counted; 0 × 0 where that is
    /// all. For a tower of rows: patches.
    package let grid: PictureSize
    /// Of the picture in pixels, as it was decoded: where its padding ends is told from it.
    package let original: PictureSize

    package init(tiles: [[Float]], grid: PictureSize, original: PictureSize) {
        (self.tiles, self.grid, self.original) = (tiles, grid, original)
    }

    /// One tile, whatever the picture's size.
    package init(tile: [Float]) {
        self.init(tiles: [tile], grid: PictureShape.tile.grid, original: PictureShape.tile.original)
    }

    package var shape: PictureShape { PictureShape(grid: grid, original: original) }
}

/// What the caller says of how pictures are read, rather than the checkpoint.
package struct PictureReading: Sendable {
    package var alpha = AlphaRule.white
    /// Whose bytes a resized picture has; nil for those of the checkpoint's own processor.
    package var resampling: Resampling?
    package var tiling = Tiling.own

    package init() {}

    package init(alpha: AlphaRule, resampling: Resampling? = nil, tiling: Tiling = .own) {
        (self.alpha, self.resampling, self.tiling) = (alpha, resampling, tiling)
    }
}

/// Whether pictures are cut into tiles.
package enum Tiling: String, Sendable, CaseIterable {
    /// As the checkpoint's own processor does.
    case own
    /// Never: the whole picture is the one tile.
    case none
}

/// The preprocessing of one family of models.
package protocol PictureProcessor: Sendable {
    /// How transparent pixels of a file are read.
    var alpha: AlphaRule { get set }
    var resizing: Resizing { get set }

    /// Of a tile; nil where the tower reads rows of patches.
    var tile: PictureSize? { get }

    /// - Throws: `ImageError.configuration` for a picture of a shape that can't be resized so.
    func input(_ image: RGBImage) throws -> TowerInput

    /// The shape of what `input` makes of a picture of that size.
    ///
    /// - Throws: as `input`.
    func shape(of original: PictureSize) throws -> PictureShape

    /// The same for the whole picture as one tile; nil where a picture is never cut.
    func unsplit() throws -> (any PictureProcessor)?
}

extension PictureProcessor {
    package func unsplit() throws -> (any PictureProcessor)? { nil }

    /// - Throws: `ImageError`, also for what can't be read.
    package func input(at path: String) throws -> TowerInput {
        try input(decodeImage(at: path, alpha: alpha))
    }

    /// What reads pictures so, in tiles or not.
    ///
    /// - Throws: `ImageError.configuration` for no tiles where a picture is never cut, and as `resize(as:)`.
    package func reading(as reading: PictureReading) throws -> any PictureProcessor {
        var processor: any PictureProcessor = self
        if reading.tiling == .none {
            guard let whole = try unsplit() else {
                throw ImageError.processor("it never cuts pictures into tiles", "leave out --tiles none")
            }
            processor = whole
        }
        try processor.read(as: reading)
        return processor
    }

    /// Reads pixels so from now on; tiles stay as they are.
    ///
    /// - Throws: as `resize(as:)`.
    package mutating func read(as reading: PictureReading) throws {
        alpha = reading.alpha
        if let resampling = reading.resampling { try resize(as: resampling) }
    }

    /// Takes pictures as `resampling` does from now on.
    ///
    /// - Throws: `ImageError.configuration` for torchvision with the box filter, which it doesn't have.
    package mutating func resize(as resampling: Resampling) throws {
        if resampling == .torchvision, resizing.filter == .box {
            throw ImageError.processor(
                "resample is 4 (box), which torchvision doesn't have",
                "take the bytes of Pillow (--resize pillow)")
        }
        resizing.resampling = resampling
    }
}

/// The filter, whose bytes it gives, and what becomes of these: what all families' preprocessings have in common.
package struct Resizing: Sendable, Equatable {
    let filter: ResamplingFilter
    let values: PixelValues
    package fileprivate(set) var resampling: Resampling

    /// As transformers 5 does for every checkpoint: by torchvision, where that has the filter.
    init(_ filter: ResamplingFilter, _ values: PixelValues) {
        (self.filter, self.values) = (filter, values)
        resampling = filter == .box ? .pillow : .torchvision
    }

    func resize(_ image: RGBImage, to size: PictureSize) throws -> RGBImage {
        try Imaging.resize(
            image, width: size.width, height: size.height, filter: filter, as: resampling)
    }

    /// Tiles `[3, side, side]` of a picture that is a multiple of `side` both ways, row after row.
    func tiles(of image: RGBImage, side: Int) -> [[Float]] {
        stride(from: 0, to: image.height, by: side).flatMap { top in
            stride(from: 0, to: image.width, by: side).map { left in
                values.planes(of: image.cropped(top: top, left: left, height: side, width: side))
            }
        }
    }
}
