import Foundation

/// A file that appears under its name only when it is whole: written as NAME.part, synced, renamed.
struct AtomicFile: ~Copyable {
    private let target: String
    private let part: String
    private let descriptor: Int32
    private var isCommitted = false

    /// - Throws: `CheckpointError` where NAME.part cannot be created.
    init(_ url: URL) throws {
        target = url.path
        part = url.path + ".part"
        descriptor = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            throw CheckpointError(
                part, "it cannot be created (\(String(cString: strerror(errno))))",
                "check that the directory exists and is writable")
        }
    }

    deinit {
        close(descriptor)
        if !isCommitted { unlink(part) }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = Foundation.write(
                descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw failure("written") }
            rest = rest.dropFirst(count)
        }
    }

    func write(_ bytes: some Sequence<UInt8>) throws {
        try Array(bytes).withUnsafeBytes { try write($0) }
    }

    /// Makes the file durable under its own name.
    ///
    /// - Throws: `CheckpointError` where syncing or renaming fails; the part is then removed.
    mutating func commit() throws {
        guard fsync(descriptor) == 0 else { throw failure("synced") }
        guard rename(part, target) == 0 else { throw failure("renamed to \(target)") }
        isCommitted = true
        // The name itself is durable only when its directory is; not every file system can sync one.
        let directory = open(
            (target as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        if directory >= 0 {
            fsync(directory)
            close(directory)
        }
    }

    private func failure(_ action: String) -> CheckpointError {
        CheckpointError(
            part, "it cannot be \(action) (\(String(cString: strerror(errno))))",
            "free space or choose another place; the file was removed")
    }
}
