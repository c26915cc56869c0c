import JSON
import Records

/// JSON of benchmarks, whose objects are no records of the family: ids may be missing or numbers.
extension FileLines {
    /// The objects of the file, one a line or all in one array, each with the line on which it begins.
    ///
    /// - Throws: `EvaluationError` for what is neither; what `body` throws, a `RecordError` with file and line before it.
    package func forEachObject(_ body: (_ object: JSONObject, _ line: Int) throws -> Void) throws {
        guard try firstByte() == UInt8(ascii: "[") else {
            return try forEach { try body(JSONObject(parsing: $0), $1) }
        }
        try readWhole { reader, line in
            try readArray(&reader, line, body)
        }
    }

    /// The members of the one object that the file is, each with the line on which its value begins.
    ///
    /// - Throws: as `forEachObject`.
    package func forEachMember(_ body: (_ key: String, _ value: JSON, _ line: Int) throws -> Void) throws {
        try readWhole { reader, line in
            try reader.object { reader, key in
                let start = line(reader)
                try at(start) { try body(key, reader.value(), start) }
            }
        }
    }

    /// The objects of an array that is a member of the one object that the file is, as `forEachObject`.
    ///
    /// - Throws: as `forEachObject`; `EvaluationError` where there is no such member.
    package func forEachObject(
        of key: String, _ body: (_ object: JSONObject, _ line: Int) throws -> Void
    ) throws {
        var isThere = false
        try readWhole { reader, line in
            try reader.object { reader, member in
                guard member == key else {
                    _ = try reader.value()
                    return
                }
                isThere = true
                try readArray(&reader, line, body)
            }
        }
        guard isThere else {
            throw EvaluationError("\(path): \"\(key)\" is missing; give the benchmark's own file")
        }
    }

    /// Whether its first line is an object that has this member, or all of it an array: one object a question.
    package func hasObjects(with key: String) throws -> Bool {
        if try firstByte() == UInt8(ascii: "[") { return true }
        let line = try firstLine()
        return (try? JSONObject(parsing: line))?[key] != nil
    }

    package func objects<Row>(
        _ body: (_ object: JSONObject, _ line: Int) throws -> Row
    ) throws -> [Row] {
        var rows: [Row] = []
        try forEachObject { rows.append(try body($0, $1)) }
        return rows
    }

    /// - Parameter line: of where a reader stands, from 1.
    private func readWhole(
        _ read: (_ reader: inout JSONReader, _ line: (JSONReader) -> Int) throws -> Void
    ) throws {
        let bytes = try content()
        var reader = JSONReader(bytes[...])
        var (line, counted) = (1, 0)
        func current(_ reader: JSONReader) -> Int {
            line += bytes[counted..<reader.offset].count { $0 == UInt8(ascii: "\n") }
            counted = reader.offset
            return line
        }
        do {
            try read(&reader, current)
            try reader.end()
        } catch let error as JSONError {
            throw EvaluationError("\(path):\(current(reader)): \(error)")
        }
    }

    private func readArray(
        _ reader: inout JSONReader, _ line: (JSONReader) -> Int,
        _ body: (_ object: JSONObject, _ line: Int) throws -> Void
    ) throws {
        try reader.array { reader in
            let start = line(reader)
            try at(start) {
                let item = try reader.value()
                guard case .object(let object) = item else { throw RecordError.notAnObject(found: item.kind) }
                try body(object, start)
            }
        }
    }

    private func at(_ line: Int, _ body: () throws -> Void) throws {
        do { try body() } catch let error as RecordError {
            throw EvaluationError("\(path):\(line): \(error)")
        }
    }
}
