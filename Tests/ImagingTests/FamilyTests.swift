import Foundation
import Imaging
import Testing

@Suite struct FamilyTests {
    /// To the level: only the arithmetic of normalizing differs, in the last bit.
    @Test(arguments: try Families.read().process)
    func computesAsTransformers(_ entry: Families.Process) throws {
        let configuration = try Families.configuration(entry.name)
        var processor = try Families.processor(configuration)
        try processor.resize(as: #require(Resampling(rawValue: entry.resize)))
        if entry.whole { processor = try #require(try processor.unsplit()) }
        let image = try decodeImage(at: Fixtures.path(entry.file))
        let input = try processor.input(image)
        #expect(input.tiles.count == entry.tiles)
        #expect([input.grid.height, input.grid.width] == entry.grid)
        #expect(input.original == PictureSize(height: image.height, width: image.width))
        let values = input.tiles.flatMap { $0 }
        try #require(values.count == entry.values)
        let (mean, std) = try normalization(configuration)
        let levels = try Families.levels()[entry.offset...]
        let difference = zip(values, levels).enumerated().map { index, pair in
            let channel = index % entry.layout[0] / entry.layout[1]
            let expected = (Float(pair.1) / 255 - Float(mean[channel])) / Float(std[channel])
            return abs(pair.0 - expected)
        }
        #expect((difference.max() ?? .infinity) <= 1e-6)
    }

    private func normalization(_ configuration: Data) throws -> (mean: [Double], std: [Double]) {
        let keys = try #require(try JSONSerialization.jsonObject(with: configuration) as? [String: Any])
        let half = ["Siglip", "Siglip2", "SmolVLM", "Idefics3"].contains {
            keys["image_processor_type"] as? String == $0 + "ImageProcessor"
        }
        return (
            keys["image_mean"] as? [Double] ?? (half ? [0.5, 0.5, 0.5] : ImageProcessor.clipMean),
            keys["image_std"] as? [Double] ?? (half ? [0.5, 0.5, 0.5] : ImageProcessor.clipStd)
        )
    }

    /// The published settings, at sizes whose pixels nobody wants to store.
    @Test(arguments: [
        (
            "qwen2vl",
            #"{"image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 3136, "max_pixels": 12845056}"#
        ),
        ("qwen2vl-default", #"{"image_processor_type": "Qwen2VLImageProcessorFast"}"#),
        ("naflex", #"{"image_processor_type": "Siglip2ImageProcessor"}"#),
        (
            "onevision",
            #"{"image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": null}"#
        ),
    ])
    func choosesSizesAsTransformers(_ name: String, _ configuration: String) throws {
        let processor = try Families.processor(Data(configuration.utf8))
        for sizes in try #require(Families.read().sizes[name]) {
            let size = PictureSize(height: sizes[0], width: sizes[1])
            let found =
                switch processor {
                case let processor as Qwen2VLProcessor: try processor.resizedSize(size)
                case let processor as NaFlexProcessor: processor.resizedSize(size)
                case let processor as AnyResolutionProcessor: processor.bestShape(for: size)
                default: size
                }
            #expect(found == PictureSize(height: sizes[2], width: sizes[3]), "\(sizes)")
        }
    }

    @Test func readsTheFileOfSmolVLM() throws {
        let configuration = """
            {"do_convert_rgb": true, "do_image_splitting": true, "do_normalize": true, "do_pad": true,
             "do_rescale": true, "do_resize": true, "image_mean": [0.5, 0.5, 0.5],
             "image_processor_type": "Idefics3ImageProcessor", "image_std": [0.5, 0.5, 0.5],
             "max_image_size": {"longest_edge": 512}, "processor_class": "Idefics3Processor", "resample": 1,
             "rescale_factor": 0.00392156862745098, "size": {"longest_edge": 2048}}
            """
        let processor = try #require(
            try Families.processor(Data(configuration.utf8)) as? Idefics3Processor)
        #expect(processor.longestEdge == 2048 && processor.side == 512 && processor.splits)
        let gray = RGBImage(width: 640, height: 427, pixels: [UInt8](repeating: 128, count: 640 * 427 * 3))
        let input = try processor.input(gray)
        #expect(input.tiles.count == 13 && input.grid == PictureSize(height: 3, width: 4))
        #expect(try processor.unsplit()?.input(gray).tiles.count == 1)
    }

    /// Each is refused with the key in the message.
    @Test(arguments: [
        (#"{"image_processor_type": "Idefics3ImageProcessor", "do_resize": false}"#, "do_resize is false"),
        (
            #"{"image_processor_type": "Idefics3ImageProcessor", "size": {"height": 9, "width": 9}}"#,
            "size.height isn't supported"
        ),
        (
            #"{"image_processor_type": "SmolVLMImageProcessor", "max_image_size": {"longest_edge": 0}}"#,
            "an edge of 0 pixels"
        ),
        (
            #"{"image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": [[384, 400]]}"#,
            "image_grid_pinpoints that aren't multiples of 384 pixels"
        ),
        (
            #"{"image_processor_type": "LlavaOnevisionImageProcessor", "image_grid_pinpoints": [[384], 5]}"#,
            "image_grid_pinpoints is [[384], 5]; it must be pairs"
        ),
        (
            #"{"image_processor_type": "LlavaNextImageProcessor", "size": 336, "crop_size": 224}"#,
            "crop_size is 224 × 224"
        ),
        (#"{"image_processor_type": "Qwen2VLImageProcessor", "patch_size": 0}"#, "in patches of 0"),
        (
            #"{"image_processor_type": "Qwen2VLImageProcessor", "min_pixels": 9, "max_pixels": 8}"#,
            "max_pixels is 8; give at least min_pixels, 9"
        ),
        (
            #"{"image_processor_type": "Siglip2ImageProcessor", "max_num_patches": 0}"#,
            "0 patches of 16 pixels"
        ),
        (#"{"image_processor_type": "SiglipImageProcessor", "do_pad": true}"#, "do_pad is true"),
    ])
    func refusesByName(_ configuration: String, _ found: String) throws {
        let error = try #require(
            #expect(throws: ImageError.self) { try Families.processor(Data(configuration.utf8)) })
        #expect(error.description.contains(found), "\(error)")
    }

    @Test func wholePicturesAreOneTile() throws {
        let none = PictureReading(alpha: .drop, tiling: .none)
        for kind in ["Idefics3", "LlavaOnevision", "LlavaNext"] {
            let size = kind == "LlavaNext" ? #", "size": {"shortest_edge": 336}, "crop_size": 336"# : ""
            let processor = try Families.processor(
                Data(#"{"image_processor_type": "\#(kind)ImageProcessor"\#(size)}"#.utf8))
            let image = RGBImage(width: 900, height: 500, pixels: [UInt8](repeating: 3, count: 1_350_000))
            #expect(try processor.input(image).tiles.count >= 2)
            let whole = try processor.reading(as: none)
            #expect(try whole.input(image).tiles.count == 1 && whole.alpha == .drop)
            #expect(whole.tile == processor.tile)
        }
        let clip = try Families.processor(Data("{}".utf8))
        #expect(throws: ImageError.self) { try clip.reading(as: none) }
    }

    @Test func refusesWhatNoReferenceDoes() throws {
        var box = try Families.processor(Data(#"{"resample": 4}"#.utf8))
        #expect(box.resizing.resampling == .pillow)
        #expect(throws: ImageError.self) { try box.resize(as: .torchvision) }
        let qwen = try Families.processor(Data(#"{"image_processor_type": "Qwen2VLImageProcessor"}"#.utf8))
        let thin = RGBImage(width: 201, height: 1, pixels: [UInt8](repeating: 0, count: 603))
        #expect(throws: ImageError.self) { try qwen.input(thin) }
    }
}
