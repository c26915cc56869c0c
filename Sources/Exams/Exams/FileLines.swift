import Foundation
import JSON
import Records

/// The lines of a file that are not blank, each with its number from 1. The file is read block by block; a mark of byte
/// order at its start is passed over, as pandas does it.
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
            guard line.contains(where: { !$0.isBlank }) else { return }
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

    /// All of it.
    ///
    /// - Throws: `EvaluationError` for a file that can't be read.
    func content() throws -> [UInt8] {
        var content: [UInt8] = []
        try forEachBlock { content += $0 }
        return content
    }

    /// The first line that is not blank; empty where there is none.
    func firstLine() throws -> ArraySlice<UInt8> {
        do { try forEach { line, _ in throw Found(what: line) } } catch let found as Found<ArraySlice<UInt8>>
        {
            return found.what
        }
        return []
    }

    /// The first byte that is not blank.
    func firstByte() throws -> UInt8? {
        do {
            try forEachBlock { block in
                if let byte = block.first(where: { !$0.isBlank }) { throw Found(what: byte) }
            }
        } catch let found as Found<UInt8> { return found.what }
        return nil
    }

    /// Ends a walk.
    private struct Found<What: Sendable>: Error { let what: What }

    private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    /// Its bytes, block by block.
    func forEachBlock(_ body: ([UInt8]) throws -> Void) throws {
        var isFirst = true
        try forEachRawBlock { block in
            let isMarked = isFirst && block.starts(with: Self.byteOrderMark)
            isFirst = false
            try body(isMarked ? Array(block.dropFirst(Self.byteOrderMark.count)) : block)
        }
    }

    private func forEachRawBlock(_ body: ([UInt8]) throws -> Void) throws {
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

extension UInt8 {
    /// Space as JSON has it, with the tabs of tables. A zero is none: a file of them is damaged, not empty.
    fileprivate var isBlank: Bool { self == 0x20 || (0x09...0x0D).contains(self) }
}
