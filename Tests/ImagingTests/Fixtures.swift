import Foundation
import Imaging
import Testing

/// What Tests/Fixtures/imaging/make_imaging.py wrote.
enum Fixtures {
    static let directory = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/imaging")

    static func manifest() throws -> Manifest {
        try JSONDecoder().decode(Manifest.self, from: Data(bytes("manifest.json")))
    }

    private static let expected = Result { try bytes("expected.bin") }

    static func path(_ name: String) -> String { directory.appendingPathComponent(name).path }

    static func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: directory.appendingPathComponent(name)))
    }

    static func expectedBytes(at offset: Int, count: Int) throws -> ArraySlice<UInt8> {
        try expected.get()[offset..<offset + count]
    }

    static func expectedFloats(at offset: Int, count: Int) throws -> [Float] {
        try expectedBytes(at: offset, count: 4 * count).withUnsafeBytes { bytes in
            (0..<count).map { bytes.loadUnaligned(fromByteOffset: 4 * $0, as: Float.self) }
        }
    }
}

struct Manifest: Decodable {
    struct Decode: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let width: Int
        let height: Int
        let offset: Int
        var testDescription: String { file }
    }

    struct Resize: Decodable, Sendable, CustomTestStringConvertible {
        let file: String
        let filter: String
        let width: Int
        let height: Int
        let offset: Int
        var testDescription: String { "\(file) \(filter) \(width)×\(height)" }
    }

    struct Process: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let file: String
        let height: Int
        let width: Int
        let offset: Int
        var testDescription: String { "\(name) \(file)" }
    }

    let decode: [Decode]
    /// Of `decode`, with transparent pixels laid onto white.
    let white: [Decode]
    let resize: [Resize]
    let process: [Process]
    let broken: [String]
}

/// The largest difference between two equally long rows of bytes, nil for different lengths.
func largestDifference(_ a: some Collection<UInt8>, _ b: some Collection<UInt8>) -> Int? {
    a.count == b.count ? zip(a, b).map { abs(Int($0) - Int($1)) }.max() ?? 0 : nil
}

/// A directory of its own for the length of `body`.
func withTemporaryDirectory<Result>(_ body: (URL) throws -> Result) throws -> Result {
    let directory = FileManager.default.temporaryDirectory
        .appendingPathComponent("imaging-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    return try body(directory.resolvingSymlinksInPath())
}
