import JSON

/// Reading the files of a tokenizer: what is null counts as absent, as in the reference's parser, and tokens are bytes.
extension JSON {
    /// The value under `key`, nil when this is no object, the key is missing or its value is null.
    subscript(_ key: String) -> JSON? {
        guard case .object(let object) = self, let value = object[key] else { return nil }
        if case .null = value { return nil }
        return value
    }

    var asBytes: Bytes? { asText.map { Bytes($0) } }

    var asText: String? {
        if case .string(let value) = self { value } else { nil }
    }

    var flag: Bool? {
        if case .bool(let value) = self { value } else { nil }
    }

    var items: [JSON]? {
        if case .array(let value) = self { value } else { nil }
    }

    var entries: [(key: String, value: JSON)]? {
        if case .object(let value) = self { value.entries } else { nil }
    }

    /// A whole number from 0 to 2³¹−1.
    var id: Int32? {
        guard case .number(let number) = self, let value = number.double, value >= 0, value <= 2_147_483_647
        else { return nil }
        return Int32(exactly: value)
    }
}
