import Foundation

enum OutputError: Error, CustomStringConvertible {
    case unwritable(path: String, reason: String)

    /// With the reason that the system gave last.
    static func system(_ path: String) -> OutputError {
        .unwritable(path: path, reason: String(cString: strerror(errno)))
    }

    var description: String {
        switch self {
        case .unwritable(let path, let reason):
            "\(path): \(reason); give a folder with room that you may write to"
        }
    }
}

/// A file that appears under its name only when it's complete; until then it is `PATH.part`.
struct OutputFile {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o666)
        if descriptor < 0 { throw OutputError.system(path + ".part") }
    }

    func append(_ bytes: [UInt8]) throws {
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            if count >= 0 {
                written += count
            } else if errno != EINTR {
                throw OutputError.system(path + ".part")
            }
        }
    }

    /// Brings the bytes to the disk before the name: a crash must not leave a short file under it.
    func finish() throws {
        if fsync(descriptor) != 0 || close(descriptor) != 0 || rename(path + ".part", path) != 0 {
            throw OutputError.system(path)
        }
    }

    /// Makes `path` and the folders above it.
    static func makeFolder(_ path: String) throws {
        var made = path.hasPrefix("/") ? "/" : ""
        for part in path.split(separator: "/") {
            made += part + "/"
            if mkdir(made, 0o777) != 0 && errno != EEXIST && errno != EISDIR {
                throw OutputError.system(made)
            }
        }
    }
}
