import Foundation

enum OutputError: Error, CustomStringConvertible {
    case unwritable(path: String, reason: String)

    var description: String {
        switch self {
        case .unwritable(let path, let reason):
            "\(path): \(reason); give a folder with room that you may write to"
        }
    }
}

/// A file that appears under its name only when it's complete; until then it is `PATH.part`.
struct PartFile {
    private let path: String
    private let handle: FileHandle

    init(_ path: String) throws {
        self.path = path
        let part = path + ".part"
        guard FileManager.default.createFile(atPath: part, contents: nil),
            let handle = FileHandle(forWritingAtPath: part)
        else { throw OutputError.unwritable(path: part, reason: String(cString: strerror(errno))) }
        self.handle = handle
    }

    func append(_ bytes: [UInt8]) throws {
        do {
            try handle.write(contentsOf: bytes)
        } catch {
            throw OutputError.unwritable(path: path + ".part", reason: error.localizedDescription)
        }
    }

    func finish() throws {
        try handle.close()
        if rename(path + ".part", path) != 0 {
            throw OutputError.unwritable(path: path, reason: String(cString: strerror(errno)))
        }
    }
}
