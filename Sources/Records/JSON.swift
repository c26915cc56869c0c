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
    /// - Throws: `RecordError.malformed` with the byte offset of the fault.
    package init(parsing bytes: ArraySlice<UInt8>) throws {
        var parser = JSONParser(bytes)
        self = try parser.parseDocument()
    }

    package init(parsing text: String) throws {
        try self.init(parsing: ArraySlice(Array(text.utf8)))
    }

    package static func int<I: FixedWidthInteger>(_ value: I) -> JSON {
        .number(JSONNumber(trusted: String(value)))
    }

    /// The fewest digits that read back as the same `Double`.
    /// - Throws: `RecordError.notFinite` for NaN and infinities, which JSON can't say.
    package static func double(_ value: Double) throws -> JSON {
        .number(try JSONNumber(value))
    }

    /// The fewest digits that read back as the same `Float`.
    /// - Throws: `RecordError.notFinite` for NaN and infinities, which JSON can't say.
    package static func float(_ value: Float) throws -> JSON {
        .number(try JSONNumber(value))
    }

    package static func strings(_ values: [String]) -> JSON { .array(values.map { .string($0) }) }

    package static func ints<I: FixedWidthInteger>(_ values: [I]) -> JSON {
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
    init(trusted raw: String) { self.raw = raw }

    package init(_ value: Double) throws {
        guard value.isFinite else { throw RecordError.notFinite("\(value)") }
        raw = value.description
    }

    package init(_ value: Float) throws {
        guard value.isFinite else { throw RecordError.notFinite("\(value)") }
        raw = value.description
    }

    /// The nearest finite `Double`, or nil where the number is too large for one.
    package var double: Double? {
        guard let value = Double(raw), value.isFinite else { return nil }
        return value
    }

    /// The integer, where the text is one (`1.0` and `1e3` are not) and it fits.
    package func integer<I: FixedWidthInteger>(as type: I.Type) -> I? { I(raw) }
}

/// A JSON object that keeps the order of its members and the bytes of those nobody changed.
package struct JSONObject: Sendable {
    struct Member: Sendable {
        let key: String
        var value: JSON
        /// Everything between the commas: white space, key, colon and value as they were read.
        var raw: ArraySlice<UInt8>
        /// Where the value lies within `raw`.
        var valueRange: Range<Int>
    }

    var members: [Member]
    /// The bytes of an object without members, whose inner white space has no member to live in.
    var emptyBody: ArraySlice<UInt8>

    package init() {
        members = []
        emptyBody = []
    }

    init(members: [Member], emptyBody: ArraySlice<UInt8> = []) {
        self.members = members
        self.emptyBody = emptyBody
    }

    /// One JSON object and nothing else.
    /// - Throws: `RecordError.malformed` with the byte offset, `.notAnObject` for another value.
    package init(parsing bytes: ArraySlice<UInt8>) throws {
        let value = try JSON(parsing: bytes)
        guard case .object(let object) = value else { throw RecordError.notAnObject(found: value.kind) }
        self = object
    }

    package init(parsing text: String) throws {
        try self.init(parsing: ArraySlice(Array(text.utf8)))
    }

    package var keys: [String] { members.map(\.key) }

    package subscript(key: String) -> JSON? { index(of: key).map { members[$0].value } }

    /// The raw bytes of a member's value.
    package func rawValue(_ key: String) -> ArraySlice<UInt8>? {
        index(of: key).map { members[$0].raw[members[$0].valueRange] }
    }

    /// Replaces the value in place or appends the member; an equal value leaves the bytes alone.
    package mutating func set(_ key: String, _ value: JSON) {
        guard let at = index(of: key) else {
            members.append(Self.makeMember(key, value))
            return
        }
        if members[at].value == value { return }
        let old = members[at]
        var raw = Array(old.raw[old.raw.startIndex..<old.valueRange.lowerBound])
        let start = raw.count
        JSONWriter.write(value, to: &raw)
        let end = raw.count
        raw += old.raw[old.valueRange.upperBound...]
        members[at] = Member(key: old.key, value: value, raw: raw[...], valueRange: start..<end)
    }

    /// Sets where there is a value, removes where there is none.
    package mutating func set(_ key: String, _ value: JSON?) {
        if let value { set(key, value) } else { remove(key) }
    }

    package mutating func remove(_ key: String) {
        if let at = index(of: key) { members.remove(at: at) }
    }

    /// The object as JSON text, on one line if it was read from one.
    package var bytes: [UInt8] {
        var out: [UInt8] = []
        JSONWriter.write(self, to: &out)
        return out
    }

    package var text: String { String(decoding: bytes, as: UTF8.self) }

    func index(of key: String) -> Int? {
        members.firstIndex { $0.key.hasSameBytes(as: key) }
    }

    static func makeMember(_ key: String, _ value: JSON) -> Member {
        var raw: [UInt8] = []
        JSONWriter.write(key, to: &raw)
        raw.append(UInt8(ascii: ":"))
        let start = raw.count
        JSONWriter.write(value, to: &raw)
        return Member(key: key, value: value, raw: raw[...], valueRange: start..<raw.count)
    }
}

extension JSONObject: Equatable {
    /// The same members with the same values in the same order; white space doesn't count.
    package static func == (a: JSONObject, b: JSONObject) -> Bool {
        a.members.count == b.members.count
            && zip(a.members, b.members).allSatisfy {
                $0.key.hasSameBytes(as: $1.key) && $0.value == $1.value
            }
    }
}

extension String {
    /// Equality of UTF-8 bytes: `==` would take U+212A for K and composed for decomposed letters.
    func hasSameBytes(as other: String) -> Bool {
        utf8.count == other.utf8.count && utf8.elementsEqual(other.utf8)
    }
}
