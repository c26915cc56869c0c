import Foundation
import JSON

/// A JSON object whose keys are read with their types checked.
struct ConfigurationReader {
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

    /// The keys that switch a step of the preprocessing on or off.
    var steps: [String] {
        keys.keys.filter { ($0.hasPrefix("do_") || $0 == "use_square_size") && self[$0] != nil }.sorted()
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

    /// The one length under `name` of the object `key`.
    func edge(_ key: String, _ name: String) throws -> Int? {
        switch try edges(key, allowed: [name]) {
        case nil: nil
        case .one: throw refusal(key, "is a number", "give an object with \(name)")
        case .named(let edges): edges[name]
        }
    }

    /// Pairs of height and width.
    func sizes(_ key: String) throws -> [PictureSize]? {
        guard let value = self[key] else { return nil }
        let pairs: [PictureSize?]? =
            if case .array(let items) = value { items.map(Self.pair) } else { nil }
        guard let pairs, !pairs.contains(nil) else {
            throw wrongType(key, value, "pairs of height and width")
        }
        return pairs.compactMap { $0 }
    }

    private static func pair(_ value: JSON) -> PictureSize? {
        guard case .array(let items) = value, items.count == 2,
            let height = items[0].double.flatMap(Int.init(exactly:)),
            let width = items[1].double.flatMap(Int.init(exactly:))
        else { return nil }
        return PictureSize(height: height, width: width)
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
