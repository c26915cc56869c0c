import Foundation

/// Where an output goes. Links are followed: they stay, and what they lead to is replaced.
package enum OutputPlace: Equatable, Sendable {
    /// A regular file, or none yet: replaced as a whole.
    case file(String)
    /// A device, a named pipe or an open descriptor such as `/dev/stdout`: written to.
    case stream(String)

    /// - Throws: `FileError` for a folder, and for links that lead in a circle.
    package init(_ path: String) throws {
        var status = stat()
        let exists = stat(path, &status) == 0
        if path.hasSuffix("/") || (exists && status.st_mode & S_IFMT == S_IFDIR) {
            throw FileError(path, "write it", EISDIR)
        }
        let target = try Self.following(path)
        let isRegular = !exists || status.st_mode & S_IFMT == S_IFREG
        self = isRegular && !Self.isDescriptor(target) ? .file(target) : .stream(target)
    }

    /// The name at the end of a chain of links, whether something stands there or not.
    package static func following(_ path: String) throws -> String {
        var path = path
        for _ in 0..<40 {
            // A link in /proc stands for an open descriptor, whatever name it shows.
            if isDescriptor(path) { return path }
            guard let target = try? FileManager.default.destinationOfSymbolicLink(atPath: path) else {
                return path
            }
            path = target.hasPrefix("/") ? target : "\(folder(of: path))/\(target)"
        }
        throw FileError(path, "follow the link", ELOOP)
    }

    /// Where `path` lies once links are followed, by which two names of one place are known.
    package static func real(_ path: String) -> String {
        URL(fileURLWithPath: path).standardizedFileURL.resolvingSymlinksInPath().path
    }

    /// `a/b` of `a/b//`, `/` of `/`.
    package static func withoutSlash(_ path: String) -> String {
        var path = Substring(path)
        while path.count > 1, path.hasSuffix("/") { path = path.dropLast() }
        return String(path)
    }

    private static func isDescriptor(_ path: String) -> Bool {
        guard let folder = realpath(folder(of: path), nil) else { return false }
        defer { free(folder) }
        return String(cString: folder).hasPrefix("/proc/")
    }

    /// `a/b` of `a/b/c`, `.` of `c`. (NSString's deletingLastPathComponent traps on a single letter
    /// in the Foundation of Swift 6.3.)
    package static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    /// Opens a stream for writing. A descriptor of this process is shared and not opened again, so that what
    /// follows a `>>` is not written over.
    /// - Throws: `FileError`.
    package static func open(stream path: String) throws -> Int32 {
        let number = path.utf8.lastIndex(of: UInt8(ascii: "/")).flatMap {
            Int32(path[path.index(after: $0)...])
        }
        let own = realpath("/proc/self/fd", nil)
        let place = realpath(folder(of: path), nil)
        defer {
            free(own)
            free(place)
        }
        var descriptor: Int32 = -1
        if let number, let own, let place, strcmp(own, place) == 0 {
            descriptor = fcntl(number, F_DUPFD_CLOEXEC, 3)
        } else {
            descriptor = Foundation.open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        }
        guard descriptor >= 0 else { throw FileError(path, "open it for writing") }
        return descriptor
    }
}
