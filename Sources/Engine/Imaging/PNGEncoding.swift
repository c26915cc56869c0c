import CImageIO
import Files
import Foundation

/// Encodes `image` as an 8-bit RGB PNG without metadata: the same pixels give the same bytes under the same
/// libpng and zlib.
///
/// - Throws: `ImageError.unencodable` for an image without pixels.
package func encodePNG(_ image: RGBImage) throws -> [UInt8] {
    if image.width == 0 || image.height == 0 {
        throw ImageError.unencodable(detail: "an image of \(image.width) × \(image.height) pixels")
    }
    guard let width = UInt32(exactly: image.width), let height = UInt32(exactly: image.height) else {
        throw ImageError.unencodable(detail: "an image of \(image.width) × \(image.height) pixels")
    }
    var bytes: UnsafeMutablePointer<UInt8>?
    var count = 0
    let (status, detail) = withUnsafeTemporaryAllocation(of: CChar.self, capacity: 200) { message in
        message.initialize(repeating: 0)
        let status = cimage_encode_png(image.pixels, width, height, &bytes, &count, message.baseAddress)
        return (Int(status), String(cString: message.baseAddress!))
    }
    defer { free(bytes) }
    if status != CIMAGE_OK { throw ImageError.unencodable(detail: detail) }
    return Array(UnsafeBufferPointer(start: bytes, count: count))
}

/// Writes `image` as PNG. The file appears under its name only when it is complete; it is not brought to the disk,
/// which would make a folder of pictures many times slower.
///
/// - Throws: `FileError` where it can't be written.
package func writePNG(_ image: RGBImage, to path: String) throws {
    try AtomicFile.write(try encodePNG(image), to: path, isDurable: false)
}
