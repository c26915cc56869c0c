import Foundation

/// From a decoded picture to the floats that a CLIP or LLaVA vision tower reads, as transformers' Pillow-based
/// `CLIPImageProcessor` computes them: (pad to a square,) resize, crop the centre, rescale, normalize.
package struct ImageProcessor: Sendable, Equatable {
    /// How the picture is resized.
    package enum Size: Sendable, Equatable {
        /// The shorter side gets this length and the other one follows, rounded down.
        case shortestEdge(Int)
        /// Both sides are set; the aspect ratio changes.
        case exact(height: Int, width: Int)
    }

    /// Height and width of the centre crop; where the picture is smaller, black surrounds it.
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
    package let filter: ResamplingFilter
    package let crop: Crop?
    /// nil leaves values in 0…255.
    package let rescaleFactor: Double?
    package let mean: [Double]
    package let std: [Double]
    package let normalizes: Bool
    /// First pads to a centred square in the colour int(255 · mean), as LLaVA-1.5 trains.
    package let pad: Bool
    /// How transparent pixels of a file are read.
    package var alpha = AlphaRule.white

    package let outputHeight: Int
    package let outputWidth: Int

    /// channel × 256: the result has only that many values, and a table gives each as numpy computes it
    /// (rescaled in Double and rounded to Float, then normalised in Float).
    private let values: [Float]

    /// CLIP's preprocessing to pictures of `side` × `side`.
    package init(square side: Int) throws {
        try self.init(
            size: .shortestEdge(side), crop: Crop(height: side, width: side), mean: Self.clipMean,
            std: Self.clipStd)
    }

    /// - Throws: `ImageError.configuration` where the sizes aren't positive, or would give pictures of
    ///   different shapes.
    package init(
        size: Size?, filter: ResamplingFilter = .bicubic, crop: Crop?, rescaleFactor: Double? = 1 / 255,
        mean: [Double] = clipMean, std: [Double] = clipStd, normalizes: Bool = true, pad: Bool = false
    ) throws {
        self.size = size
        self.filter = filter
        self.crop = crop
        self.rescaleFactor = rescaleFactor
        self.mean = mean
        self.std = std
        self.normalizes = normalizes
        self.pad = pad
        try Self.checkNumbers(mean: mean, std: std, rescaleFactor: rescaleFactor)
        switch (crop, size) {
        case (let crop?, _): (outputHeight, outputWidth) = (crop.height, crop.width)
        case (nil, .exact(let height, let width)): (outputHeight, outputWidth) = (height, width)
        case (nil, .shortestEdge(let edge)) where pad: (outputHeight, outputWidth) = (edge, edge)
        default:
            throw Self.problem(
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
            throw Self.problem("an edge of \(length) pixels", "use 1 to \(Self.maximumEdge)")
        }
        values = (0..<3 * 256).map { index in
            let level = index % 256
            let value = rescaleFactor.map { Float(Double(level) * $0) } ?? Float(level)
            return normalizes ? (value - Float(mean[index / 256])) / Float(std[index / 256]) : value
        }
    }

    static let maximumEdge = 16_384

    private static func checkNumbers(mean: [Double], std: [Double], rescaleFactor: Double?) throws {
        if mean.count != 3 || !mean.allSatisfy({ (-255.0...255).contains($0) }) {
            throw problem("image_mean \(mean)", "give three numbers of at most 255")
        }
        if std.count != 3 || !std.allSatisfy({ $0.isFinite && Float($0) > 0 }) {
            throw problem("image_std \(std)", "give three positive numbers")
        }
        if let rescaleFactor, !rescaleFactor.isFinite {
            throw problem("rescale_factor \(rescaleFactor)", "give a finite number")
        }
    }

    private static func problem(_ found: String, _ remedy: String) -> ImageError {
        .configuration(source: "image processor", found: found, remedy: remedy)
    }

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
        let image = pad ? padToSquare(image) : image
        let resized = try resizedShape(of: image)
        // Only the part that the crop keeps is ever resized. Rounded down, also for a crop that hangs over.
        let top = (resized.height - outputHeight) >> 1
        let left = (resized.width - outputWidth) >> 1
        let window = Window(
            width: resized.width, height: resized.height,
            columns: max(0, left)..<min(resized.width, left + outputWidth),
            rows: max(0, top)..<min(resized.height, top + outputHeight))
        let part = resample(image, window, filter)
        let inside = (top: max(0, -top), left: max(0, -left))
        let plane = outputHeight * outputWidth
        return [Float](unsafeUninitializedCapacity: 3 * plane) { target, filled in
            if part.height * part.width < plane {
                for channel in 0..<3 {
                    target[channel * plane..<(channel + 1) * plane].update(repeating: values[channel * 256])
                }
            }
            part.pixels.withUnsafeBufferPointer { source in
                values.withUnsafeBufferPointer { values in
                    for y in 0..<part.height {
                        let to = (y + inside.top) * outputWidth + inside.left
                        let from = y * part.width * 3
                        for x in 0..<part.width {
                            for channel in 0..<3 {
                                let level = Int(source[from + 3 * x + channel])
                                target[channel * plane + to + x] = values[channel * 256 + level]
                            }
                        }
                    }
                }
            }
            filled = 3 * plane
        }
    }

    private func resizedShape(of image: RGBImage) throws -> (height: Int, width: Int) {
        if image.width < 1 || image.height < 1 {
            throw Self.problem(
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
                throw Self.problem(
                    "an image of \(shape), too thin for a shortest edge of \(edge)", "crop or pad it first")
            }
            return image.width <= image.height ? (other, edge) : (edge, other)
        }
    }

    private func padToSquare(_ image: RGBImage) -> RGBImage {
        if image.width == image.height { return image }
        let edge = max(image.width, image.height)
        let colour = mean.map { UInt8(clamping: Int($0 * 255)) }
        let left = (edge - image.width) / 2
        let top = (edge - image.height) / 2
        let pixels = [UInt8](unsafeUninitializedCapacity: edge * edge * 3) { target, filled in
            for pixel in 0..<edge * edge {
                for channel in 0..<3 { target[pixel * 3 + channel] = colour[channel] }
            }
            image.pixels.withUnsafeBufferPointer { source in
                let rowBytes = image.width * 3
                for y in 0..<image.height {
                    let to = ((y + top) * edge + left) * 3
                    for i in 0..<rowBytes { target[to + i] = source[y * rowBytes + i] }
                }
            }
            filled = edge * edge * 3
        }
        return RGBImage(width: edge, height: edge, pixels: pixels)
    }
}
