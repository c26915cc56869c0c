import Foundation
import JSON

/// Hugging Face's layout: `preprocessor_config.json`, or the `image_processor` part of
/// `processor_config.json`, which wins where both stand, as in transformers 5.
extension ImageProcessor {
    /// Reads the configuration of the checkpoint in `directory`. Keys that are absent have the defaults of
    /// `CLIPImageProcessor`.
    ///
    /// - Parameter pad: overrides whether pictures are padded to a square; LLaVA's own checkpoints keep that
    ///   in config.json (`image_aspect_ratio`).
    /// - Throws: `ImageError.configuration` naming the file and key; `.missing` where neither file stands.
    package init(directory: URL, pad: Bool? = nil) throws {
        let nested = directory.appendingPathComponent("processor_config.json")
        if let data = try Self.contents(of: nested) {
            let section = try ConfigurationReader(data: data, source: nested.path).section("image_processor")
            if let section {
                try self.init(section, pad: pad)
                return
            }
        }
        let plain = directory.appendingPathComponent("preprocessor_config.json")
        guard let data = try Self.contents(of: plain) else { throw ImageError.missing(path: plain.path) }
        try self.init(ConfigurationReader(data: data, source: plain.path), pad: pad)
    }

    private static func contents(of file: URL) throws -> Data? {
        if !FileManager.default.fileExists(atPath: file.path) { return nil }
        do {
            return try Data(contentsOf: file)
        } catch {
            throw ImageError.unreadable(path: file.path, reason: error.localizedDescription)
        }
    }

    private init(_ reader: ConfigurationReader, pad: Bool?) throws {
        let padsToSquare = try reader.checkSupported()
        let resizes = try reader.flag("do_resize") ?? true
        let crops = try reader.flag("do_center_crop") ?? true
        let rescales = try reader.flag("do_rescale") ?? true
        let size = try reader.size("size") ?? .shortestEdge(224)
        let crop = try reader.crop("crop_size") ?? Crop(height: 224, width: 224)
        let code = try reader.integer("resample") ?? ResamplingFilter.bicubic.rawValue
        guard let filter = ResamplingFilter(rawValue: code) else {
            throw reader.refusal(
                "resample", "is \(code)",
                "use 0 (nearest), 1 (lanczos), 2 (bilinear), 3 (bicubic) or 4 (box)")
        }
        do {
            try self.init(
                size: resizes ? size : nil, filter: filter, crop: crops ? crop : nil,
                rescaleFactor: rescales ? try reader.number("rescale_factor") ?? 1 / 255 : nil,
                mean: try reader.channels("image_mean") ?? Self.clipMean,
                std: try reader.channels("image_std") ?? Self.clipStd,
                normalizes: try reader.flag("do_normalize") ?? true, pad: pad ?? padsToSquare)
        } catch ImageError.configuration(source: "image processor", let found, let remedy) {
            throw ImageError.configuration(source: reader.source, found: found, remedy: remedy)
        }
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

/// A JSON object whose keys are read with their types checked.
private struct ConfigurationReader {
    let source: String
    private let keys: JSONObject

    init(data: Data, source: String) throws {
        guard case .object(let keys)? = try? JSON(parsing: [UInt8](data)[...]) else {
            throw ImageError.configuration(
                source: source, found: "not a JSON object", remedy: "copy the file from the checkpoint again")
        }
        self.init(keys: keys, source: source)
    }

    private init(keys: JSONObject, source: String) {
        self.keys = keys
        self.source = source
    }

    func refusal(_ key: String, _ found: String, _ remedy: String) -> ImageError {
        .configuration(source: source, found: "\(key) \(found)", remedy: remedy)
    }

    private func wrongType(_ key: String, _ value: JSON, _ expected: String) -> ImageError {
        refusal(key, "is \(value.shown)", "it must be \(expected)")
    }

    /// A key that is null counts as absent, as in transformers.
    private subscript(_ key: String) -> JSON? {
        keys[key].flatMap { $0 == .null ? nil : $0 }
    }

    func section(_ key: String) throws -> ConfigurationReader? {
        guard let value = self[key] else { return nil }
        guard case .object(let inner) = value else { throw wrongType(key, value, "an object") }
        return ConfigurationReader(keys: inner, source: "\(source): \(key)")
    }

    func flag(_ key: String) throws -> Bool? {
        guard let value = self[key] else { return nil }
        guard case .bool(let flag) = value else { throw wrongType(key, value, "true or false") }
        return flag
    }

    func number(_ key: String) throws -> Double? {
        guard let value = self[key] else { return nil }
        guard let number = value.double else { throw wrongType(key, value, "a number") }
        return number
    }

    func text(_ key: String) throws -> String? {
        guard let value = self[key] else { return nil }
        guard case .string(let text) = value else { throw wrongType(key, value, "a string") }
        return text
    }

    func integer(_ key: String) throws -> Int? {
        guard let number = try number(key), let value = self[key] else { return nil }
        guard let integer = Int(exactly: number) else { throw wrongType(key, value, "a whole number") }
        return integer
    }

    /// One number for all channels, or three.
    func channels(_ key: String) throws -> [Double]? {
        guard let value = self[key] else { return nil }
        if let number = value.double { return [number, number, number] }
        guard case .array(let items) = value else { throw wrongType(key, value, "three numbers") }
        let numbers = items.compactMap(\.double)
        if numbers.count != 3 || items.count != 3 { throw wrongType(key, value, "three numbers") }
        return numbers
    }

    /// The class refuses what it doesn't understand, rather than compute something near it.
    /// - Returns: whether the class pads to a square.
    func checkSupported() throws -> Bool {
        let type = try text("image_processor_type") ?? text("feature_extractor_type") ?? "CLIPImageProcessor"
        let name =
            ["Fast", "Pil"].first(where: type.hasSuffix).map { String(type.dropLast($0.count)) } ?? type
        guard ["CLIPImageProcessor", "CLIPFeatureExtractor", "LlavaImageProcessor"].contains(name) else {
            throw refusal(
                "image_processor_type", "is \(type)",
                "use a checkpoint with CLIPImageProcessor or LlavaImageProcessor")
        }
        if try flag("do_convert_rgb") == false {
            throw refusal("do_convert_rgb", "is false", "set it to true; pictures are always read as RGB")
        }
        let pads = try flag("do_pad") ?? false
        if pads && name != "LlavaImageProcessor" {
            throw refusal("do_pad", "is true", "set it to false; only LlavaImageProcessor pads to a square")
        }
        if let format = try text("data_format"), format != "channels_first" {
            throw refusal("data_format", "is \(format)", "use channels_first")
        }
        let known = ["do_resize", "do_center_crop", "do_rescale", "do_normalize", "do_convert_rgb", "do_pad"]
        for key in keys.keys.sorted() where !known.contains(key) {
            if (key.hasPrefix("do_") || key == "use_square_size"), try flag(key) == true {
                throw refusal(key, "is true", "set it to false; this step isn't supported")
            }
        }
        return pads
    }

    func size(_ key: String) throws -> ImageProcessor.Size? {
        switch try edges(key, allowed: ["shortest_edge", "height", "width"]) {
        case nil: return nil
        case .one(let edge): return .shortestEdge(edge)
        case .named(let edges):
            if let edge = edges["shortest_edge"], edges.count == 1 { return .shortestEdge(edge) }
            if let height = edges["height"], let width = edges["width"], edges.count == 2 {
                return .exact(height: height, width: width)
            }
            throw refusal(
                key, "has the keys \(edges.keys.sorted().joined(separator: ", "))",
                "use shortest_edge, or height and width")
        }
    }

    func crop(_ key: String) throws -> ImageProcessor.Crop? {
        switch try edges(key, allowed: ["height", "width"]) {
        case nil: return nil
        case .one(let edge): return ImageProcessor.Crop(height: edge, width: edge)
        case .named(let edges):
            guard let height = edges["height"], let width = edges["width"] else {
                throw refusal(
                    key, "has the keys \(edges.keys.sorted().joined(separator: ", "))",
                    "use height and width")
            }
            return ImageProcessor.Crop(height: height, width: width)
        }
    }

    private enum Edges {
        case one(Int)
        case named([String: Int])
    }

    private func edges(_ key: String, allowed: [String]) throws -> Edges? {
        guard let value = self[key] else { return nil }
        if case .number = value { return try integer(key).map(Edges.one) }
        guard let inner = try section(key) else { return nil }
        var edges: [String: Int] = [:]
        for name in inner.keys.keys.sorted() where inner[name] != nil {
            if !allowed.contains(name) {
                throw refusal("\(key).\(name)", "isn't supported", "use \(allowed.joined(separator: ", "))")
            }
            guard let edge = try inner.integer(name) else { continue }
            edges[name] = edge
        }
        return .named(edges)
    }
}

extension JSON {
    fileprivate var double: Double? {
        if case .number(let number) = self { number.double } else { nil }
    }

    /// The value as an error shows it.
    fileprivate var shown: String {
        switch self {
        case .array(let items): "[" + items.map(\.shown).joined(separator: ", ") + "]"
        case .object: kind
        default: text
        }
    }
}
