import Foundation
import Imaging
import Testing

@Suite struct ImageProcessorTests {
    /// The configuration of a fixture, as the generator passed it to transformers.
    private func configuration(_ name: String) throws -> String {
        let manifest = try JSONSerialization.jsonObject(with: Data(Fixtures.bytes("manifest.json")))
        let entries = try #require((manifest as? [String: Any])?["process"] as? [[String: Any]])
        let entry = try #require(entries.first { $0["name"] as? String == name })
        let data = try JSONSerialization.data(withJSONObject: #require(entry["config"]))
        return String(decoding: data, as: UTF8.self)
    }

    private func processor(_ json: String, pad: Bool? = nil) throws -> ImageProcessor {
        try withTemporaryDirectory { (directory: URL) throws in
            try Data(json.utf8).write(to: directory.appendingPathComponent("preprocessor_config.json"))
            return try ImageProcessor(directory: directory, pad: pad)
        }
    }

    @Test(arguments: try Fixtures.manifest().process)
    func computesAsTransformers(_ entry: Manifest.Process) throws {
        var processor = try processor(configuration(entry.name))
        try processor.resize(as: .pillow)
        #expect(processor.outputHeight == entry.height && processor.outputWidth == entry.width)
        let pixels = try processor.pixels(decodeImage(at: Fixtures.path(entry.file)))
        let expected = try Fixtures.expectedFloats(at: entry.offset, count: 3 * entry.height * entry.width)
        try #require(pixels.count == expected.count)
        let difference = zip(pixels, expected).map { abs($0 - $1) }.max() ?? .infinity
        #expect(difference <= 1e-6)
    }

    @Test func padsOnRequest() throws {
        let plain = try processor(#"{"size": 28, "crop_size": 28}"#)
        let padded = try processor(#"{"size": 28, "crop_size": 28}"#, pad: true)
        #expect(!plain.pad && padded.pad)
        #expect(
            try !processor(#"{"image_processor_type": "LlavaImageProcessor", "do_pad": true}"#, pad: false)
                .pad)
        let image = try decodeImage(at: Fixtures.path("wide.png"))
        #expect(try plain.pixels(image) != padded.pixels(image))
    }

    @Test func readsTheNestedFormFirst() throws {
        try withTemporaryDirectory { (directory: URL) throws in
            let nested =
                #"{"image_processor": {"size": {"shortest_edge": 40}, "crop_size": 36}, "patch_size": 14}"#
            let plain = #"{"size": 20, "crop_size": 18}"#
            let files = ("processor_config.json", "preprocessor_config.json")
            try Data(plain.utf8).write(to: directory.appendingPathComponent(files.1))
            #expect(try ImageProcessor(directory: directory).outputWidth == 18)
            try Data(nested.utf8).write(to: directory.appendingPathComponent(files.0))
            #expect(try ImageProcessor(directory: directory).outputWidth == 36)
            try Data(#"{"patch_size": 14}"#.utf8).write(to: directory.appendingPathComponent(files.0))
            #expect(try ImageProcessor(directory: directory).outputWidth == 18)
        }
        try withTemporaryDirectory { (directory: URL) throws in
            let file = directory.appendingPathComponent("preprocessor_config.json").path
            let error = #expect(throws: ImageError.self) { try ImageProcessor(directory: directory) }
            #expect(error?.description.hasPrefix("\(file): there is no such file; ") == true)
        }
    }

    @Test func readsTheFileOfLLaVA() throws {
        let processor = try processor(
            """
            {"_valid_processor_keys": ["images", "do_resize"], "crop_size": {"height": 336, "width": 336},
             "do_center_crop": true, "do_convert_rgb": true, "do_normalize": true, "do_rescale": true,
             "do_resize": true, "image_mean": [0.48145466, 0.4578275, 0.40821073],
             "image_processor_type": "CLIPImageProcessor", "image_std": [0.26862954, 0.26130258, 0.27577711],
             "input_data_format": null, "processor_class": "LlavaProcessor", "resample": 3,
             "rescale_factor": 0.00392156862745098, "size": {"shortest_edge": 336}}
            """)
        #expect(
            try processor
                == ImageProcessor(
                    size: .shortestEdge(336), crop: ImageProcessor.Crop(height: 336, width: 336)))
    }

    /// Each is refused with the key in the message.
    @Test(arguments: [
        (#"{"do_resize": 1}"#, "do_resize is 1; it must be true or false"),
        (#"{"do_normalize": "yes"}"#, #"do_normalize is "yes"; it must be true or false"#),
        (#"{"size": "224"}"#, #"size is "224"; it must be an object"#),
        (#"{"size": true}"#, "size is true; it must be an object"),
        (#"{"size": 22.5}"#, "size is 22.5; it must be a whole number"),
        (#"{"size": {"longest_edge": 10}}"#, "size.longest_edge isn't supported"),
        (#"{"size": {"height": 10}}"#, "size has the keys height; use shortest_edge, or height and width"),
        (
            #"{"size": {"shortest_edge": 9, "height": 9, "width": 9}}"#,
            "size has the keys height, shortest_edge"
        ),
        (#"{"crop_size": {"height": 10}}"#, "crop_size has the keys height; use height and width"),
        (#"{"crop_size": 0}"#, "an edge of 0 pixels"),
        (#"{"crop_size": 99999}"#, "an edge of 99999 pixels"),
        (#"{"size": {"height": -3, "width": 5}}"#, "an edge of -3 pixels"),
        (#"{"resample": 5}"#, "resample is 5"),
        (#"{"resample": "bicubic"}"#, #"resample is "bicubic"; it must be a number"#),
        (#"{"image_mean": [0.5, 0.5]}"#, "image_mean is [0.5, 0.5]; it must be three numbers"),
        (#"{"image_mean": [0.5, null, 0.5]}"#, "image_mean is [0.5, null, 0.5]"),
        (#"{"image_std": [0.5, 0, 0.5]}"#, "image_std [0.5, 0.0, 0.5]"),
        (#"{"rescale_factor": [1]}"#, "rescale_factor is [1]; it must be a number"),
        (#"{"do_convert_rgb": false}"#, "do_convert_rgb is false"),
        (#"{"do_center_crop": false}"#, "pictures of different shapes"),
        (#"{"do_pad": true}"#, "do_pad is true"),
        (#"{"do_flip_channel_order": true}"#, "do_flip_channel_order is true"),
        (#"{"use_square_size": true}"#, "use_square_size is true"),
        (#"{"data_format": "channels_last"}"#, "data_format is channels_last"),
        (
            #"{"image_processor_type": "ViTImageProcessor"}"#,
            "image_processor_type is ViTImageProcessor"
        ),
        (#"{"image_processor_type": 3}"#, "image_processor_type is 3; it must be a string"),
        (#"[1]"#, "not a JSON object"),
        (#"{"size": 2"#, "not a JSON object"),
    ])
    func refusesByName(_ json: String, _ found: String) throws {
        let error = try #require(#expect(throws: ImageError.self) { try processor(json) })
        #expect(error.description.contains("preprocessor_config.json: \(found)"), "\(error)")
    }

    @Test func writesWhatItReads() throws {
        let processors = [
            try ImageProcessor(size: .shortestEdge(32), crop: ImageProcessor.Crop(height: 30, width: 28)),
            try ImageProcessor(
                size: .exact(height: 20, width: 24), filter: .bilinear, crop: nil, rescaleFactor: nil,
                mean: [1, 2, 3], std: [4, 5, 6]),
            try ImageProcessor(
                size: nil, crop: ImageProcessor.Crop(height: 8, width: 8), rescaleFactor: 0.5,
                normalizes: false),
            try ImageProcessor(size: .shortestEdge(32), crop: nil, pad: true),
        ]
        for processor in processors {
            let data = try processor.encodeConfiguration(processorClass: "LlavaProcessor")
            #expect(try self.processor(String(decoding: data, as: UTF8.self)) == processor)
        }
    }

    @Test func refusesThinPictures() throws {
        let processor = try processor(#"{"size": 224, "crop_size": 224}"#)
        let line = RGBImage(width: 100_000, height: 1, pixels: [UInt8](repeating: 9, count: 300_000))
        #expect(throws: ImageError.self) { try processor.pixels(line) }
        #expect(throws: ImageError.self) { try processor.pixels(RGBImage(width: 0, height: 0, pixels: [])) }
    }
}
