import Imaging
import Testing

@Suite struct ResizeTests {
    /// Not within a grey level but to the byte: the fixed-point arithmetic is the same.
    @Test(arguments: try Fixtures.manifest().resize)
    func resizesAsPillow(_ entry: Manifest.Resize) throws {
        let resized = try resize(entry, as: .pillow)
        let expected = try Fixtures.expectedBytes(at: entry.offset, count: entry.width * entry.height * 3)
        #expect(largestDifference(resized.pixels, expected) == 0)
    }

    /// torchvision's bytes, and those of Pillow 13 where it takes its passes in another order than Pillow 12.
    @Test(arguments: try Families.read().resize)
    func resizesAsTheNamedReference(_ entry: Families.Resize) throws {
        let resized = try resize(entry.resize, as: #require(Resampling(rawValue: entry.as)))
        let count = entry.resize.width * entry.resize.height * 3
        let expected = try Families.levels()[entry.resize.offset..<entry.resize.offset + count]
        #expect(largestDifference(resized.pixels, expected) == 0)
    }

    private func resize(_ entry: Manifest.Resize, as resampling: Resampling) throws -> RGBImage {
        let filters: [String: ResamplingFilter] = [
            "nearest": .nearest, "lanczos": .lanczos, "bilinear": .bilinear, "bicubic": .bicubic, "box": .box,
        ]
        let image = try decodeImage(at: Fixtures.path(entry.file))
        let resized = try Imaging.resize(
            image, width: entry.width, height: entry.height, filter: #require(filters[entry.filter]),
            as: resampling)
        #expect(resized.width == entry.width && resized.height == entry.height)
        return resized
    }

    @Test func refusesEmptySizes() {
        let image = RGBImage(width: 1, height: 1, pixels: [1, 2, 3])
        for (width, height) in [(0, 1), (1, -1), (1 << 24, 1)] {
            #expect(throws: ImageError.self) {
                try Imaging.resize(
                    image, width: width, height: height, filter: .bicubic, as: .torchvision)
            }
        }
        #expect(throws: ImageError.self) {
            try Imaging.resize(
                RGBImage(width: 0, height: 0, pixels: []), width: 2, height: 2, filter: .box, as: .pillow)
        }
    }
}
