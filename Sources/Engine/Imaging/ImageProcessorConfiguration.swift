import Files
import Foundation
import JSON

/// Reads the preprocessing of the checkpoint in `directory` in Hugging Face's layout: `preprocessor_config.json`, or the
/// `image_processor` part of `processor_config.json`, which wins where both stand, as in transformers 5. Keys that are absent have the defaults of the class that
/// `image_processor_type` names, without which it is `CLIPImageProcessor`.
///
/// - Parameter pad: overrides whether pictures are padded to a square; LLaVA's own checkpoints keep that
///   in config.json (`image_aspect_ratio`).
/// - Throws: `ImageError.configuration` naming the file and key, or the file where neither stands.
package func readPictureProcessor(directory: URL, pad: Bool? = nil) throws -> any PictureProcessor {
    let nested = directory.appendingPathComponent("processor_config.json")
    if let data = try contents(of: nested) {
        let section = try ConfigurationReader(data: data, source: nested.path).section("image_processor")
        if let section { return try section.processor(pad: pad) }
    }
    let plain = directory.appendingPathComponent("preprocessor_config.json")
    guard let data = try contents(of: plain) else {
        throw ImageError.configuration(
            source: plain.path, found: "there is no such file",
            remedy: "fetch it into the checkpoint's folder")
    }
    return try ConfigurationReader(data: data, source: plain.path).processor(pad: pad)
}

/// Whether one of these files is there.
package func hasPictureProcessor(in directory: URL) -> Bool {
    ["processor_config.json", "preprocessor_config.json"].contains {
        FileManager.default.fileExists(atPath: directory.appendingPathComponent($0).path)
    }
}

private func contents(of file: URL) throws -> Data? {
    if !FileManager.default.fileExists(atPath: file.path) { return nil }
    do { return try SmallFile.read(file) } catch {
        throw ImageError.unreadable(path: file.path, reason: error.finding)
    }
}

/// The classes of transformers that are known, without the endings `Fast` and `Pil`: transformers 5 takes torchvision
/// whichever stands there.
private enum ProcessorClass: String, CaseIterable {
    case clip = "CLIPImageProcessor"
    case clipOld = "CLIPFeatureExtractor"
    case llava = "LlavaImageProcessor"
    case llavaNext = "LlavaNextImageProcessor"
    case llavaOnevision = "LlavaOnevisionImageProcessor"
    case siglip = "SiglipImageProcessor"
    case siglip2 = "Siglip2ImageProcessor"
    case idefics3 = "Idefics3ImageProcessor"
    case smolVLM = "SmolVLMImageProcessor"
    case qwen2VL = "Qwen2VLImageProcessor"
    case qwen25VL = "Qwen2_5_VLImageProcessor"

    var filter: ResamplingFilter {
        switch self {
        case .idefics3, .smolVLM: .lanczos
        case .siglip2: .bilinear
        default: .bicubic
        }
    }

    var normalization: (mean: [Double], std: [Double]) {
        switch self {
        case .siglip, .siglip2, .idefics3, .smolVLM: ([0.5, 0.5, 0.5], [0.5, 0.5, 0.5])
        default: (ImageProcessor.clipMean, ImageProcessor.clipStd)
        }
    }

    /// Whether all pictures come out at one size, for which resizing isn't needed.
    var isOfOneSize: Bool { [.clip, .clipOld, .llava, .siglip].contains(self) }

    /// What it does besides resizing, cropping, rescaling and normalizing. `do_pad` of the tiled ones makes the pictures
    /// of a batch equally many tiles, which is nothing for one picture.
    var steps: [String] {
        switch self {
        case .llava, .llavaNext, .llavaOnevision: ["do_pad"]
        case .idefics3, .smolVLM: ["do_pad", "do_image_splitting"]
        default: []
        }
    }
}

extension ConfigurationReader {
    fileprivate func processor(pad: Bool?) throws -> any PictureProcessor {
        do {
            let kind = try processorClass()
            try checkSteps(of: kind)
            let resizing = Resizing(try filter(of: kind), try values(of: kind))
            return switch kind {
            case .clip, .clipOld, .llava, .siglip: try ofOneSize(kind, resizing, pad: pad)
            case .llavaNext, .llavaOnevision: try anyResolution(kind, resizing)
            case .idefics3, .smolVLM:
                try Idefics3Processor(
                    longestEdge: edge("size", "longest_edge") ?? 4 * 364,
                    side: edge("max_image_size", "longest_edge") ?? 364,
                    splits: flag("do_image_splitting") ?? true, resizing: resizing)
            case .qwen2VL, .qwen25VL: try qwen2VL(resizing)
            case .siglip2:
                try NaFlexProcessor(
                    patch: integer("patch_size") ?? 16, limit: integer("max_num_patches") ?? 256,
                    resizing: resizing)
            }
        } catch ImageError.configuration(source: ImageError.processorSource, let found, let remedy) {
            throw ImageError.configuration(source: source, found: found, remedy: remedy)
        }
    }

    private func processorClass() throws -> ProcessorClass {
        let type = try text("image_processor_type") ?? text("feature_extractor_type") ?? "CLIPImageProcessor"
        let name =
            ["Fast", "Pil"].first(where: type.hasSuffix).map { String(type.dropLast($0.count)) } ?? type
        guard let found = ProcessorClass(rawValue: name) else {
            throw refusal(
                "image_processor_type", "is \(type)",
                "use a checkpoint with one of "
                    + ProcessorClass.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return found
    }

    /// What isn't understood is refused, rather than something near it computed.
    private func checkSteps(of kind: ProcessorClass) throws {
        if try flag("do_convert_rgb") == false {
            throw refusal("do_convert_rgb", "is false", "set it to true; pictures are always read as RGB")
        }
        if let format = try text("data_format"), format != "channels_first" {
            throw refusal("data_format", "is \(format)", "use channels_first")
        }
        if !kind.isOfOneSize, try flag("do_resize") == false {
            throw refusal("do_resize", "is false", "set it to true; these pictures are always resized")
        }
        let common = ["do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb"]
        for key in steps where !common.contains(key) && !kind.steps.contains(key) {
            if try flag(key) == true {
                throw refusal(
                    key, "is true",
                    key == "do_pad"
                        ? "set it to false; only LlavaImageProcessor pads to a square"
                        : "set it to false; this step isn't supported")
            }
        }
    }

    private func filter(of kind: ProcessorClass) throws -> ResamplingFilter {
        let code = try integer("resample") ?? kind.filter.rawValue
        guard let filter = ResamplingFilter(rawValue: code) else {
            throw refusal(
                "resample", "is \(code)",
                "use 0 (nearest), 1 (lanczos), 2 (bilinear), 3 (bicubic) or 4 (box)")
        }
        return filter
    }

    private func values(of kind: ProcessorClass) throws -> PixelValues {
        let rescales = try flag("do_rescale") ?? true
        return try PixelValues(
            rescaleFactor: rescales ? number("rescale_factor") ?? 1 / 255 : nil,
            mean: channels("image_mean") ?? kind.normalization.mean,
            std: channels("image_std") ?? kind.normalization.std,
            normalizes: flag("do_normalize") ?? true)
    }

    private func ofOneSize(_ kind: ProcessorClass, _ resizing: Resizing, pad: Bool?) throws -> ImageProcessor
    {
        let isSiglip = kind == .siglip
        let resizes = try flag("do_resize") ?? true
        let crops = try flag("do_center_crop") ?? !isSiglip
        let size = try size("size") ?? (isSiglip ? .exact(height: 224, width: 224) : .shortestEdge(224))
        let crop = try crop("crop_size") ?? ImageProcessor.Crop(height: 224, width: 224)
        let pads = try flag("do_pad") ?? false
        return try ImageProcessor(
            size: resizes ? size : nil, crop: crops ? crop : nil, pad: pad ?? pads, resizing: resizing)
    }

    private func anyResolution(_ kind: ProcessorClass, _ resizing: Resizing) throws -> AnyResolutionProcessor
    {
        let isNext = kind == .llavaNext
        let side: Int
        switch try size("size") ?? (isNext ? .shortestEdge(224) : .exact(height: 384, width: 384)) {
        case .shortestEdge(let edge): side = edge
        case .exact(let height, let width):
            guard height == width else {
                throw refusal("size", "is \(height) × \(width)", "give a square; tiles are squares")
            }
            side = height
        }
        let crops = try flag("do_center_crop") ?? isNext
        let crop = try crop("crop_size") ?? (isNext ? ImageProcessor.Crop(height: 224, width: 224) : nil)
        if crops, let crop, crop != ImageProcessor.Crop(height: side, width: side) {
            throw refusal(
                "crop_size", "is \(crop.height) × \(crop.width)", "give the size of a tile, \(side) × \(side)"
            )
        }
        let defaults =
            isNext
            ? [(336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008)]
            : (1...6).flatMap { down in (1...6).map { (384 * down, 384 * $0) } }
        return try AnyResolutionProcessor(
            side: side,
            shapes: sizes("image_grid_pinpoints") ?? defaults.map { PictureSize(height: $0, width: $1) },
            whole: isNext ? .squeezed : .padded, resizing: resizing)
    }

    private func qwen2VL(_ resizing: Resizing) throws -> Qwen2VLProcessor {
        let size = try section("size")
        let least = try integer("min_pixels") ?? size?.integer("shortest_edge") ?? 56 * 56
        let most = try integer("max_pixels") ?? size?.integer("longest_edge") ?? 28 * 28 * 1280
        guard least <= most else {
            throw refusal("max_pixels", "is \(most)", "give at least min_pixels, \(least)")
        }
        return try Qwen2VLProcessor(
            area: least...most, patch: integer("patch_size") ?? 14, merge: integer("merge_size") ?? 2,
            frames: integer("temporal_patch_size") ?? 2, resizing: resizing)
    }
}

extension ImageProcessor {
    /// The same for models whose pictures all have one size.
    ///
    /// - Throws: `ImageError.configuration` for another preprocessing too.
    package init(directory: URL, pad: Bool? = nil) throws {
        guard let processor = try readPictureProcessor(directory: directory, pad: pad) as? ImageProcessor
        else {
            throw ImageError.configuration(
                source: directory.path, found: "its preprocessing gives pictures of several tiles or sizes",
                remedy: "use a checkpoint whose pictures are resized to one size")
        }
        self = processor
    }

    /// `preprocessor_config.json` for this processor. With padding the class is `LlavaImageProcessor`, whose
    /// `do_pad` means just that.
    ///
    /// - Parameter processorClass: the value of `processor_class`, which AutoProcessor follows, for example
    ///   `CLIPProcessor` or `LlavaProcessor`.
    package func encodeConfiguration(processorClass: String? = nil) throws -> Data {
        let document = Document(
            image_processor_type: pad ? "LlavaImageProcessor" : "CLIPImageProcessor",
            processor_class: processorClass,
            do_convert_rgb: true, do_resize: size != nil, size: size.map(Self.edges),
            resample: filter.rawValue, do_center_crop: crop != nil,
            crop_size: crop.map { ["height": $0.height, "width": $0.width] },
            do_rescale: rescaleFactor != nil, rescale_factor: rescaleFactor, do_normalize: normalizes,
            image_mean: mean, image_std: std, do_pad: pad ? true : nil)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        return try encoder.encode(document) + Data("\n".utf8)
    }

    private static func edges(_ size: Size) -> [String: Int] {
        switch size {
        case .shortestEdge(let edge): ["shortest_edge": edge]
        case .exact(let height, let width): ["height": height, "width": width]
        }
    }

    private struct Document: Encodable {
        let image_processor_type: String
        let processor_class: String?
        let do_convert_rgb: Bool
        let do_resize: Bool
        let size: [String: Int]?
        let resample: Int
        let do_center_crop: Bool
        let crop_size: [String: Int]?
        let do_rescale: Bool
        let rescale_factor: Double?
        let do_normalize: Bool
        let image_mean: [Double]
        let image_std: [Double]
        let do_pad: Bool?
    }
}
