import Foundation

/// From a decoded picture to the floats of the one size that a CLIP, SigLIP or LLaVA tower reads, as transformers'
/// `CLIPImageProcessor` computes them: (pad to a square,) resize, crop the center, rescale, normalize.
package struct ImageProcessor: PictureProcessor, Equatable {
    /// How the picture is resized.
    package enum Size: Sendable, Equatable {
        /// The shorter side gets this length and the other one follows, rounded down.
        case shortestEdge(Int)
        /// Both sides are set; the aspect ratio changes.
        case exact(height: Int, width: Int)
    }

    /// Height and width of the center crop; where the picture is smaller, black surrounds it.
    package struct Crop: Sendable, Equatable {
        package let height: Int
        package let width: Int

        package init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    package static let clipMean = [0.48145466, 0.4578275, 0.40821073]
    package static let clipStd = [0.26862954, 0.26130258, 0.27577711]

    /// nil leaves the size alone.
    package let size: Size?
    package var filter: ResamplingFilter { resizing.filter }
    package let crop: Crop?
    /// nil leaves values in 0…255.
    package var rescaleFactor: Double? { resizing.values.rescaleFactor }
    package var mean: [Double] { resizing.values.mean }
    package var std: [Double] { resizing.values.std }
    package var normalizes: Bool { resizing.values.normalizes }
    /// First pads to a centered square in the color int(255 · mean), as LLaVA-1.5 trains.
    package let pad: Bool
    package var alpha = AlphaRule.white
    package var resizing: Resizing

    package let outputHeight: Int
    package let outputWidth: Int

    /// CLIP's preprocessing to pictures of `side` × `side`.
    package init(square side: Int, pad: Bool = false) throws {
        try self.init(
            size: .shortestEdge(side), crop: Crop(height: side, width: side), mean: Self.clipMean,
            std: Self.clipStd, pad: pad)
    }

    /// - Throws: `ImageError.configuration` where the sizes aren't positive, or would give pictures of
    ///   different shapes.
    package init(
        size: Size?, filter: ResamplingFilter = .bicubic, crop: Crop?, rescaleFactor: Double? = 1 / 255,
        mean: [Double] = clipMean, std: [Double] = clipStd, normalizes: Bool = true, pad: Bool = false
    ) throws {
        let values = try PixelValues(
            rescaleFactor: rescaleFactor, mean: mean, std: std, normalizes: normalizes)
        try self.init(size: size, crop: crop, pad: pad, resizing: Resizing(filter, values))
    }

    init(size: Size?, crop: Crop?, pad: Bool, resizing: Resizing) throws {
        (self.size, self.crop, self.pad, self.resizing) = (size, crop, pad, resizing)
        switch (crop, size) {
        case (let crop?, _): (outputHeight, outputWidth) = (crop.height, crop.width)
        case (nil, .exact(let height, let width)): (outputHeight, outputWidth) = (height, width)
        case (nil, .shortestEdge(let edge)) where pad: (outputHeight, outputWidth) = (edge, edge)
        default:
            throw ImageError.processor(
                "pictures of different shapes would come out",
                "set do_center_crop with crop_size, or size with height and width")
        }
        var lengths = [outputHeight, outputWidth]
        switch size {
        case .shortestEdge(let edge): lengths.append(edge)
        case .exact(let height, let width): lengths += [height, width]
        case nil: break
        }
        if let length = lengths.first(where: { $0 < 1 || $0 > Self.maximumEdge }) {
            throw ImageError.processor("an edge of \(length) pixels", "use 1 to \(Self.maximumEdge)")
        }
    }

    /// The same after the picture is squeezed to what comes out, bicubically as Pillow's `resize` does unasked
    /// (`process_image` of NVlabs/VILA, `llava/mm_utils.py`).
    ///
    /// - Throws: `ImageError.configuration` where resizing would go on from there.
    package func squeezing() throws -> ImageProcessor {
        let whole = Size.exact(height: outputHeight, width: outputWidth)
        let isDone =
            size == nil || size == whole || outputHeight == outputWidth && size == .shortestEdge(outputHeight)
        guard isDone else {
            throw ImageError.processor(
                "a picture squeezed to \(outputHeight) × \(outputWidth) pixels would be resized again",
                "set size to that of crop_size")
        }
        var squeezing = try ImageProcessor(
            size: whole, crop: nil, pad: false, resizing: Resizing(.bicubic, resizing.values))
        try squeezing.resize(as: .pillow)
        return squeezing
    }

    static let maximumEdge = 16_384

    /// The model's input for the picture at `path`, as `pixels(_:)`.
    ///
    /// - Throws: `ImageError`, also for what can't be read.
    package func pixels(at path: String) throws -> [Float] {
        try pixels(decodeImage(at: path, alpha: alpha))
    }

    /// The model's input for `image`: [3, outputHeight, outputWidth], red plane first.
    ///
    /// - Throws: `ImageError.configuration` for an image so thin that resizing its shorter side would make
    ///   the other one longer than 16,777,215 pixels.
    package func pixels(_ image: RGBImage) throws -> [Float] {
        let image = pad ? image.squared(on: resizing.values.background) : image
        let resized = try resizedShape(of: image)
        // Only the part that the crop keeps is ever resized.
        let top = margin(resized.height, outputHeight)
        let left = margin(resized.width, outputWidth)
        let window = Window(
            width: resized.width, height: resized.height,
            columns: max(0, left)..<min(resized.width, left + outputWidth),
            rows: max(0, top)..<min(resized.height, top + outputHeight))
        return resizing.values.planes(
            of: resample(image, window, filter, resizing.resampling), at: (max(0, -top), max(0, -left)),
            height: outputHeight, width: outputWidth)
    }

    package var tile: PictureSize? { PictureSize(height: outputHeight, width: outputWidth) }

    package func input(_ image: RGBImage) throws -> TowerInput {
        let shape = shape(of: PictureSize(of: image))
        return TowerInput(tiles: [try pixels(image)], grid: shape.grid, original: shape.original)
    }

    package func shape(of original: PictureSize) -> PictureShape {
        PictureShape(grid: PictureShape.tile.grid, original: original)
    }

    /// Pixels before a crop in the middle; below 0 for one that hangs over, whose odd pixel transformers puts before the
    /// picture where it takes Pillow, and after it where it takes torchvision.
    private func margin(_ length: Int, _ crop: Int) -> Int {
        switch resizing.resampling {
        case .pillow: (length - crop) >> 1
        case .torchvision: (length - crop) / 2
        }
    }

    private func resizedShape(of image: RGBImage) throws -> (height: Int, width: Int) {
        if image.width < 1 || image.height < 1 {
            throw ImageError.processor(
                "an image of \(image.width) × \(image.height) pixels", "give at least one pixel")
        }
        switch size {
        case nil: return (image.height, image.width)
        case .exact(let height, let width): return (height, width)
        case .shortestEdge(let edge):
            let (short, long) = (min(image.width, image.height), max(image.width, image.height))
            // Python divides two integers to a double and cuts
            let other = Int(Double(edge * long) / Double(short))
            if other >= 1 << 24 {
                let shape = "\(image.width) × \(image.height) pixels"
                throw ImageError.processor(
                    "an image of \(shape), too thin for a shortest edge of \(edge)", "crop or pad it first")
            }
            return image.width <= image.height ? (other, edge) : (edge, other)
        }
    }
}
