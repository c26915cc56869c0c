import Foundation

/// What becomes of symbolic links below a folder of pictures.
package enum LinkRule: Sendable {
    /// They are the owner's and followed, wherever they lead.
    case followed
    /// They must not lead out of the folder.
    case keptInside
}

/// The file that a record's picture lies in. The path as written, its dots taken out, starts at `root` and must stay
/// inside it; only then are links followed, as those of a Hugging Face snapshot into `blobs`. Names are compared by
/// their bytes: Swift's strings would also match names that are merely canonically equal.
///
/// - Parameters:
///   - image: a relative path; an absolute one that lies below the root, as it was said or with its links followed;
///     or a `data:` URI, which is its own place.
///   - option: names the root in messages.
/// - Returns: an absolute path without links, so that a picture has one name.
/// - Throws: `ImagePathError` for what is the record's fault, `ImageRootError` for a root that can't be used.
package func resolveImage(
    _ image: String, root: String, option: String = "--image-root", links: LinkRule = .followed
) throws -> String {
    if DataURI.isOne(image) { return image }
    func error(_ finding: String, _ remedy: String) -> ImagePathError {
        ImagePathError(image, finding, remedy)
    }
    if image.isEmpty { throw error("an empty path", "name the picture's file") }
    if image.utf8.contains(0) { throw error("it holds a zero byte", "name the picture's file") }
    if image.prefixMatch(of: /[A-Za-z][A-Za-z0-9+.\-]*:\/\//) != nil {
        throw error("a URL, not a path", "download it to a file below \(option) and name that")
    }
    guard let base = realPath(root.isEmpty ? "." : root) else {
        throw ImageRootError(root: root, option: option, reason: systemMessage(errno))
    }
    guard let inner = partBelow(image, root: root, base: base) else {
        throw error("it lies outside of \(option) \(root)", "move it or widen the root")
    }
    let place = ([base == "/" ? "" : base] + inner).joined(separator: "/")
    guard let file = realPath(place) else {
        let code = errno
        var status = stat()
        if code == ENOENT || code == ENOTDIR {
            throw lstat(place, &status) == 0
                ? error("a broken link", "fetch the file that it leads to")
                : error("not there under \(option) \(root)", "check the path")
        }
        throw error("it can't be reached (\(systemMessage(code)))", "check the path")
    }
    guard links == .followed || startsWith(components(base), components(file)) else {
        throw error(
            "a link leads to \(file), outside of \(option) \(root)",
            "move it below the root, or leave --no-links out")
    }
    return file
}

/// The names from the root down to a picture; nil where its path leaves the root.
private func partBelow(_ image: String, root: String, base: String) -> [String]? {
    let isAbsolute = image.utf8.first == UInt8(ascii: "/")
    guard let parts = withoutDots(components(image)) else { return nil }
    guard isAbsolute else { return parts.map(String.init) }
    let isRootAbsolute = root.utf8.first == UInt8(ascii: "/")
    for above in [isRootAbsolute ? root : base, base] {
        guard let above = withoutDots(components(above)), startsWith(above, parts) else { continue }
        return parts.dropFirst(above.count).map(String.init)
    }
    return nil
}

private func components(_ path: String) -> [Substring] {
    path.utf8.split(separator: UInt8(ascii: "/")).map(Substring.init)
}

/// nil where `..` leads above the beginning.
private func withoutDots(_ parts: [Substring]) -> [Substring]? {
    var kept: [Substring] = []
    for part in parts where !part.utf8.elementsEqual(".".utf8) {
        if part.utf8.elementsEqual("..".utf8) {
            if kept.popLast() == nil { return nil }
        } else {
            kept.append(part)
        }
    }
    return kept
}

private func startsWith(_ above: [Substring], _ below: [Substring]) -> Bool {
    below.count >= above.count && zip(above, below).allSatisfy { $0.utf8.elementsEqual($1.utf8) }
}

/// nil with `errno` where nothing is there.
private func realPath(_ path: String) -> String? {
    guard let real = realpath(path, nil) else { return nil }
    defer { free(real) }
    guard let text = String(validatingCString: real) else {
        errno = EILSEQ
        return nil
    }
    return text
}

/// Why a record's picture can't be opened.
package struct ImagePathError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ image: String, _ finding: String, _ remedy: String) {
        description = "image \(DataURI.shown(image)): \(finding); \(remedy)"
    }
}

/// A folder of pictures that can't be used.
package struct ImageRootError: Error, Equatable, CustomStringConvertible {
    let root: String
    let option: String
    let reason: String

    package var description: String { "\(option) \(root): no such folder (\(reason)); check the path" }
}
