import Files
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
            if errno != EINTR { throw StageError.system(isOwned ? path : "standard input", "read it") }
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
        switch bytes.withUnsafeBytes({ writeAll($0, to: descriptor) }) {
        case 0: return
        case EPIPE: throw StageError.closedPipe
        case let number: throw StageError.system(path == "-" ? "standard output" : path, "write", number)
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
            throw StageError.system(path, "flush it to disk")
        }
    }
}
