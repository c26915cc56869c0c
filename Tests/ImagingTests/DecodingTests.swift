import Files
import Foundation
import Imaging
import Testing

@Suite struct DecodingTests {
    /// Pillow's wheel brings a newer libjpeg than the system's, so JPEG may differ by a level.
    @Test(arguments: try Fixtures.manifest().decode)
    func decodesAsPillow(_ entry: Manifest.Decode) throws {
        let image = try decodeImage(at: Fixtures.path(entry.file), alpha: .drop)
        #expect(image.width == entry.width)
        #expect(image.height == entry.height)
        let expected = try Fixtures.expectedBytes(at: entry.offset, count: entry.width * entry.height * 3)
        let difference = try #require(largestDifference(image.pixels, expected))
        #expect(difference <= (entry.file.hasSuffix(".jpg") ? 1 : 0))
    }

    /// As `convert_to_rgb` of transformers 5 does; without alpha both rules give the same.
    @Test(arguments: try Fixtures.manifest().white)
    func laysTransparentPixelsOntoWhite(_ entry: Manifest.Decode) throws {
        let image = try decodeImage(at: Fixtures.path(entry.file))
        #expect(image.width == entry.width && image.height == entry.height)
        let expected = try Fixtures.expectedBytes(at: entry.offset, count: entry.width * entry.height * 3)
        #expect(largestDifference(image.pixels, expected) == 0)
        let dropped = try decodeImage(at: Fixtures.path(entry.file), alpha: .drop)
        #expect((image != dropped) == (entry.file != "rgb8.png"))
    }

    @Test func goesByContentNotByName() throws {
        let image = try decodeImage(at: Fixtures.path("rgb8.png"))
        try withTemporaryDirectory { (directory: URL) throws in
            let file = directory.appendingPathComponent("really-png.jpg")
            try Data(Fixtures.bytes("rgb8.png")).write(to: file)
            #expect(try decodeImage(at: file.path) == image)
        }
    }

    /// Every cut of a PNG is refused. Of a JPEG too, also where just the end marker is gone.
    @Test(arguments: [
        "rgb8.png", "interlaced-rgb8.png", "palette4.png", "rgb420.jpg", "progressive.jpg", "restarts.jpg",
        "lossy.webp", "lossless-alpha.webp", "animated.webp",
    ])
    func refusesEveryTruncation(_ name: String) throws {
        let bytes = try Fixtures.bytes(name)
        for count in 1..<bytes.count {
            #expect(throws: ImageError.self, "\(count) of \(bytes.count) bytes") {
                try decodeImage(bytes: Array(bytes[..<count]), name: name)
            }
        }
        let cut = Array(bytes[..<(bytes.count * 3 / 4)])
        let error = #expect(throws: ImageError.self) { try decodeImage(bytes: cut, name: "cut/\(name)") }
        guard case .truncated(path: "cut/\(name)", _) = error else {
            Issue.record("\(String(describing: error))")
            return
        }
    }

    /// A GIF is read to the end of its first frame.
    @Test func refusesHalfAFrame() throws {
        let bytes = try Fixtures.bytes("interlaced.gif")
        for count in 1..<bytes.count - 16 {
            #expect(throws: ImageError.self, "\(count) of \(bytes.count) bytes") {
                try decodeImage(bytes: Array(bytes[..<count]))
            }
        }
    }

    /// A header says what can be known without the pixels.
    @Test func headersAreEnough() throws {
        try withTemporaryDirectory { (directory: URL) throws in
            for name in ["rgb8.png", "exif6-long.jpg", "lossy.webp", "exif6.webp", "interlaced.gif"] {
                try checkHeader(at: Fixtures.path(name))
                let file = directory.appendingPathComponent(name)
                try Data(try Fixtures.bytes(name).dropLast(60)).write(to: file)
                try checkHeader(at: file.path)
                #expect(throws: ImageError.self) { try decodeImage(at: file.path) }
                #expect(throws: ImageError.self) {
                    try checkHeader(at: file.path, limits: DecodingLimits(maximumPixels: 9))
                }
                try Data(try Fixtures.bytes(name).prefix(11)).write(to: file)
                #expect(throws: ImageError.self) { try checkHeader(at: file.path) }
            }
            // What a camera puts first may be longer than what is read first.
            let jpeg = try Fixtures.bytes("rgb420.jpg")
            let comment = [0xFF, 0xFE, 0xFF, 0xFF] + [UInt8](repeating: 0x20, count: 0xFFFD)
            let file = directory.appendingPathComponent("long.jpg")
            try Data(jpeg.prefix(2) + comment + comment + jpeg.dropFirst(2)).write(to: file)
            try checkHeader(at: file.path)
        }
    }

    /// Any byte turned over gives pixels or an error, never a crash or a picture of another size.
    @Test(arguments: [
        "rgb420.jpg", "progressive.jpg", "cmyk.jpg", "interlaced-rgb8.png", "exif6.jpg", "lossy-alpha.webp",
        "animated.webp", "lossless.webp", "interlaced.gif", "placed-transparent.gif",
    ])
    func survivesDamage(_ name: String) throws {
        let bytes = try Fixtures.bytes(name)
        var refused = 0
        for index in bytes.indices {
            var damaged = bytes
            damaged[index] ^= 0xFF
            do {
                let image = try decodeImage(
                    bytes: damaged, name: name, limits: DecodingLimits(maximumPixels: 1_000_000))
                #expect(image.pixels.count == image.width * image.height * 3)
            } catch is ImageError {
                refused += 1
            }
        }
        #expect(name.hasSuffix(".png") ? refused == bytes.count : refused > bytes.count / 40)
    }

    @Test func refusesBeforeAllocating() throws {
        let bomb = #expect(throws: ImageError.self) { try decodeImage(at: Fixtures.path("bomb.png")) }
        #expect(
            bomb
                == .tooLarge(
                    path: Fixtures.path("bomb.png"), width: 60_000, height: 60_000, maximumPixels: 178_956_970
                ))
        let small = DecodingLimits(maximumPixels: 23 * 14 - 1)
        for name in ["rgb8.png", "rgb420.jpg", "lossless.webp", "grey.gif"] {
            let error = #expect(throws: ImageError.self) {
                try decodeImage(at: Fixtures.path(name), limits: small)
            }
            #expect(
                error == .tooLarge(path: Fixtures.path(name), width: 23, height: 14, maximumPixels: 321))
            _ = try decodeImage(at: Fixtures.path(name), limits: DecodingLimits(maximumPixels: 322))
        }
    }

    /// `found` stands in the message, after the path.
    @Test(arguments: [
        ("zero-width.png", "0 × 14 pixels"),
        ("lying-header.png", "damaged (Not enough image data)"),
        ("corrupt-stream.png", "damaged ("),
        ("wrong-checksum.png", "damaged (IDAT: CRC error)"),
        ("missing-palette.png", "damaged ("),
        ("bomb.png", "60000 × 60000 pixels, more than the 178956970 allowed"),
        ("no-such-file.png", "no such file"),
        ("make_imaging.py", "neither JPEG, PNG, WebP nor GIF but text"),
        ("", "is a directory"),
    ])
    func saysWhatIsWrong(_ name: String, _ found: String) throws {
        let path = name.isEmpty ? Fixtures.directory.path : Fixtures.path(name)
        let error = try #require(#expect(throws: ImageError.self) { try decodeImage(at: path) })
        #expect(error.description.hasPrefix("\(path): "))
        #expect(error.description.contains(found))
        #expect(error.description.contains("; "))
    }

    @Test func formatsHaveTheirMediaTypes() throws {
        func type(_ head: [UInt8]) throws -> String { try ImageFormat(head, name: "x").mediaType }
        #expect(try type([0xFF, 0xD8, 0xFF, 0xE0]) == "image/jpeg")
        #expect(try type(Array("GIF89a".utf8)) == "image/gif")
        #expect(try type(Array("RIFF0000WEBP".utf8)) == "image/webp")
        #expect(throws: ImageError.self) { try type(Array("<svg onload=x>".utf8)) }
    }

    @Test(arguments: [
        ([UInt8](), "the file is empty"),
        (Array("GIF89a...".utf8), "end too early"),
        (Array("RIFF1234WEBPVP8 ".utf8), "end too early"),
        (Array("BM123456".utf8), "but BMP"),
        ([0, 1, 0xFE], "but bytes 00 01 fe"),
        ([0x89, 0x50, 0x4E], "end too early"),
        ([0xFF, 0xD8, 0xFF], "end too early"),
        ([0xFF, 0xD8, 0xFF, 0xD9], "damaged (JPEG datastream contains no image)"),
    ])
    func saysWhatBytesAre(_ bytes: [UInt8], _ found: String) throws {
        let error = try #require(
            #expect(throws: ImageError.self) { try decodeImage(bytes: bytes, name: "x") })
        #expect(error.description.hasPrefix("x: "))
        #expect(error.description.contains(found))
        try withTemporaryDirectory { (directory: URL) throws in
            let file = directory.appendingPathComponent("x")
            try Data(bytes).write(to: file)
            let error = try #require(#expect(throws: ImageError.self) { try decodeImage(at: file.path) })
            #expect(error.description.contains(found))
        }
    }

    @Test func refusesPipesAndUnreadablePaths() throws {
        try withTemporaryDirectory { (directory: URL) throws in
            let pipe = directory.appendingPathComponent("pipe").path
            try #require(mkfifo(pipe, 0o600) == 0)
            let error = #expect(throws: ImageError.self) { try decodeImage(at: pipe) }
            #expect(error == .unreadable(path: pipe, reason: "not a regular file"))
        }
        #expect(throws: ImageError.unusablePath(path: "a\0b", reason: "holds a zero byte")) {
            try decodeImage(at: "a\0b")
        }
    }

    @Test func encodesLosslesslyAndAlwaysAlike() throws {
        let image = try decodeImage(at: Fixtures.path("photo.jpg"))
        let bytes = try encodePNG(image)
        #expect(try encodePNG(image) == bytes)
        #expect(try decodeImage(bytes: bytes) == image)
        #expect(throws: ImageError.self) { try encodePNG(RGBImage(width: 0, height: 3, pixels: [])) }
        try withTemporaryDirectory { (directory: URL) throws in
            let file = directory.appendingPathComponent("picture.png")
            try writePNG(image, to: file.path)
            #expect(try Data(contentsOf: file) == Data(bytes))
            #expect(try FileManager.default.contentsOfDirectory(atPath: directory.path) == ["picture.png"])
            let nowhere = directory.appendingPathComponent("no/picture.png").path
            #expect(throws: FileError(nowhere, "open it for writing", ENOENT)) {
                try writePNG(image, to: nowhere)
            }
        }
    }
}
