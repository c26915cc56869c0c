import Foundation

/// A file or standard input, read in chunks.
final class ByteSource {
    let path: String
    private let descriptor: Int32
    private let isOwned: Bool

    /// - Parameter path: a path, or `-` for standard input.
    init(path: String) throws {
        self.path = path
        isOwned = path != "-"
        descriptor = isOwned ? open(path, O_RDONLY | O_CLOEXEC) : 0
        guard descriptor >= 0 else { throw StageError.system(path, "open the file") }
        var status = stat()
        if fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFDIR {
            throw StageError.system(path, "read it", EISDIR)
        }
    }

    deinit { if isOwned { close(descriptor) } }

    /// Reads what is there, at most the size of `buffer`; 0 at the end.
    func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        while true {
            let count = Foundation.read(descriptor, buffer.baseAddress, buffer.count)
            if count >= 0 { return count }
            if errno != EINTR { throw StageError.system(path, "read the file") }
        }
    }

    func readAll(_ body: (UnsafeRawBufferPointer) throws -> Void) throws {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 64)
        defer { buffer.deallocate() }
        while case let count = try read(into: buffer), count > 0 {
            try body(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }
}

/// A descriptor to write to; says which file when a write fails.
final class ByteSink: Sendable {
    let path: String
    let descriptor: Int32
    private let isOwned: Bool

    /// Takes over `descriptor` if `isOwned`, and then closes it at the end.
    init(path: String, descriptor: Int32, isOwned: Bool) {
        self.path = path
        self.descriptor = descriptor
        self.isOwned = isOwned
    }

    static var standardOutput: ByteSink { ByteSink(path: "-", descriptor: 1, isOwned: false) }

    convenience init(path: String, flags: Int32) throws {
        let descriptor = open(path, flags | O_CLOEXEC, 0o666)
        guard descriptor >= 0 else { throw StageError.system(path, "open it for writing") }
        self.init(path: path, descriptor: descriptor, isOwned: true)
    }

    deinit { if isOwned { close(descriptor) } }

    /// - Throws: `StageError.closedPipe` where nobody reads any more, another one where it fails.
    func write(_ bytes: [UInt8]) throws {
        try bytes.withUnsafeBytes { buffer in
            var done = 0
            while done < buffer.count {
                let count = Foundation.write(descriptor, buffer.baseAddress! + done, buffer.count - done)
                if count >= 0 {
                    done += count
                } else if errno == EPIPE {
                    throw StageError.closedPipe
                } else if errno != EINTR {
                    throw StageError.system(path == "-" ? "standard output" : path, "write")
                }
            }
        }
    }

    /// Writes from `offset` on, over what is there.
    func write(_ bytes: [UInt8], at offset: Int) throws {
        guard lseek(descriptor, off_t(offset), SEEK_SET) == off_t(offset) else {
            throw StageError.system(path, "find byte \(offset)")
        }
        try write(bytes)
    }

    func synchronise() throws {
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            throw StageError.system(path, "bring it to the disk")
        }
    }
}

/// Writing a file so that a reader finds the old one or the new one, never half of it.
package enum AtomicFile {
    /// Writes aside, brings the bytes to the disk, renames.
    package static func write(_ bytes: [UInt8], to path: String) throws {
        let aside = "\(path).\(getpid()).part"
        do {
            let file = try ByteSink(path: aside, flags: O_WRONLY | O_CREAT | O_TRUNC)
            try file.write(bytes)
            try file.synchronise()
            try rename(aside, to: path)
        } catch {
            unlink(aside)
            throw error
        }
    }

    package static func write(_ text: String, to path: String) throws {
        try write(Array(text.utf8), to: path)
    }

    /// Renames over what is there and brings the new name to the disk.
    static func rename(_ part: String, to path: String) throws {
        guard Foundation.rename(part, path) == 0 else {
            throw StageError.system(path, "rename \(part) to it")
        }
        try synchroniseFolder(of: path)
    }

    /// `a/b` of `a/b/c`, `.` of `c`. (NSString's deletingLastPathComponent traps on a single letter
    /// in the Foundation of Swift 6.3.)
    static func folder(of path: String) -> String {
        guard let slash = path.utf8.lastIndex(of: UInt8(ascii: "/")) else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }

    static func synchroniseFolder(of path: String) throws {
        let folder = folder(of: path)
        let descriptor = open(folder, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StageError.system(folder, "open the folder") }
        defer { close(descriptor) }
        // Some file systems can't synchronise a folder and say EINVAL; the rename stands all the same.
        guard fsync(descriptor) == 0 || errno == EINVAL || errno == EROFS else {
            throw StageError.system(folder, "bring the folder to the disk")
        }
    }
}
