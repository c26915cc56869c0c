import Files
import Foundation
import JSON

/// Reads and writes small JSON files, and turns Codable's errors into ones that name file and key.
enum ConfigDocument {
    static func data(of url: URL) throws -> Data {
        do { return try SmallFile.read(url) } catch {
            throw CheckpointError(
                url.path, "it cannot be read (\(error.finding))",
                "check that the directory is a whole Hugging Face checkpoint")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, from data: Data, path: String) throws -> Value {
        do {
            return try JSONDecoder().decode(type, from: data)
        } catch let error as DecodingError {
            throw checkpointError(error, path: path)
        }
    }

    /// The object in `data`, to be written again with a few keys changed.
    static func object(_ data: Data, path: String) throws -> JSONObject {
        guard case .object(let document)? = try? JSON(parsing: [UInt8](data)[...]) else {
            throw CheckpointError(path, "it is not valid JSON", "fetch the file again")
        }
        return document
    }

    /// Writes `value` with sorted keys, atomically.
    static func write(_ value: some Encodable, to url: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        try AtomicFile.write(try encoder.encode(value) + [0x0A], to: url.path)
    }

    private static func checkpointError(_ error: DecodingError, path: String) -> CheckpointError {
        switch error {
        case .typeMismatch(let type, let context):
            CheckpointError(
                place(path, context.codingPath), "its value is not \(jsonName(of: type))",
                "correct the key's value")
        case .valueNotFound(let type, let context):
            CheckpointError(
                place(path, context.codingPath), "it is null where \(jsonName(of: type)) is needed",
                "correct the key's value")
        case .keyNotFound(let key, let context):
            CheckpointError(place(path, context.codingPath + [key]), "the key is missing", "add it")
        case .dataCorrupted(let context):
            if context.codingPath.isEmpty {
                CheckpointError(path, "it is not valid JSON", "fetch the file again")
            } else {
                CheckpointError(
                    place(path, context.codingPath), context.debugDescription,
                    "use another checkpoint, or correct the key")
            }
        @unknown default:
            CheckpointError(path, "\(error)", "correct the file")
        }
    }

    private static func place(_ path: String, _ keys: [any CodingKey]) -> String {
        keys.isEmpty ? path : "\(path): key \(keys.map(\.stringValue).joined(separator: "."))"
    }

    private static func jsonName(of type: Any.Type) -> String {
        switch type {
        case is Int.Type: "a whole number"
        case is Double.Type: "a number"
        case is String.Type: "a string"
        case is Bool.Type: "true or false"
        case is any RandomAccessCollection.Type: "a list"
        default: "an object"
        }
    }
}

extension JSONObject {
    /// Notes in a config.json how its weights are stored.
    mutating func setElementType(_ type: ElementType) {
        remove("dtype")
        set("torch_dtype", .string(type.torchName))
    }
}

extension KeyedDecodingContainer {
    /// The key's value, or `fallback` (the default of transformers) where it is absent or null.
    func value<Value: Decodable>(_ key: Key, default fallback: Value) throws -> Value {
        try decodeIfPresent(Value.self, forKey: key) ?? fallback
    }

    /// The key's whole number, or nil where it is absent or null.
    ///
    /// By way of Double, because JSONDecoder reports a fraction in an Int without saying which key it was.
    func integer(_ key: Key) throws -> Int? {
        guard let number = try decodeIfPresent(Double.self, forKey: key) else { return nil }
        guard let integer = Int(exactly: number) else {
            throw refusal(key, "\(number) is not a whole number")
        }
        return integer
    }

    /// As `value`, for a width or a count. The bound keeps products of two sizes far from overflow.
    func size(_ key: Key, default fallback: Int) throws -> Int {
        let size = try integer(key) ?? fallback
        guard (1...1 << 24).contains(size) else { throw refusal(key, "\(size) is not a size from 1 to 2^24") }
        return size
    }

    /// As `size`, for attention heads that share a hidden size evenly.
    func heads(_ key: Key, default fallback: Int, of hiddenSize: Int) throws -> Int {
        let heads = try size(key, default: fallback)
        guard hiddenSize % heads == 0 else {
            throw refusal(key, "\(heads) does not divide the hidden size \(hiddenSize)")
        }
        return heads
    }

    /// As `value`, for a number that has to be finite and above zero.
    func positive(_ key: Key, default fallback: Double) throws -> Double {
        let number = try value(key, default: fallback)
        guard number > 0, number.isFinite else { throw refusal(key, "\(number) is not above zero") }
        return number
    }

    /// As `value`, for one of a few strings.
    func choice<Value: RawRepresentable & CaseIterable>(
        _ key: Key, default fallback: Value
    ) throws -> Value where Value.RawValue == String {
        let text = try value(key, default: fallback.rawValue)
        guard let choice = Value(rawValue: text) else {
            let known = Value.allCases.map { "\"\($0.rawValue)\"" }.joined(separator: " or ")
            throw refusal(key, "\"\(text)\" is not supported, only \(known)")
        }
        return choice
    }

    /// One token id or several (transformers allows both for `eos_token_id`).
    func tokenIDs(_ key: Key, default fallback: [Int]) throws -> [Int] {
        if !contains(key) { return fallback }
        if try decodeNil(forKey: key) { return [] }
        let numbers =
            try (try? decode(Double.self, forKey: key)).map { [$0] } ?? decode([Double].self, forKey: key)
        return try numbers.map { number in
            guard let id = Int32(exactly: number) else { throw refusal(key, "\(number) is not a token id") }
            return Int(id)
        }
    }

    func refusal(_ key: Key, _ finding: String) -> DecodingError {
        .dataCorruptedError(forKey: key, in: self, debugDescription: finding)
    }

    /// Checks `model_type` where it stands.
    func expectModelType(_ type: String, _ key: Key) throws {
        let found = try value(key, default: type)
        guard found == type else {
            throw refusal(key, "\"\(found)\" is not supported here, only \"\(type)\"")
        }
    }
}

extension KeyedEncodingContainer {
    mutating func encode(tokenIDs: [Int], forKey key: Key) throws {
        switch tokenIDs.count {
        case 0: try encodeNil(forKey: key)
        case 1: try encode(tokenIDs[0], forKey: key)
        default: try encode(tokenIDs, forKey: key)
        }
    }
}
