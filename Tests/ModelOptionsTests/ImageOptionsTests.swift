import Foundation
import Imaging
import ModelOptions
import StageKit
import Testing

/// Where pictures of records are looked for.
struct ImageOptionsTests {
    private static let pictures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures/imaging").path

    /// root/a.png, a link to it from outside, and one that leads out.
    private func withFolder(_ body: (_ top: String) throws -> Void) throws {
        let top = FileManager.default.temporaryDirectory.path + "/images-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: top) }
        try FileManager.default.createDirectory(atPath: "\(top)/root", withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: "\(Self.pictures)/rgb8.png", toPath: "\(top)/root/a.png")
        try FileManager.default.copyItem(atPath: "\(Self.pictures)/rgb420.jpg", toPath: "\(top)/b")
        try FileManager.default.createSymbolicLink(
            atPath: "\(top)/root/out.jpg", withDestinationPath: "../b")
        try body(top)
    }

    @Test func linksAreTheOwners() throws {
        try withFolder { (top: String) throws in
            let options = try ImageOptions.parse(["--image-root", "\(top)/root"])
            #expect(try options.resolve("a.png").hasSuffix("/root/a.png"))
            #expect(try options.resolve("out.jpg").hasSuffix("/b"))
            #expect(throws: ImagePathError.self) { try options.resolve("../b") }
            let strict = try ImageOptions.parse(["--image-root", "\(top)/root", "--no-links"])
            #expect(throws: ImagePathError.self) { try strict.resolve("out.jpg") }
            let nowhere = try ImageOptions.parse(["--image-root", "\(top)/none"])
            #expect(throws: StageError.self) { try nowhere.resolve("a.png") }
        }
    }

    /// Before a program works it may have looked at all of them.
    @Test func whatIsNoPictureIsFoundByItsHeader() throws {
        try withFolder { (top: String) throws in
            try Data("text".utf8).write(to: URL(fileURLWithPath: "\(top)/root/t.png"))
            let options = try ImageOptions.parse(["--image-root", "\(top)/root"])
            #expect(throws: ImageError.self) { try options.resolve("t.png") }
            #expect(throws: ImageError.self) { try options.resolve(".") }
            let own = "data:image/png;base64,"
            #expect(throws: ImageError.self) { try options.resolve(own) }
            let bytes = try Data(contentsOf: URL(fileURLWithPath: "\(top)/root/a.png"))
            let uri = own + bytes.base64EncodedString()
            #expect(try options.resolve(uri) == uri)
        }
    }
}
