import CImageIO
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

/// Writes `image` as PNG. The file appears under its name only when it is complete.
///
/// - Throws: `ImageError.unwritable` with the system's reason; no partial file is left.
package func writePNG(_ image: RGBImage, to path: String) throws {
    let bytes = try encodePNG(image)
    let part = path + ".part"
    let descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    if descriptor < 0 { throw ImageError.unwritable(path: path, reason: systemMessage(errno)) }
    var written = 0
    var failure: Int32 = 0
    bytes.withUnsafeBytes { buffer in
        while written < buffer.count && failure == 0 {
            let put = write(descriptor, buffer.baseAddress! + written, buffer.count - written)
            if put >= 0 { written += put } else if errno != EINTR { failure = errno }
        }
    }
    if close(descriptor) != 0 && failure == 0 { failure = errno }
    if failure == 0 && rename(part, path) != 0 { failure = errno }
    if failure != 0 {
        unlink(part)
        throw ImageError.unwritable(path: path, reason: systemMessage(failure))
    }
}
