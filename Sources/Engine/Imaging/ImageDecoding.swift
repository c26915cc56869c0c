import CImageIO
import Foundation

/// What a decoder may be asked to hold in memory.
package struct DecodingLimits: Sendable, Equatable {
    /// Pictures that declare more pixels are refused before anything is allocated. The default is the
    /// threshold above which Pillow raises `DecompressionBombError` (twice 128 MiB / 4 / 3).
    package var maximumPixels: Int

    package init(maximumPixels: Int = 178_956_970) {
        self.maximumPixels = maximumPixels
    }
}

/// What becomes of pixels that are not opaque.
package enum AlphaRule: String, Sendable, CaseIterable {
    /// Laid onto white, as `convert_to_rgb` of transformers 5 does in every processor.
    case white
    /// Alpha is left out, and what color lies there is seen: Pillow's `convert("RGB")`.
    case drop
}

/// Decodes a JPEG, PNG, WebP or GIF, recognised by content, to the pixels that Pillow's
/// `ImageOps.exif_transpose(Image.open(path)).convert("RGB")` gives, but for transparent pixels, which follow
/// `alpha`: of several frames the first, EXIF orientation applied, 16-bit grey clipped at 255, other 16-bit samples cut
/// to their high byte.
///
/// Stricter than Pillow where data are missing: libjpeg's warnings about ended or unreadable data and any
/// PNG checksum mismatch are errors.
///
/// - Parameter path: of a file, or a `data:` URI.
/// - Throws: `ImageError`, with `path` in it.
package func decodeImage(
    at path: String, alpha: AlphaRule = .white, limits: DecodingLimits = DecodingLimits()
) throws -> RGBImage {
    try decodeImage(bytes: readImage(at: path), name: DataURI.shown(path), alpha: alpha, limits: limits)
}

/// Decodes a picture held in memory, as `decodeImage(at:alpha:limits:)` does; `name` stands for the path in messages.
package func decodeImage(
    bytes: [UInt8], name: String = "image in memory", alpha: AlphaRule = .white,
    limits: DecodingLimits = DecodingLimits()
) throws -> RGBImage {
    let order = cimage_order(
        max_pixels: limits.pixels, drops_alpha: alpha == .drop ? 1 : 0, header_only: 0)
    return try withPicture(of: bytes, order, name: name) { picture in
        let orientation = Orientation(
            exif: block(picture.exif, picture.exif_count),
            rawExif: block(picture.raw_exif, picture.raw_exif_count),
            xmp: block(picture.xmp, picture.xmp_count))
        let width = Int(picture.width)
        let height = Int(picture.height)
        return orientation.apply(
            to: UnsafeBufferPointer(start: picture.rgb, count: width * height * 3), width: width,
            height: height)
    }
}

/// Reads as much of a picture as tells that it is one that can be decoded, of a size within the limits.
///
/// - Throws: `ImageError`, as `decodeImage(at:alpha:limits:)` would for what stands at the file's beginning.
package func checkHeader(at path: String, limits: DecodingLimits = DecodingLimits()) throws {
    let order = cimage_order(max_pixels: limits.pixels, drops_alpha: 0, header_only: 1)
    if DataURI.isOne(path) {
        return try withPicture(of: DataURI.bytes(of: path), order, name: DataURI.shown(path)) { _ in }
    }
    let head = try readImage(at: path, upTo: 1 << 16)
    do { try withPicture(of: head, order, name: path) { _ in } } catch ImageError.truncated {
        // What cameras write before the header may be long.
        try withPicture(of: readImage(at: path), order, name: path) { _ in }
    }
}

extension DecodingLimits {
    fileprivate var pixels: UInt64 { UInt64(max(0, maximumPixels)) }
}

private func withPicture<T>(
    of bytes: [UInt8], _ order: cimage_order, name: String, _ body: (cimage_picture) throws -> T
) throws -> T {
    let format = try ImageFormat(bytes, name: name)
    var picture = cimage_picture()
    defer { cimage_picture_free(&picture) }
    bytes.withUnsafeBufferPointer { buffer in
        let (bytes, count) = (buffer.baseAddress, buffer.count)
        switch format {
        case .jpeg: cimage_decode_jpeg(bytes, count, order, &picture)
        case .png: cimage_decode_png(bytes, count, order, &picture)
        case .webp: cimage_decode_webp(bytes, count, order, &picture)
        case .gif: cimage_decode_gif(bytes, count, order, &picture)
        }
    }
    if let error = failure(of: picture, name: name, maximumPixels: Int(order.max_pixels)) { throw error }
    return try body(picture)
}

private let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
private let jpegSignature: [UInt8] = [0xFF, 0xD8, 0xFF]

/// What a picture's bytes are, by how they begin.
package enum ImageFormat: String, Sendable {
    case jpeg, png, webp, gif

    package var mediaType: String { "image/\(rawValue)" }

    /// - Parameters:
    ///   - bytes: of the file, its first 16 at least.
    ///   - name: for messages.
    /// - Throws: `ImageError` for what is none of them.
    package init(_ bytes: some Collection<UInt8>, name: String) throws {
        if bytes.starts(with: pngSignature) {
            self = .png
        } else if bytes.starts(with: jpegSignature) {
            self = .jpeg
        } else if bytes.starts(with: "GIF87a".utf8) || bytes.starts(with: "GIF89a".utf8) {
            self = .gif
        } else if bytes.starts(with: "RIFF".utf8), bytes.dropFirst(8).starts(with: "WEBP".utf8) {
            self = .webp
        } else if bytes.isEmpty {
            throw ImageError.empty(path: name)
        } else if pngSignature.starts(with: bytes) || jpegSignature.starts(with: bytes) {
            throw ImageError.truncated(path: name, detail: "\(bytes.count) bytes hold no header")
        } else {
            throw ImageError.notAnImage(path: name, found: describeContent(Array(bytes.prefix(16))))
        }
    }
}

/// A name for what a user is likely to pass by mistake.
private func describeContent(_ head: [UInt8]) -> String {
    let ascii = String(decoding: head.map { $0 < 0x80 ? $0 : 0x3F }, as: UTF8.self)
    if ascii.hasPrefix("BM") { return "BMP" }
    if ascii.hasPrefix("II*\0") || ascii.hasPrefix("MM\0*") { return "TIFF" }
    if ascii.dropFirst(4).hasPrefix("ftyp") { return "an ISO media file (AVIF, HEIF, MP4)" }
    let isText = head.allSatisfy { ($0 >= 0x20 && $0 < 0x7F) || $0 == 0x0A || $0 == 0x0D || $0 == 0x09 }
    if isText { return "text (\(ascii.debugDescription))" }
    let digits = head.prefix(8).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }
    return "bytes " + digits.joined(separator: " ")
}

private func failure(of picture: cimage_picture, name: String, maximumPixels: Int) -> ImageError? {
    let width = Int(picture.width)
    let height = Int(picture.height)
    let detail = withUnsafeBytes(of: picture.message) { text in
        String(decoding: text.prefix { $0 != 0 }, as: UTF8.self)
    }
    switch Int(picture.status) {
    case CIMAGE_OK: return nil
    case CIMAGE_TRUNCATED: return .truncated(path: name, detail: detail)
    case CIMAGE_EMPTY: return .zeroSized(path: name, width: width, height: height)
    case CIMAGE_TOO_LARGE:
        return .tooLarge(path: name, width: width, height: height, maximumPixels: maximumPixels)
    case CIMAGE_UNSUPPORTED: return .unsupported(path: name, detail: detail)
    case CIMAGE_NO_MEMORY: return .outOfMemory(path: name, width: width, height: height)
    default: return .damaged(path: name, detail: detail)
    }
}

private func block(_ start: UnsafeMutablePointer<UInt8>?, _ count: Int) -> [UInt8]? {
    start.map { Array(UnsafeBufferPointer(start: $0, count: count)) }
}

/// The bytes of a picture: the whole of a regular file, after a look at its first bytes, so that a large file of
/// another kind costs nothing; or what a `data:` URI holds.
///
/// - Parameter limit: where reading stops.
/// - Throws: `ImageError`.
package func readImage(at path: String, upTo limit: Int = .max) throws -> [UInt8] {
    if DataURI.isOne(path) { return try DataURI.bytes(of: path) }
    if path.utf8.contains(0) { throw ImageError.unusablePath(path: path, reason: "holds a zero byte") }
    // non-blocking, because opening a named pipe would wait for its writer
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    if descriptor < 0 {
        let code = errno
        if code == ENOENT || code == ENOTDIR { throw ImageError.missing(path: path) }
        throw ImageError.unreadable(path: path, reason: systemMessage(code))
    }
    defer { close(descriptor) }
    var status = stat()
    if fstat(descriptor, &status) != 0 {
        throw ImageError.unreadable(path: path, reason: systemMessage(errno))
    }
    if status.st_mode & S_IFMT == S_IFDIR { throw ImageError.directory(path: path) }
    if status.st_mode & S_IFMT != S_IFREG {
        throw ImageError.unreadable(path: path, reason: "not a regular file")
    }
    let head = try readBytes(descriptor, upTo: 16, path: path)
    _ = try ImageFormat(head, name: path)
    let rest = try readBytes(
        descriptor, upTo: max(0, min(limit, Int(status.st_size)) - head.count), path: path)
    return head + rest
}

private func readBytes(_ descriptor: Int32, upTo count: Int, path: String) throws -> [UInt8] {
    try [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
        while filled < count {
            let got = read(descriptor, buffer.baseAddress! + filled, count - filled)
            if got < 0 && errno == EINTR { continue }
            if got < 0 { throw ImageError.unreadable(path: path, reason: systemMessage(errno)) }
            if got == 0 { break }
            filled += got
        }
    }
}

func systemMessage(_ code: Int32) -> String {
    String(cString: strerror(code))
}
