import Crypto
import Foundation
import RunLedger

/// SHA-256 in lower-case hexadecimal, of bytes that come in pieces.
package struct StreamingDigest: Sendable {
    private var hash = SHA256()
    package private(set) var byteCount = 0

    package init() {}

    package mutating func update(_ bytes: UnsafeRawBufferPointer) {
        hash.update(bufferPointer: bytes)
        byteCount += bytes.count
    }

    package mutating func update(_ bytes: [UInt8]) { bytes.withUnsafeBytes { update($0) } }

    package var hex: String { Digest.hex(hash.finalize()) }
}

/// Digests of what lies on disk.
package enum Digest {
    package struct File: Sendable, Equatable {
        package let digest: String
        package let bytes: Int
        /// Lines, a last one without its newline included.
        package let lines: Int
    }

    package static func of(_ bytes: [UInt8]) -> String { hex(SHA256.hash(data: bytes)) }

    /// - Throws: `StageError` where the file can't be read.
    package static func ofFile(_ path: String) throws -> File {
        let file = try ByteSource(path: path)
        var digest = StreamingDigest()
        var newlines = 0
        var last = UInt8(ascii: "\n")
        try file.readAll { chunk in
            digest.update(chunk)
            for byte in chunk where byte == UInt8(ascii: "\n") { newlines += 1 }
            last = chunk.last ?? last
        }
        let lines = newlines + (last == UInt8(ascii: "\n") ? 0 : 1)
        return File(digest: digest.hex, bytes: digest.byteCount, lines: lines)
    }

    /// Digest of a folder such as a model: over the sorted relative names and digests of its files,
    /// links followed. Unfinished parts and hidden files don't count.
    /// - Parameter counts: which relative names count; by default all.
    package static func ofFolder(_ path: String, counting counts: (String) -> Bool = { _ in true }) throws
        -> File
    {
        guard let walk = FileManager.default.enumerator(atPath: path) else {
            throw StageError.system(path, "read the folder", ENOENT)
        }
        var names: [String] = []
        for case let name as String in walk where !name.split(separator: "/").contains(where: isPassedOver) {
            var isFolder: ObjCBool = false
            let found = FileManager.default.fileExists(atPath: "\(path)/\(name)", isDirectory: &isFolder)
            if found, !isFolder.boolValue, counts(name) { names.append(name) }
        }
        var digest = StreamingDigest()
        var bytes = 0
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let file = try ofFile("\(path)/\(name)")
            digest.update(Array("\(file.digest)  \(name)\n".utf8))
            bytes += file.bytes
        }
        return File(digest: digest.hex, bytes: bytes, lines: names.count)
    }

    /// A file or a folder, as the ledger notes it.
    package static func artefact(_ path: String, kind: Artefact.Kind) throws -> Artefact {
        var isFolder: ObjCBool = false
        let found = FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
        let content = found && isFolder.boolValue ? try ofFolder(path) : try ofFile(path)
        return Artefact(path: path, digest: content.digest, bytes: content.bytes, kind: kind)
    }

    private static func isPassedOver(_ name: Substring) -> Bool {
        name.hasPrefix(".") || name.hasSuffix(".part") || name.hasSuffix(".part.json")
    }

    fileprivate static func hex(_ digest: SHA256.Digest) -> String {
        let digits = Array("0123456789abcdef".utf8)
        var out: [UInt8] = []
        for byte in digest { out += [digits[Int(byte >> 4)], digits[Int(byte & 15)]] }
        return String(decoding: out, as: UTF8.self)
    }
}
