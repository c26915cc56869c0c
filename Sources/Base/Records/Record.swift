import JSON

/// One line of a stage: a JSON object whose unknown members pass through byte for byte.
package typealias Record = JSONObject

extension JSONObject {
    /// One line: a JSON object and nothing else.
    /// - Throws: `RecordError`.
    package init(parsing line: ArraySlice<UInt8>) throws {
        let value: JSON
        do { value = try JSON(parsing: line) } catch let error as JSONError { throw RecordError.json(error) }
        guard case .object(let object) = value else { throw RecordError.notAnObject(found: value.kind) }
        self = object
    }

    package init(parsing text: String) throws {
        try self.init(parsing: ArraySlice(Array(text.utf8)))
    }

    /// The version of the contract in `docs/records.md`; a record without the key has this one.
    package static let currentVersion = 1

    /// - Throws: `RecordError.newerVersion` where the record was written under a later contract.
    package func checkVersion() throws {
        if let version = try int("version"), version > Self.currentVersion {
            throw RecordError.newerVersion(found: version)
        }
    }

    // MARK: - Optional members: nil where the key is absent or null

    package func string(_ key: String) throws -> String? {
        try read(key, "a string") { if case .string(let value) = $0 { value } else { nil } }
    }

    package func bool(_ key: String) throws -> Bool? {
        try read(key, "a boolean") { if case .bool(let value) = $0 { value } else { nil } }
    }

    package func int(_ key: String) throws -> Int? { try integer(key, as: Int.self) }

    package func integer<I: FixedWidthInteger>(_ key: String, as type: I.Type) throws -> I? {
        try read(key, "an integer from \(I.min) to \(I.max)") {
            if case .number(let value) = $0 { value.integer(as: I.self) } else { nil }
        }
    }

    package func double(_ key: String) throws -> Double? {
        try read(key, "a number within the range of a double") {
            if case .number(let value) = $0 { value.double } else { nil }
        }
    }

    package func array(_ key: String) throws -> [JSON]? {
        try read(key, "an array") { if case .array(let value) = $0 { value } else { nil } }
    }

    package func object(_ key: String) throws -> JSONObject? {
        try read(key, "an object") { if case .object(let value) = $0 { value } else { nil } }
    }

    package func strings(_ key: String) throws -> [String]? {
        try read(key, "an array of strings") { value in
            value.elements { if case .string(let text) = $0 { text } else { nil } }
        }
    }

    package func integers<I: FixedWidthInteger>(_ key: String, as type: I.Type) throws -> [I]? {
        try read(key, "an array of integers from \(I.min) to \(I.max)") { value in
            value.elements { if case .number(let number) = $0 { number.integer(as: I.self) } else { nil } }
        }
    }

    /// The objects of an array, each given to `make` with its place named in what it throws.
    package func objects<T>(_ key: String, _ make: (JSONObject) throws -> T) throws -> [T]? {
        guard let items = try array(key) else { return nil }
        return try items.enumerated().map { i, item in
            let place = "\(key)[\(i)]"
            guard case .object(let object) = item else {
                throw RecordError.wrongType(key: place, found: item.kind, wanted: "an object")
            }
            return try RecordError.naming(place) { try make(object) }
        }
    }

    // MARK: - Required members

    package func requiredString(_ key: String) throws -> String { try required(key, string(key)) }
    package func requiredBool(_ key: String) throws -> Bool { try required(key, bool(key)) }
    package func requiredInt(_ key: String) throws -> Int { try required(key, int(key)) }
    package func requiredDouble(_ key: String) throws -> Double { try required(key, double(key)) }
    package func requiredArray(_ key: String) throws -> [JSON] { try required(key, array(key)) }
    package func requiredObject(_ key: String) throws -> JSONObject { try required(key, object(key)) }
    package func requiredStrings(_ key: String) throws -> [String] { try required(key, strings(key)) }

    /// `value`, or an error that names the key; null where a value must be is a wrong type.
    package func required<T>(_ key: String, _ value: T?) throws -> T {
        if let value { return value }
        if self[key] == .null {
            throw RecordError.wrongType(key: key, found: "null", wanted: "a value")
        }
        throw RecordError.missing(key: key)
    }

    private func read<T>(_ key: String, _ wanted: String, _ convert: (JSON) -> T?) throws -> T? {
        guard let value = self[key], value != .null else { return nil }
        if let converted = convert(value) { return converted }
        throw RecordError.wrongType(key: key, found: value.shown, wanted: wanted)
    }
}

extension RecordError {
    /// Runs `body` and puts `part` before what it throws.
    package static func naming<T>(_ part: String, _ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as RecordError {
            throw RecordError.within(part, error)
        } catch let error as JSONError {
            throw RecordError.within(part, .json(error))
        }
    }
}

extension JSON {
    /// The kind, with the number itself where a number was refused for its value.
    fileprivate var shown: String {
        if case .number(let number) = self, number.raw.utf8.count <= 32 { return "a number (\(number.raw))" }
        return kind
    }

    fileprivate func elements<T>(_ convert: (JSON) -> T?) -> [T]? {
        guard case .array(let items) = self else { return nil }
        var out: [T] = []
        out.reserveCapacity(items.count)
        for item in items {
            guard let value = convert(item) else { return nil }
            out.append(value)
        }
        return out
    }
}
