import Foundation

/// A file that is read whole, as those beside a model's weights are.
package enum SmallFile {
    /// More than any vocabulary takes; a larger file is something else.
    private static let largestByteCount = 256 << 20

    /// - Throws: `FileError` for what can't be read, is no regular file (a pipe would be waited for), or has more than
    ///   256 MiB.
    package static func read(_ url: URL) throws(FileError) -> Data {
        let doing = "read it"
        let descriptor = open(url.path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw FileError(url.path, doing) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw FileError(url.path, doing) }
        switch status.st_mode & S_IFMT {
        case S_IFREG: break
        case S_IFDIR: throw FileError(url.path, doing, EISDIR)
        default: throw FileError(url.path, doing, EINVAL)
        }
        guard status.st_size <= largestByteCount else { throw FileError(url.path, doing, EFBIG) }
        do { return try handle.readToEnd() ?? Data() } catch { throw FileError(url.path, doing, EIO) }
    }
}
