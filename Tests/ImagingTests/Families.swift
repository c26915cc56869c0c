import Foundation
import Imaging
import Testing

/// What Tests/Fixtures/imaging/make_families.py wrote.
struct Families: Decodable {
    struct Process: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let resize: String
        let file: String
        let tiles: Int
        /// Rows and columns.
        let grid: [Int]
        /// Of the result, all tiles together.
        let values: Int
        let offset: Int
        /// Taken as one tile.
        let whole: Bool
        /// Values after which channels begin anew, and values of a channel on end.
        let layout: [Int]
        var testDescription: String { "\(name) \(file) \(resize)" }
    }

    struct Resize: Decodable, Sendable, CustomTestStringConvertible {
        let resize: Manifest.Resize
        let `as`: String
        var testDescription: String { "\(resize.testDescription) \(`as`)" }

        private enum CodingKeys: String, CodingKey { case `as` = "resize" }

        init(from decoder: any Decoder) throws {
            resize = try Manifest.Resize(from: decoder)
            `as` = try decoder.container(keyedBy: CodingKeys.self).decode(String.self, forKey: .as)
        }
    }

    let process: [Process]
    let resize: [Resize]
    /// Of pictures: height and width before, height and width after.
    let sizes: [String: [[Int]]]

    static func read() throws -> Families {
        try JSONDecoder().decode(Families.self, from: Data(Fixtures.bytes("families.json")))
    }

    private static let all = Result { try Fixtures.bytes("families.bin") }

    static func levels() throws -> [UInt8] { try all.get() }

    /// The configuration under which the reference made `name`.
    static func configuration(_ name: String) throws -> Data {
        let whole = try JSONSerialization.jsonObject(with: Data(Fixtures.bytes("families.json")))
        let entries = try #require((whole as? [String: Any])?["process"] as? [[String: Any]])
        let entry = try #require(entries.first { $0["name"] as? String == name })
        return try JSONSerialization.data(withJSONObject: #require(entry["config"]))
    }

    /// The processor that a checkpoint with such a configuration has.
    static func processor(_ configuration: Data) throws -> any PictureProcessor {
        try withTemporaryDirectory { (directory: URL) throws in
            try configuration.write(to: directory.appendingPathComponent("preprocessor_config.json"))
            return try readPictureProcessor(directory: directory)
        }
    }
}
