import Files
import Foundation

/// A folder that a program adds files to, some at a time, such as pictures with their records. What it writes there
/// replaces only what Sightline wrote there before, which `FolderSign` tells.
package enum SharedFolder {
    /// Makes the folder where it is missing and signs for the files that will be written.
    /// - Parameters:
    ///   - output: as the option names it.
    ///   - names: relative names of the files.
    ///   - isEarlier: whether a file without a sign is one that an earlier version wrote; then all are.
    /// - Throws: `StageError` where a file of such a name is somebody else's.
    package static func prepare(
        _ output: String, writing names: [String], isEarlier: (_ path: String) -> Bool
    ) throws {
        let listed = FolderSign.files(in: output)
        let standing = names.filter { FileManager.default.fileExists(atPath: "\(output)/\($0)") }
        if let stranger = standing.first(where: { listed?.contains($0) != true }),
            listed != nil || !standing.contains(where: { isEarlier("\(output)/\($0)") })
        {
            throw FolderSign.refusal("\(output)/\(stranger)", output)
        }
        for folder in Set(names.map { OutputPlace.folder(of: "\(output)/\($0)") }) {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw StageError.failed(
                    "\(folder): can't make the folder (\(error)); check path and permissions")
            }
            try sweep(folder)
        }
        try AtomicFile.write(
            FolderSign.bytes((listed ?? []).union(names)), to: "\(output)/\(FolderSign.name)")
    }

    /// Removes what a kill left in the moment between a file's writing and its naming: `.NAME.UUID.part`.
    private static func sweep(_ folder: String) throws {
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let parts = name.split(separator: ".")
            guard name.hasPrefix("."), parts.last == "part", parts.count > 2,
                UUID(uuidString: String(parts[parts.count - 2])) != nil
            else { continue }
            unlink("\(folder)/\(name)")
        }
    }
}
