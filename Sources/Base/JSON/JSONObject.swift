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

    package var keys: [String] { members.map(\.key) }

    package var entries: [(key: String, value: JSON)] { members.map { ($0.key, $0.value) } }

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
