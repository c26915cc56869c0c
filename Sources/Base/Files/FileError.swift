import Foundation

/// What the system says about a file, and what to do.
package struct FileError: Error, Equatable, Sendable, CustomStringConvertible {
    package let path: String
    /// "write", "open it for writing".
    package let doing: String
    /// As in `errno`.
    package let number: Int32

    package init(_ path: String, _ doing: String, _ number: Int32 = errno) {
        (self.path, self.doing, self.number) = (path, doing, number)
    }

    /// What the system says alone.
    package var finding: String { String(cString: strerror(number)) }

    package var description: String {
        let remedy =
            switch number {
            case ENOENT: "check the path"
            case EACCES, EPERM, EROFS: "change its permissions or choose another place"
            case ENOSPC, EDQUOT: "free some disk space"
            case EISDIR: "name a file, not a folder"
            case ENOTDIR: "name a folder, not a file"
            case EBADF: "it is closed; open it or name a file"
            case EMFILE, ENFILE: "raise the limit of open files (ulimit -n)"
            case EINVAL: "name a regular file"
            case EFBIG: "check that the file is what it says"
            default: "look into it"
            }
        return "\(path): can't \(doing): \(finding); \(remedy)"
    }
}
