import CFiles
import Foundation

/// A file of which a reader finds the old bytes or the new ones under its name, never half of them, and of which a
/// kill leaves nothing behind: until `commit` it has no name at all (`O_TMPFILE`).
///
/// Links are followed. What is no regular file (a device, a named pipe) can't be replaced and is written to.
/// Every error is a `FileError`.
package final class AtomicFile {
    private enum Kind {
        case stream
        case nameless
        /// Where the file system knows no files without a name: a hidden one beside the target.
        case aside(String)
    }

    /// As the caller named it, for errors.
    private let path: String
    private let target: String
    private let descriptor: Int32
    private var kind: Kind

    package init(_ path: String) throws {
        self.path = path
        switch try OutputPlace(path) {
        case .stream(let stream):
            target = stream
            descriptor = try OutputPlace.open(stream: stream)
            kind = .stream
        case .file(let file):
            target = file
            let nameless = files_open_nameless(OutputPlace.folder(of: file))
            if nameless >= 0 {
                descriptor = nameless
                kind = .nameless
                return
            }
            // Kernels and file systems without O_TMPFILE answer with one of these.
            guard [EOPNOTSUPP, EISDIR, EINVAL].contains(errno) else {
                throw FileError(path, "open it for writing")
            }
            let aside = Self.aside(file)
            descriptor = open(aside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
            guard descriptor >= 0 else { throw FileError(aside, "open it for writing") }
            kind = .aside(aside)
        }
    }

    deinit {
        close(descriptor)
        if case .aside(let aside) = kind { unlink(aside) }
    }

    /// A name beside `file` that nobody has.
    private static func aside(_ file: String) -> String {
        let name =
            file.utf8.lastIndex(of: UInt8(ascii: "/")).map { file[file.index(after: $0)...] } ?? file[...]
        return "\(OutputPlace.folder(of: file))/.\(name).\(UUID().uuidString).part"
    }

    package func write(_ bytes: UnsafeRawBufferPointer) throws {
        let number = writeAll(bytes, to: descriptor)
        guard number == 0 else { throw FileError(path, "write", number) }
    }

    package func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    /// Gives the file its name.
    /// - Parameter isDurable: bring bytes and name to the disk first, so that a power cut leaves no empty file.
    package func commit(isDurable: Bool = true) throws {
        if case .stream = kind { return }
        // Some file systems can't synchronize and say so; the bytes are written all the same.
        if isDurable, fsync(descriptor) != 0, errno != EINVAL, errno != EROFS {
            throw FileError(path, "flush it to disk")
        }
        switch kind {
        case .stream: return
        case .aside(let aside): try rename(aside)
        case .nameless:
            if link(target) { break }
            guard errno == EEXIST else { throw FileError(path, "rename it into place") }
            // A link can't replace a name, a renaming can.
            let aside = Self.aside(target)
            guard link(aside) else { throw FileError(path, "rename it into place") }
            kind = .aside(aside)
            try rename(aside)
        }
        kind = .stream
        if isDurable { try Self.synchronizeFolder(of: target) }
    }

    private func link(_ name: String) -> Bool {
        linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, name, AT_SYMLINK_FOLLOW) == 0
    }

    private func rename(_ aside: String) throws {
        guard Foundation.rename(aside, target) == 0 else { throw FileError(path, "rename it into place") }
    }

    package static func write(
        _ bytes: some Sequence<UInt8>, to path: String, isDurable: Bool = true
    ) throws {
        let file = try AtomicFile(path)
        try file.write(Array(bytes))
        try file.commit(isDurable: isDurable)
    }

    package static func write(_ text: String, to path: String) throws { try write(text.utf8, to: path) }

    package static func synchronizeFolder(of path: String) throws {
        let folder = OutputPlace.folder(of: path)
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        // A folder may be open for writing and not for reading; the name stands all the same.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            throw FileError(folder, "flush the folder to disk")
        }
    }
}

/// Exchanges two folders, so that at every moment something stands at both names.
///
/// Where the file system can't exchange, they are renamed one after the other, the old one by way of a name that
/// nobody has.
package func exchangeFolders(_ one: String, _ other: String) throws {
    if files_exchange(one, other) == 0 { return }
    guard [EINVAL, ENOSYS, EOPNOTSUPP].contains(errno) else {
        throw FileError(other, "put \(one) in its place")
    }
    let aside = "\(other).\(UUID().uuidString)"
    for (from, to) in [(other, aside), (one, other), (aside, one)] where rename(from, to) != 0 {
        throw FileError(other, "rename \(from) to \(to)")
    }
}

/// Writes every byte, however often the system takes only some.
/// - Returns: 0, or the `errno` of what failed.
package func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Int32 {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = Foundation.write(
            descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count >= 0 { rest = rest.dropFirst(count) } else if errno != EINTR { return errno }
    }
    return 0
}
