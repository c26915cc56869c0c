/// An 8-bit RGB picture, rows from the top, `pixels.count == width * height * 3`.
package struct RGBImage: Sendable, Equatable {
    package let width: Int
    package let height: Int
    package var pixels: [UInt8]

    package init(width: Int, height: Int, pixels: [UInt8]) {
        precondition(pixels.count == width * height * 3)
        self.width = width
        self.height = height
        self.pixels = pixels
    }

    /// The part of `height` × `width` pixels whose first corner is at `top` and `left`.
    func cropped(top: Int, left: Int, height: Int, width: Int) -> RGBImage {
        var part: [UInt8] = []
        part.reserveCapacity(height * width * 3)
        for y in top..<top + height {
            let start = (y * self.width + left) * 3
            part += pixels[start..<start + width * 3]
        }
        return RGBImage(width: width, height: height, pixels: part)
    }

    /// The picture in the middle of `height` × `width` pixels of `color`; an odd pixel stands below and on the right.
    func centered(height newHeight: Int, width newWidth: Int, on color: [UInt8]) -> RGBImage {
        if (height, width) == (newHeight, newWidth) { return self }
        let (top, left) = ((newHeight - height) / 2, (newWidth - width) / 2)
        let count = newHeight * newWidth
        let canvas = [UInt8](unsafeUninitializedCapacity: count * 3) { target, filled in
            for pixel in 0..<count {
                for channel in 0..<3 { target[pixel * 3 + channel] = color[channel] }
            }
            pixels.withUnsafeBufferPointer { source in
                let rowBytes = width * 3
                for y in 0..<height {
                    let to = ((y + top) * newWidth + left) * 3
                    for i in 0..<rowBytes { target[to + i] = source[y * rowBytes + i] }
                }
            }
            filled = count * 3
        }
        return RGBImage(width: newWidth, height: newHeight, pixels: canvas)
    }

    /// The picture in the middle of a square of `color`.
    func squared(on color: [UInt8]) -> RGBImage {
        let edge = max(width, height)
        return centered(height: edge, width: edge, on: color)
    }
}
