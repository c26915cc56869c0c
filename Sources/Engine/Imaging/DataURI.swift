import Foundation

/// A picture that stands in the record itself: `data:image/png;base64,…` (RFC 2397). What kind it is, its bytes say.
enum DataURI {
    static func isOne(_ text: String) -> Bool {
        text.utf8.prefix(5).map { $0 | 0x20 }.elementsEqual("data:".utf8.map { $0 | 0x20 })
    }

    /// - Throws: `ImageError.unreadable`.
    static func bytes(of uri: String) throws -> [UInt8] {
        guard let comma = uri.utf8.firstIndex(of: UInt8(ascii: ",")), uri[..<comma].hasSuffix(";base64")
        else {
            throw ImageError.unreadable(path: shown(uri), reason: "its bytes are not given as base64")
        }
        let digits = uri.utf8[uri.utf8.index(after: comma)...].filter { $0 > 0x20 }
        guard let data = Data(base64Encoded: Data(digits)) else {
            throw ImageError.unreadable(path: shown(uri), reason: "broken base64")
        }
        return [UInt8](data)
    }

    /// A name for messages: a path as it is, of a URI its beginning.
    static func shown(_ image: String) -> String {
        let count = image.utf8.count
        return isOne(image) && count > 48
            ? "\(String(decoding: image.utf8.prefix(40), as: UTF8.self))… (\(count) bytes)" : image
    }
}
