import Foundation
import ModelOptions
import StageKit
import Testing

/// Where pictures of records are looked for.
struct ImageOptionsTests {
    @Test func imagesStayInsideTheirRoot() throws {
        let top = FileManager.default.temporaryDirectory
            .appendingPathComponent("images-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: top) }
        func file(_ name: String) -> String { top.appendingPathComponent(name).path }
        for name in ["images", "images/deep", "other"] {
            try FileManager.default.createDirectory(
                atPath: file(name), withIntermediateDirectories: true)
        }
        for name in ["images/a.png", "images/deep/b.png", "other/c.png"] { try Data("x".utf8).write(to: URL(fileURLWithPath: file(name))) }
        try FileManager.default.createSymbolicLink(
            atPath: file("images/out.png"), withDestinationPath: "../other/c.png")
        try FileManager.default.createSymbolicLink(
            atPath: file("images/in.png"), withDestinationPath: "deep/b.png")
        let options = try ImageOptions.parse(["--image-root", file("images")])
        for name in ["a.png", "deep/../a.png", "in.png", file("images/a.png")] {
            #expect(try options.resolve(name).hasSuffix(".png"))
        }
        for name in ["../other/c.png", "out.png", file("other/c.png"), "/etc/passwd"] {
            #expect(throws: ImagePathError.outside(image: name, root: file("images"))) {
                try options.resolve(name)
            }
        }
        #expect(throws: ImagePathError.missing(image: "no.png", root: file("images"))) {
            try options.resolve("no.png")
        }
        let nowhere = try ImageOptions.parse(["--image-root", file("none")])
        #expect(throws: StageError.self) { try nowhere.resolve("a.png") }
    }
}
