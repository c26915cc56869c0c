import Crypto
import Foundation

/// Names a model by its content, so that an adapter or a stored log-probability is not used with another.
package enum ModelDigest {
    /// SHA-256, in hexadecimal, of the files' names, lengths and bytes, in the order of their names.
    ///
    /// The directory does not count: a copied model keeps its digest. Memory use is one block.
    /// - Throws: `CheckpointError` where a file cannot be read.
    package static func contentDigest(of files: [URL]) throws -> String {
        var hash = SHA256()
        for url in files.sorted(by: { precedesByUTF8($0.lastPathComponent, $1.lastPathComponent) }) {
            // A digest per file first: the frame has a fixed length, so no two lists of files look alike.
            hash.update(data: Data(SHA256.hash(data: Data(url.lastPathComponent.utf8))))
            hash.update(data: Data(try digest(of: url)))
        }
        return hash.finalize().map { hexadecimal($0) }.joined()
    }

    /// The digest of a model with the adapter in `directory` folded in times `scale`. Of the adapter's config only
    /// that counts: a base that was moved is still the same.
    package static func chain(_ base: String, adapter directory: URL, scale: Float) throws -> String {
        let own = try digest(of: directory.appendingPathComponent("adapter_model.safetensors"))
        let parts = Data(base.utf8) + Data("*\(scale)".utf8) + Data(own)
        return SHA256.hash(data: parts).map { hexadecimal($0) }.joined()
    }

    /// SHA-256 of the parts, in hexadecimal; each counts for itself.
    package static func digest(of parts: [Data]) -> String {
        var hash = SHA256()
        for part in parts { hash.update(data: Data(SHA256.hash(data: part))) }
        return hash.finalize().map { hexadecimal($0) }.joined()
    }

    private static func digest(of url: URL) throws -> SHA256.Digest {
        do {
            let handle = try FileHandle(forReadingFrom: url)
            defer { try? handle.close() }
            var hash = SHA256()
            while let block = try handle.read(upToCount: 1 << 20), !block.isEmpty { hash.update(data: block) }
            return hash.finalize()
        } catch {
            throw CheckpointError(
                url.path, "it cannot be read (\(error.localizedDescription))",
                "check the path and its permissions")
        }
    }

    private static func hexadecimal(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }
}
