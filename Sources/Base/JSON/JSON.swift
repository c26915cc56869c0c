/// One JSON value as it was read: numbers keep their raw text, objects their order and bytes.
///
/// Strings are compared by their UTF-8 bytes, never by Swift's canonical equivalence, so
/// `"é"` in one code point and in two are different values and different keys.
package enum JSON: Sendable {
    case null
    case bool(Bool)
    case number(JSONNumber)
    case string(String)
    case array([JSON])
    case object(JSONObject)

    /// The whole of `bytes` as one value; white space around it is allowed, anything else is not.
    /// - Throws: `JSONError.malformed` with the byte offset of the fault.
    package init(parsing bytes: ArraySlice<UInt8>) throws {
        var reader = JSONReader(bytes)
        self = try reader.value()
        try reader.end()
    }

    package init(parsing text: String) throws {
        try self.init(parsing: ArraySlice(Array(text.utf8)))
    }

    @inlinable package static func int<I: FixedWidthInteger>(_ value: I) -> JSON {
        .number(JSONNumber(trusted: String(value)))
    }

    /// The fewest digits that read back as the same `Double`.
    /// - Throws: `JSONError.notFinite` for NaN and infinities, which JSON can't say.
    package static func double(_ value: Double) throws -> JSON {
        .number(try JSONNumber(value))
    }

    /// The fewest digits that read back as the same `Float`.
    /// - Throws: `JSONError.notFinite` for NaN and infinities, which JSON can't say.
    package static func float(_ value: Float) throws -> JSON {
        .number(try JSONNumber(value))
    }

    package static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }

    @inlinable package static func ints<I: FixedWidthInteger>(_ values: [I]) -> JSON {
        .array(values.map { .int($0) })
    }

    /// What kind of value this is, as an error names it: "a number", "an array", ….
    package var kind: String {
        switch self {
        case .null: "null"
        case .bool: "a boolean"
        case .number: "a number"
        case .string: "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// The value as JSON text; what was read and not changed keeps its bytes inside objects.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        JSONWriter.write(self, to: &out)
        return out
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }
}

extension JSON: Equatable {
    package static func == (a: JSON, b: JSON) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.bool(let x), .bool(let y)): x == y
        case (.number(let x), .number(let y)): x == y
        case (.string(let x), .string(let y)): x.hasSameBytes(as: y)
        case (.array(let x), .array(let y)): x == y
        case (.object(let x), .object(let y)): x == y
        default: false
        }
    }
}

/// A number by its raw text, so that 2^53 + 1, `1.0`, `-0.0` and `1e400` pass through unharmed.
package struct JSONNumber: Sendable, Equatable {
    package let raw: String

    /// `raw` must already be a number by JSON's grammar.
    @usableFromInline init(trusted raw: String) { self.raw = raw }

    package init(_ value: Double) throws {
        guard value.isFinite else { throw JSONError.notFinite("\(value)") }
        raw = value.description
    }

    package init(_ value: Float) throws {
        guard value.isFinite else { throw JSONError.notFinite("\(value)") }
        raw = value.description
    }

    /// The nearest finite `Double`, or nil where the number is too large for one.
    package var double: Double? {
        guard let value = Double(raw), value.isFinite else { return nil }
        return value
    }

    /// The integer, where the text is one (`1.0` and `1e3` are not) and it fits.
    @inlinable package func integer<I: FixedWidthInteger>(as type: I.Type) -> I? { I(raw) }
}

extension String {
    /// Equality of UTF-8 bytes: `==` would take U+212A for K and composed for decomposed letters.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
