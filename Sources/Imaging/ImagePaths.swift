import Foundation

/// The file that an image path of a record names: relative paths start at `root`, symbolic links are resolved,
/// and only then is it checked that the file lies inside the root. An absolute path is allowed when it does.
///
/// - Returns: the resolved absolute path.
/// - Throws: `ImageError.outsideRoot`, `.missing`, `.missingRoot`, `.unusablePath`.
package func resolveImage(_ path: String, root: String) throws -> String {
    if path.isEmpty { throw ImageError.unusablePath(path: path, reason: "an empty image path") }
    if path.utf8.contains(0) { throw ImageError.unusablePath(path: path, reason: "holds a zero byte") }
    let base: String
    switch resolveLinks(root.isEmpty ? "." : root) {
    case .success(let resolved): base = resolved
    case .failure(let failure): throw ImageError.missingRoot(root: root, reason: failure.reason)
    }
    let isAbsolute = path.utf8.first == UInt8(ascii: "/")
    let candidate = isAbsolute ? path : base + "/" + path
    switch resolveLinks(candidate) {
    case .success(let resolved):
        if !contains(base, resolved) {
            throw ImageError.outsideRoot(path: path, root: root, resolved: resolved)
        }
        return resolved
    case .failure(let failure):
        // whether something exists outside the root is none of a record's business
        let lexical = removeDotComponents(candidate)
        let spelled = root.utf8.first == UInt8(ascii: "/") ? removeDotComponents(root) : base
        if !contains(base, lexical) && !contains(spelled, lexical) {
            throw ImageError.outsideRoot(path: path, root: root, resolved: lexical)
        }
        if failure.code == ENOENT || failure.code == ENOTDIR { throw ImageError.missing(path: path) }
        throw ImageError.unreadable(path: path, reason: failure.reason)
    }
}

private struct ResolutionFailure: Error {
    let code: Int32
    let reason: String
}

private func resolveLinks(_ path: String) -> Result<String, ResolutionFailure> {
    guard let resolved = realpath(path, nil) else {
        let code = errno
        return .failure(ResolutionFailure(code: code, reason: systemMessage(code)))
    }
    defer { free(resolved) }
    guard let text = String(validatingCString: resolved) else {
        return .failure(ResolutionFailure(code: EILSEQ, reason: "its resolved path is not UTF-8"))
    }
    return .success(text)
}

/// Whether `path` is `root` or below it, both absolute; by bytes, because Swift's strings would also match
/// names that are merely canonically equal.
private func contains(_ root: String, _ path: String) -> Bool {
    let above = root.utf8.split(separator: UInt8(ascii: "/"))
    let below = path.utf8.split(separator: UInt8(ascii: "/"))
    return below.count >= above.count && zip(above, below).allSatisfy { $0.elementsEqual($1) }
}

private func removeDotComponents(_ path: String) -> String {
    var kept: [Substring.UTF8View] = []
    for part in path.utf8.split(separator: UInt8(ascii: "/")) {
        if part.elementsEqual("..".utf8) {
            _ = kept.popLast()
        } else if !part.elementsEqual(".".utf8) {
            kept.append(part)
        }
    }
    return "/" + kept.map { String(Substring($0)) }.joined(separator: "/")
}
