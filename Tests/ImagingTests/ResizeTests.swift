import Imaging
import Testing

@Suite struct ResizeTests {
    /// Not within a grey level but to the byte: the fixed-point arithmetic is the same.
    @Test(arguments: try Fixtures.manifest().resize)
    func resizesAsPillow(_ entry: Manifest.Resize) throws {
        let filters: [String: ResamplingFilter] = [
            "nearest": .nearest, "lanczos": .lanczos, "bilinear": .bilinear, "bicubic": .bicubic, "box": .box,
        ]
        let filter = try #require(filters[entry.filter])
        let image = try decodeImage(at: Fixtures.path(entry.file))
        let resized = try resize(image, width: entry.width, height: entry.height, filter: filter)
        #expect(resized.width == entry.width && resized.height == entry.height)
        let expected = try Fixtures.expectedBytes(at: entry.offset, count: entry.width * entry.height * 3)
        #expect(largestDifference(resized.pixels, expected) == 0)
    }

    @Test func refusesEmptySizes() {
        let image = RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
        for (width, height) in [(0, 1), (1, -1), (1 << 24, 1)] {
            #expect(throws: ImageError.self) {
                try resize(image, width: width, height: height, filter: .bicubic)
            }
        }
        #expect(throws: ImageError.self) {
            try resize(RGBImage(width: 0, height: 0, pixels: []), width: 2, height: 2, filter: .box)
        }
    }
}
