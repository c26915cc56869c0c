import Files
import Foundation
import Synchronization

/// A folder as output (a model, an adapter): filled as `PATH.part`, then put in the place of `PATH`.
///
/// One process fills it at a time, by a lock on `PATH.part.lock`. Every file that a resumed run
/// reads again should be written by `AtomicFile`.
package enum AtomicFolder {
    /// Locks of the folders that this process fills; the kernel drops them if it dies.
    private static let locks = Mutex<[String: RunLock]>([:])

    package static func part(of path: String) -> String { "\(path).part" }
    private static func lockPath(of path: String) -> String { "\(path).part.lock" }

    /// An empty `PATH.part`, or with `keeping` the one that is there.
    /// - Throws: `StageError`, with exit code 75 where another process fills it.
    package static func prepare(_ path: String, keeping: Bool) throws -> String {
        let part = part(of: path)
        try locks.withLock { locks in
            if locks[path] == nil { locks[path] = try RunLock(path: lockPath(of: path), of: path) }
        }
        if !keeping { try remove(part) }
        do {
            try FileManager.default.createDirectory(atPath: part, withIntermediateDirectories: true)
        } catch {
            throw StageError.failed("\(part): can't make the folder (\(error)); check path and rights")
        }
        return part
    }

    /// Brings every file of `PATH.part` to the disk and renames the folder; an older `PATH` goes.
    package static func publish(_ path: String) throws {
        let part = part(of: path)
        guard let walk = FileManager.default.enumerator(atPath: part) else {
            throw StageError.system(part, "read the folder", ENOENT)
        }
        for case let name as String in walk { try synchronise("\(part)/\(name)") }
        let old = "\(path).old"
        try remove(old)
        if FileManager.default.fileExists(atPath: path), rename(path, old) != 0 {
            throw StageError.system(path, "put it aside")
        }
        guard rename(part, path) == 0 else { throw StageError.system(path, "rename \(part) to it") }
        try AtomicFile.synchronizeFolder(of: path)
        try remove(old)
        // Removed while it is held: whoever opened it meanwhile sees that the name is gone and retries.
        unlink(lockPath(of: path))
        locks.withLock { _ = $0.removeValue(forKey: path) }
    }

    private static func remove(_ path: String) throws {
        guard FileManager.default.fileExists(atPath: path) else { return }
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw StageError.failed("\(path): can't remove it (\(error)); look into it")
        }
    }

    private static func synchronise(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StageError.system(path, "open it") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw StageError.system(path, "bring it to the disk")
        }
    }
}
