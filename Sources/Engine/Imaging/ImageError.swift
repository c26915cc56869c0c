/// Why a picture, a path or a processor configuration can't be used. Every message reads
/// `where: what was found; what to do`.
package enum ImageError: Error, Equatable, CustomStringConvertible {
    case missing(path: String)
    case directory(path: String)
    case unreadable(path: String, reason: String)
    case empty(path: String)
    case notAnImage(path: String, found: String)
    case unsupported(path: String, detail: String)
    case truncated(path: String, detail: String)
    case damaged(path: String, detail: String)
    case zeroSized(path: String, width: Int, height: Int)
    case tooLarge(path: String, width: Int, height: Int, maximumPixels: Int)
    case outOfMemory(path: String, width: Int, height: Int)
    case unusablePath(path: String, reason: String)
    case unencodable(detail: String)
    case configuration(source: String, found: String, remedy: String)

    package var description: String {
        switch self {
        case .missing(let path):
            "\(path): no such file; check the path and the image root"
        case .directory(let path):
            "\(path): is a directory; name an image file"
        case .unreadable(let path, let reason):
            "\(path): can't be read (\(reason)); give a readable regular file"
        case .empty(let path):
            "\(path): the file is empty; fetch or write it again"
        case .notAnImage(let path, let found):
            "\(path): neither JPEG, PNG, WebP nor GIF but \(found); convert it to one of them"
        case .unsupported(let path, let detail):
            "\(path): an image of an unsupported kind (\(detail)); save it as 8-bit RGB"
        case .truncated(let path, let detail):
            "\(path): the image data end too early (\(detail)); fetch the file again"
        case .damaged(let path, let detail):
            "\(path): the image data are damaged (\(detail)); fetch the file again"
        case .zeroSized(let path, let width, let height):
            "\(path): the image is \(width) × \(height) pixels; give one with at least one pixel"
        case .tooLarge(let path, let width, let height, let maximumPixels):
            "\(path): the image declares \(width) × \(height) pixels, more than the \(maximumPixels) allowed; "
                + "scale it down"
        case .outOfMemory(let path, let width, let height):
            "\(path): no memory for \(width) × \(height) pixels; scale the image down"
        case .unusablePath(let path, let reason):
            "\(path.debugDescription): \(reason); give the path of an image file below the image root"
        case .unencodable(let detail):
            "PNG encoder: \(detail); give an image of at least one pixel"
        case .configuration(let source, let found, let remedy):
            "\(source): \(found); \(remedy)"
        }
    }
}
