/// A table with a line of names, as pandas reads it: fields in quotes may have separators, line breaks and doubled quotes.
struct QuotedTable {
    struct Row {
        /// On which it begins, from 1.
        let line: Int
        private let columns: [String: Int]
        private let fields: [String]

        fileprivate init(_ columns: [String: Int], _ fields: [String], line: Int) {
            (self.columns, self.fields, self.line) = (columns, fields, line)
        }

        /// Whether the table has the column, missing values or not.
        func has(_ column: String) -> Bool { columns[column] != nil }

        /// nil where the column isn't there or pandas takes the field for a missing value.
        subscript(column: String) -> String? {
            guard let index = columns[column] else { return nil }
            return QuotedTable.missing.contains(fields[index]) ? nil : fields[index]
        }
    }

    /// What `pandas.read_csv` takes for missing, in quotes too.
    static let missing: Set<String> = [
        "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>",
        "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
    ]

    let lines: FileLines
    let separator: UInt8
    /// Whether text that is no UTF-8 is taken for Latin-1.
    var readsLatin1 = false

    /// - Parameter required: columns that must be there.
    /// - Throws: `EvaluationError` with file and line for a quote that isn't closed, a row with too few or too many fields,
    ///   zero bytes, text that is no UTF-8, and missing columns; what `body` throws.
    func forEach(required: [String], _ body: (Row) throws -> Void) throws {
        var columns: [String: Int]?
        var reader = QuotedFields(separator: separator)
        func take(_ fields: [[UInt8]], _ line: Int) throws {
            let texts = try fields.map { field in
                if field.contains(0) { throw error(line, "a zero byte; the file is damaged, fetch it again") }
                if let text = String(validating: field, as: UTF8.self) { return text }
                guard readsLatin1 else { throw error(line, "not valid UTF-8; convert the file") }
                return String(String.UnicodeScalarView(field.map { Unicode.Scalar($0) }))
            }
            guard let names = columns else {
                let names = Dictionary(texts.enumerated().map { ($1, $0) }) { first, _ in first }
                let absent = required.filter { names[$0] == nil }
                guard absent.isEmpty else {
                    throw error(
                        line, "no column \(absent.joined(separator: ", ")); give the benchmark's own file")
                }
                columns = names
                width = texts.count
                return
            }
            guard texts.count == width else {
                throw error(
                    line,
                    "\(texts.count) fields where the first line has \(width); mend the row or its quotes")
            }
            try body(Row(names, texts, line: line))
        }
        var width = 0
        try lines.forEachBlock { try reader.read($0, take) }
        if let line = reader.openQuote {
            throw error(line, "a quote that is not closed; close it, or double one that is meant")
        }
        try reader.end(take)
    }

    private func error(_ line: Int, _ what: String) -> EvaluationError {
        EvaluationError("\(lines.path):\(line): \(what)")
    }
}

/// Splits bytes into rows of fields, block by block.
private struct QuotedFields {
    private enum State { case start, plain, quoted, closed }

    private let separator: UInt8
    private var state = State.start
    private var field: [UInt8] = []
    private var fields: [[UInt8]] = []
    private var (line, rowLine, quoteLine) = (1, 1, 1)

    init(separator: UInt8) { self.separator = separator }

    /// The line of a quote that is open still.
    var openQuote: Int? { state == .quoted ? quoteLine : nil }

    mutating func read(_ block: [UInt8], _ row: (_ fields: [[UInt8]], _ line: Int) throws -> Void) throws {
        for byte in block {
            if byte == UInt8(ascii: "\n") { line += 1 }
            switch (state, byte) {
            case (.start, UInt8(ascii: "\"")): (state, quoteLine) = (.quoted, line)
            case (.quoted, UInt8(ascii: "\"")): state = .closed
            case (.quoted, _): field.append(byte)
            case (.closed, UInt8(ascii: "\"")):
                field.append(byte)
                state = .quoted
            case (_, separator): endField()
            case (_, UInt8(ascii: "\n")): try endRow(row)
            case (_, UInt8(ascii: "\r")): continue
            default:
                field.append(byte)
                state = .plain
            }
        }
    }

    mutating func end(_ row: (_ fields: [[UInt8]], _ line: Int) throws -> Void) throws { try endRow(row) }

    private mutating func endField() {
        fields.append(field)
        field.removeAll(keepingCapacity: true)
        state = .start
    }

    private mutating func endRow(_ row: (_ fields: [[UInt8]], _ line: Int) throws -> Void) throws {
        let isBlank = fields.isEmpty && field.isEmpty && state == .start
        endField()
        if !isBlank { try row(fields, rowLine) }
        fields.removeAll(keepingCapacity: true)
        rowLine = line
    }
}
