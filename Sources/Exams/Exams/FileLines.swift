import Foundation
import JSON
import Records

/// The lines of a file that are not blank, each with its number from 1. The file is read block by block.
package struct FileLines {
    package let path: String
    private let bytes: [UInt8]?

    /// - Parameter bytes: what stands in the file; nil where it is to be read.
    package init(_ path: String, bytes: [UInt8]? = nil) { (self.path, self.bytes) = (path, bytes) }

    /// - Throws: `EvaluationError` for a file that can't be read; what `body` throws, a `RecordError` with file and line
    ///   before it.
    func forEach(_ body: (_ line: ArraySlice<UInt8>, _ number: Int) throws -> Void) throws {
        var number = 0
        func take(_ line: ArraySlice<UInt8>) throws {
            number += 1
            guard line.contains(where: { $0 > 0x20 }) else { return }
            do { try body(line, number) } catch let error as RecordError {
                throw EvaluationError("\(path):\(number): \(error)")
            }
        }
        var rest: [UInt8] = []
        try forEachBlock { block in
            rest += block
            var start = 0
            while let end = rest[start...].firstIndex(of: UInt8(ascii: "\n")) {
                try take(rest[start..<end])
                start = end + 1
            }
            rest.removeFirst(start)
        }
        if !rest.isEmpty { try take(rest[...]) }
    }

    /// The first byte that is not blank.
    func firstByte() throws -> UInt8? {
        var found: UInt8?
        try forEachBlock { block in found = found ?? block.first { $0 > 0x20 } }
        return found
    }

    private func forEachBlock(_ body: ([UInt8]) throws -> Void) throws {
        guard bytes == nil, let file = FileHandle(forReadingAtPath: path) else {
            return try body(bytes ?? EvaluationError.reading(path))
        }
        defer { try? file.close() }
        while true {
            let block: Data?
            do { block = try file.read(upToCount: 1 << 18) } catch {
                throw EvaluationError(
                    "\(path): it can't be read (\(error.localizedDescription)); check the path")
            }
            guard let block, !block.isEmpty else { return }
            try body(Array(block))
        }
    }
}

/// Files with one JSON object per line that are no records of the family: ids may be missing or numbers.
package enum ObjectLines {
    /// - Parameter body: a `RecordError` that it throws gets file and line before it.
    package static func read<Row>(
        _ lines: FileLines, _ body: (_ object: JSONObject, _ line: Int) throws -> Row
    ) throws -> [Row] {
        var rows: [Row] = []
        try lines.forEach { rows.append(try body(JSONObject(parsing: $0), $1)) }
        return rows
    }
}
