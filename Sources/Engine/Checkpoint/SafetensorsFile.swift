import Foundation

/// A safetensors file, mapped read-only: weights are paged in as they are read and shared between
/// processes.
///
/// A file must not be cut short while it is mapped (the system would end the process); writers here
/// therefore replace files by renaming and never write into them.
package final class SafetensorsFile: @unchecked Sendable {
    // Unchecked only because raw pointers are not Sendable: nothing changes after init.
    package let path: String
    package let metadata: [String: String]
    /// In order of their UTF-8 bytes.
    package let names: [String]

    private let entries: [String: SafetensorsHeader.Entry]
    private let mapping: UnsafeRawBufferPointer

    /// - Throws: `CheckpointError` where the file cannot be opened or its header does not hold.
    package init(_ url: URL) throws {
        path = url.path
        mapping = try Self.map(url.path)
        do {
            let header = try SafetensorsHeader(mapping, path: path)
            entries = header.entries
            metadata = header.metadata
            names = header.entries.keys.sorted(by: precedesByUTF8)
        } catch {
            // A class's deinit does not run when its init throws before all fields are set.
            Self.unmap(mapping)
            throw error
        }
    }

    deinit { Self.unmap(mapping) }

    package func has(_ name: String) -> Bool { entries[name] != nil }

    /// - Throws: `CheckpointError` where the file has no such tensor.
    package func tensor(named name: String) throws -> TensorView {
        guard let entry = entries[name] else {
            throw CheckpointError(
                path, "there is no tensor \(name) among its \(names.count)",
                "check that config.json belongs to these weights")
        }
        return TensorView(
            name: name, elementType: entry.elementType, shape: entry.shape,
            bytes: UnsafeRawBufferPointer(rebasing: mapping[entry.range]), file: self)
    }

    private static func map(_ path: String) throws -> UnsafeRawBufferPointer {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw CheckpointError(
                path, "it cannot be opened (\(String(cString: strerror(errno))))",
                "check the path and its permissions")
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw CheckpointError(path, "it is not a regular file", "give the path of a safetensors file")
        }
        let size = Int(status.st_size)
        guard size >= 8 else {
            throw CheckpointError(
                path, "the file has \(size) bytes, too few for a safetensors header", "fetch the file again")
        }
        guard let address = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), address != MAP_FAILED
        else {
            throw CheckpointError(
                path, "it cannot be mapped (\(String(cString: strerror(errno))))",
                "check the limit on address space (ulimit -v)")
        }
        return UnsafeRawBufferPointer(start: address, count: size)
    }

    private static func unmap(_ mapping: UnsafeRawBufferPointer) {
        munmap(UnsafeMutableRawPointer(mutating: mapping.baseAddress), mapping.count)
    }
}

/// Byte order, so that a file's layout depends on no locale and no Unicode version.
func precedesByUTF8(_ left: String, _ right: String) -> Bool {
    left.utf8.lexicographicallyPrecedes(right.utf8)
}
