/// From 8-bit levels to a tower's floats: rescale, normalize.
struct PixelValues: Sendable, Equatable {
    /// nil leaves values in 0…255.
    let rescaleFactor: Double?
    let mean: [Double]
    let std: [Double]
    let normalizes: Bool

    /// channel × 256: a picture has only that many values, and a table gives each as numpy computes it
    /// (rescaled in Double and rounded to Float, then normalized in Float).
    private let table: [Float]

    /// - Throws: `ImageError.configuration` for numbers that give no finite values.
    init(rescaleFactor: Double? = 1 / 255, mean: [Double], std: [Double], normalizes: Bool = true) throws {
        if mean.count != 3 || !mean.allSatisfy({ (-255.0...255).contains($0) }) {
            throw ImageError.processor("image_mean \(mean)", "give three numbers of at most 255")
        }
        if std.count != 3 || !std.allSatisfy({ $0.isFinite && Float($0) > 0 }) {
            throw ImageError.processor("image_std \(std)", "give three positive numbers")
        }
        if let rescaleFactor, !rescaleFactor.isFinite {
            throw ImageError.processor("rescale_factor \(rescaleFactor)", "give a finite number")
        }
        (self.rescaleFactor, self.mean, self.std) = (rescaleFactor, mean, std)
        self.normalizes = normalizes
        table = (0..<3 * 256).map { index in
            let level = index % 256
            let value = rescaleFactor.map { Float(Double(level) * $0) } ?? Float(level)
            return normalizes ? (value - Float(mean[index / 256])) / Float(std[index / 256]) : value
        }
    }

    /// The mean as a color, rounded down: what surrounds a picture that is padded to a square.
    var background: [UInt8] { mean.map { UInt8(clamping: Int($0 * 255)) } }

    /// `[3, height, width]`, red plane first, of all of `image`.
    func planes(of image: RGBImage) -> [Float] {
        planes(of: image, at: (0, 0), height: image.height, width: image.width)
    }

    /// `[3, height, width]`, red plane first, with `image` at `place` and black around it.
    func planes(of image: RGBImage, at place: (top: Int, left: Int), height: Int, width: Int) -> [Float] {
        let plane = height * width
        return [Float](unsafeUninitializedCapacity: 3 * plane) { target, filled in
            if image.height * image.width < plane {
                for channel in 0..<3 {
                    target[channel * plane..<(channel + 1) * plane].update(repeating: table[channel * 256])
                }
            }
            image.pixels.withUnsafeBufferPointer { source in
                table.withUnsafeBufferPointer { table in
                    for y in 0..<image.height {
                        let to = (y + place.top) * width + place.left
                        let from = y * image.width * 3
                        for x in 0..<image.width {
                            for channel in 0..<3 {
                                let level = Int(source[from + 3 * x + channel])
                                target[channel * plane + to + x] = table[channel * 256 + level]
                            }
                        }
                    }
                }
            }
            filled = 3 * plane
        }
    }
}

extension ImageError {
    /// What a preprocessing can't be made with, before it is known which file says so.
    static func processor(_ found: String, _ remedy: String) -> ImageError {
        .configuration(source: processorSource, found: found, remedy: remedy)
    }

    static let processorSource = "image processor"
}
