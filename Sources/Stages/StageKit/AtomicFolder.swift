import Files
import Foundation
import Synchronization

/// A folder as output (a model, an adapter, an evaluation): filled as `PATH.part`, then exchanged with what stands
/// at `PATH`, so that the old one stands there until the new one does. The old one then goes.
///
/// Only folders that Sightline made are replaced or emptied, which `FolderSign` tells; any other is refused before
/// the work. One process fills a folder at a time, by a lock on its sign.
package final class AtomicFolder: Sendable {
    /// As the option names it.
    package let output: String
    /// Links followed, no slash at the end.
    private let path: String
    package let part: String
    /// Of the sign in `part`, which goes along when the folder gets its name.
    private let lock = Mutex<RunLock?>(nil)

    /// - Throws: `StageError` where something stands at `output` that Sightline didn't make.
    package init(_ output: String) throws {
        self.output = output
        path = try OutputPlace.following(OutputPlace.withoutSlash(output))
        part = path + ".part"
        guard let name = path.split(separator: "/").last, name != ".", name != ".." else {
            throw StageError.usage("-o \(output): name the folder by its own name")
        }
        try check(path)
        try check(part)
    }

    /// - Throws: `StageError` where what stands at `path` isn't wholly Sightline's.
    private func check(_ path: String) throws {
        var status = stat()
        guard lstat(path, &status) == 0 else { return }
        guard status.st_mode & S_IFMT == S_IFDIR else {
            throw StageError.system(path, "write a folder", ENOTDIR)
        }
        if let stranger = try FolderSign.stranger(in: path) {
            throw FolderSign.refusal("\(path)/\(stranger)", output)
        }
    }

    /// An empty `PATH.part`, or with `keeping` what a stopped run left there.
    /// - Throws: `StageError`, with exit code 75 where another process fills it.
    package func prepare(keeping: Bool) throws -> String {
        do {
            try FileManager.default.createDirectory(atPath: part, withIntermediateDirectories: true)
        } catch {
            throw StageError.failed("\(part): can't make the folder (\(error)); check path and permissions")
        }
        let lock = try RunLock(path: "\(part)/\(FolderSign.name)", of: output)
        // With its list it is a finished folder, the one that was replaced: nothing to go on with.
        if !keeping || FolderSign.files(in: part) != nil {
            try empty()
            guard ftruncate(lock.descriptor, 0) == 0 else { throw StageError.system(lock.path, "empty it") }
        }
        self.lock.withLock { $0 = lock }
        return part
    }

    /// Brings every file of the part to the disk and puts it in the place of the older folder, which goes.
    package func publish() throws {
        var names: [String] = []
        for name in try FolderSign.names(in: part) {
            if FolderSign.isResidue(name) {
                try Self.remove("\(part)/\(name)")
            } else {
                names.append(name)
                try Self.synchronize("\(part)/\(name)")
            }
        }
        try lock.withLock { lock in
            guard let held = lock else { throw StageError.system(part, "publish it", ENOENT) }
            // Written in place, for the lock is on this very file.
            let sign = ByteSink(path: held.path, descriptor: held.descriptor, isOwned: false)
            try sign.write(FolderSign.bytes(names))
            try sign.synchronise()
            do { try check(path) } catch {
                throw StageError.failed("\(error) (the output so far is in \(part))")
            }
            try replace()
            lock = nil
        }
    }

    private func replace() throws {
        var status = stat()
        if lstat(path, &status) != 0 {
            guard rename(part, path) == 0 else { throw StageError.system(path, "rename \(part) to it") }
            return try AtomicFile.synchronizeFolder(of: path)
        }
        // Held until the old one is gone, so that nobody begins to fill what is being emptied.
        let old = try RunLock(path: "\(path)/\(FolderSign.name)", of: output)
        try exchangeFolders(part, path)
        try AtomicFile.synchronizeFolder(of: path)
        try empty()
        withExtendedLifetime(old) {
            unlink("\(part)/\(FolderSign.name)")
            rmdir(part)
        }
    }

    /// Leaves nothing but the sign, which a kill in between must find.
    private func empty() throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: part) where name != FolderSign.name {
            try Self.remove("\(part)/\(name)")
        }
    }

    private static func remove(_ path: String) throws {
        do { try FileManager.default.removeItem(atPath: path) } catch {
            throw StageError.failed("\(path): can't remove it (\(error)); look into it")
        }
    }

    private static func synchronize(_ path: String) throws {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw StageError.system(path, "open it") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 || errno == EINVAL else {
            throw StageError.system(path, "flush it to disk")
        }
    }
}
