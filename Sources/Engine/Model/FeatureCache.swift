import Checkpoint
import Files
import Foundation
import Imaging
import Kernels

/// Features of pictures on disk, so that a tower sees each picture once, whatever stages, shards and rounds there are.
///
/// A file per picture, named by the digests of its bytes, the model, the preprocessing and the arithmetic. Files are
/// written aside and renamed, so that several processes may share a folder. Above the limit the ones that were used
/// longest ago go.
package final class FeatureCache: @unchecked Sendable {
    private let folder: String
    private let limit: Int
    private let warn: (String) -> Void
    /// Bytes in the folder as far as this process knows; counted anew after others may have written.
    private var held: Int
    /// Whether a file couldn't be written, so that none is any more.
    private var isBroken = false

    private static let marker = ".sightline-features"
    private static let suffix = ".features"
    private static let header: [UInt8] = Array("sightline features 1\n".utf8)

    /// - Parameters:
    ///   - folder: is made where it is missing; one with other things in it is left alone.
    ///   - limit: bytes.
    ///   - warn: is told once where features can't be kept.
    /// - Throws: `FileError`, or `FeatureCacheError` for a folder that is no cache.
    package init(_ folder: String, limit: Int, warn: @escaping (String) -> Void = { _ in }) throws {
        (self.folder, self.limit, self.warn) = (folder, limit, warn)
        let marker = "\(folder)/\(Self.marker)"
        if !FileManager.default.fileExists(atPath: marker) {
            guard try Self.make(folder).isEmpty else { throw FeatureCacheError(folder: folder) }
            try AtomicFile.write("", to: marker)
        }
        held = 0
        held = files().reduce(0) { $0 + $1.bytes }
    }

    /// Makes the folder where it is missing, and tells what lies in it.
    private static func make(_ folder: String) throws -> [String] {
        do {
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            return try FileManager.default.contentsOfDirectory(atPath: folder)
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? any Error
            let number = cause.map { Int32(($0 as NSError).code) } ?? EIO
            throw FileError(folder, "make the feature cache", number == EEXIST ? ENOTDIR : number)
        }
    }

    /// What a picture's features depend on.
    ///
    /// - Parameter path: of the picture, or a `data:` URI.
    static func key(of path: String, _ model: VisionLanguageModel) throws -> String {
        let bytes =
            path.hasPrefix("data:") ? Data(path.utf8) : try Data(contentsOf: URL(fileURLWithPath: path))
        let arithmetic = "\(model.decoder.compute) \(GEMM.core) \(Compute.multipliesBF16)"
        return ModelDigest.digest(
            of: [bytes, Data(model.pictureDigest.utf8), Data("\(model.images)".utf8), Data(arithmetic.utf8)])
    }

    /// nil for one that isn't there. A file that isn't whole is none.
    package func picture(_ key: String) -> Picture? {
        let path = file(key)
        guard let data = FileManager.default.contents(atPath: path) else { return nil }
        guard let picture = Picture(stored: data, after: Self.header) else {
            unlink(path)
            return nil
        }
        utimes(path, nil)
        return picture
    }

    /// A picture larger than the limit isn't kept, nor is any after one that the disk didn't take: what is computed
    /// doesn't depend on it.
    package func store(_ picture: Picture, _ key: String) {
        if isBroken { return }
        let bytes = Self.header + picture.storedBytes
        guard bytes.count <= limit else { return }
        if held + bytes.count > limit { makeRoom(bytes.count) }
        do {
            // What a power cut takes is made again.
            try AtomicFile.write(bytes, to: file(key), isDurable: false)
            held += bytes.count
        } catch {
            isBroken = true
            warn("\(error); from here on features of pictures aren't kept")
        }
    }

    private func file(_ key: String) -> String { "\(folder)/\(key)\(Self.suffix)" }

    /// Removes a tenth more than is needed, so that the folder isn't read for every picture.
    private func makeRoom(_ bytes: Int) {
        let files = files().sorted { $0.used < $1.used }
        held = files.reduce(0) { $0 + $1.bytes }
        for file in files where held + bytes > limit - limit / 10 {
            unlink(file.path)
            held -= file.bytes
        }
    }

    private func files() -> [(path: String, bytes: Int, used: Double)] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        return names.filter { $0.hasSuffix(Self.suffix) }.compactMap { name in
            var status = stat()
            guard stat("\(folder)/\(name)", &status) == 0 else { return nil }
            let used = Double(status.st_mtim.tv_sec) + 1e-9 * Double(status.st_mtim.tv_nsec)
            return ("\(folder)/\(name)", Int(status.st_size), used)
        }
    }
}

/// A folder that holds other things than features.
package struct FeatureCacheError: Error, CustomStringConvertible {
    package let folder: String

    package var description: String {
        "\(folder): it is not empty, and not a feature cache; name a new folder"
    }
}

extension Picture {
    /// Shape, digest and rows.
    fileprivate var storedBytes: [UInt8] {
        let payload = payload
        let shape = [rows, width, grid?.height ?? 0, grid?.width ?? 0, isHalf ? 2 : 4].map {
            UInt32($0).littleEndian
        }
        let front = shape.withUnsafeBytes(Array.init)
        return front + Array(ModelDigest.digest(of: [Data(front), Data(payload)]).utf8) + payload
    }

    fileprivate init?(stored data: Data, after header: [UInt8]) {
        let (shapeBytes, digestBytes) = (20, 64)
        let start = header.count + shapeBytes + digestBytes
        guard data.count >= start, data.starts(with: header) else { return nil }
        let front = Array(data[header.count..<header.count + shapeBytes])
        let numbers = front.withUnsafeBytes { bytes in
            (0..<5).map {
                Int(UInt32(littleEndian: bytes.loadUnaligned(fromByteOffset: 4 * $0, as: UInt32.self)))
            }
        }
        let payload = data[start...]
        let digest = data[(header.count + shapeBytes)..<start]
        guard payload.count == numbers[0] * numbers[1] * numbers[4], [2, 4].contains(numbers[4]),
            numbers[2] == 0 || numbers[2] * numbers[3] == numbers[0],
            digest.elementsEqual(ModelDigest.digest(of: [Data(front), payload]).utf8)
        else { return nil }
        self.init(
            payload: Array(payload), isHalf: numbers[4] == 2, rows: numbers[0], width: numbers[1],
            grid: numbers[2] > 0 ? PictureSize(height: numbers[2], width: numbers[3]) : nil)
    }
}
