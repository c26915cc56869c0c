import Foundation
import Records

/// A record with the place where it stands.
package struct InputRecord: Sendable {
    /// Number of its line over all inputs, from 1.
    package let number: Int
    package let file: String
    /// Number of its line in its file, from 1.
    package let line: Int
    package let id: String
    package let record: Record

    /// `file:line`, as errors name it.
    package var place: String { "\(file == "-" ? "standard input" : file):\(line)" }
}

/// One line of the input.
enum InputLine {
    case record(InputRecord)
    case bad(number: Int, place: String, error: any Error)
}

/// Reads the lines of files or standard input: those of the shard, up to the limit, each parsed,
/// its version checked, its id seen for the first time. Empty lines are passed over.
final class RecordSource {
    /// No record is near this; a binary file by mistake would be one endless line.
    static let maximumLineBytes = 64 << 20

    private let options: InputOptions
    private var paths: [String]
    private var current: LineReader?
    private var file = ""
    private var line = 0
    private var number = 0
    private var places: [[UInt8]: String] = [:]
    private let numberOfFirst: Int

    /// - Parameter lastDone: lines up to this number were done by an earlier run; they are read
    ///   only for their ids.
    init(_ options: InputOptions, after lastDone: Int = 0) {
        self.options = options
        paths = (options.paths.isEmpty ? ["-"] : options.paths).reversed()
        numberOfFirst = lastDone + 1
    }

    /// Content of every input that has been read to its end; for streams the only way to know it.
    private(set) var finished: [(path: String, digest: StreamingDigest)] = []

    func next() throws -> InputLine? {
        while let bytes = try nextLine() {
            guard options.shard?.contains(line: number) ?? true else { continue }
            if bytes.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            let place = "\(file == "-" ? "standard input" : file):\(line)"
            do {
                let record = try Record(parsing: bytes)
                try record.checkVersion()
                let id = try record.requiredID()
                if let first = places.updateValue(place, forKey: Array(id.utf8)) {
                    places[Array(id.utf8)] = first
                    throw RecordError.invalid(
                        key: "id", found: "\"\(id)\", which \(first) has too", remedy: "ids must differ")
                }
                if number < numberOfFirst { continue }
                return .record(InputRecord(number: number, file: file, line: line, id: id, record: record))
            } catch let error as RecordError {
                if number < numberOfFirst { continue }
                return .bad(number: number, place: place, error: error)
            }
        }
        return nil
    }

    /// The next line without its ending, of whichever file; counts it.
    private func nextLine() throws -> ArraySlice<UInt8>? {
        while true {
            if let limit = options.limit, number >= limit { return nil }
            if current == nil {
                guard let path = paths.popLast() else { return nil }
                file = path
                line = 0
                current = LineReader(try ByteSource(path: path), limit: Self.maximumLineBytes)
            }
            do {
                if let bytes = try current?.next() {
                    line += 1
                    number += 1
                    return bytes
                }
            } catch is LineReader.TooLong {
                throw StageError.failed(
                    "\(file):\(line + 1): a line of more than \(Self.maximumLineBytes >> 20) MiB; is it JSONL?"
                )
            }
            if let current { finished.append((file, current.digest)) }
            current = nil
        }
    }
}

/// Cuts a stream into lines; takes a byte order mark and carriage returns away.
final class LineReader {
    struct TooLong: Error {}

    private let source: ByteSource
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var scanned = 0
    private var isAtEnd = false
    private var isFirst = true
    private(set) var digest = StreamingDigest()

    init(_ source: ByteSource, limit: Int) {
        self.source = source
        self.limit = limit
    }

    func next() throws -> ArraySlice<UInt8>? {
        while true {
            if let end = buffer[scanned...].firstIndex(of: UInt8(ascii: "\n")) {
                defer {
                    start = end + 1
                    scanned = start
                }
                return trimmed(buffer[start..<end])
            }
            scanned = buffer.count
            guard buffer.count - start <= limit else { throw TooLong() }
            if isAtEnd {
                guard start < buffer.count else { return nil }
                defer { start = buffer.count }
                return trimmed(buffer[start...])
            }
            try fill()
        }
    }

    private func fill() throws {
        buffer.removeFirst(start)
        scanned -= start
        start = 0
        let had = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: 1 << 18))
        let count = try buffer.withUnsafeMutableBytes { all in
            try source.read(into: UnsafeMutableRawBufferPointer(rebasing: all[had...]))
        }
        buffer.removeLast(buffer.count - had - count)
        buffer.withUnsafeBytes { digest.update(UnsafeRawBufferPointer(rebasing: $0[had...])) }
        isAtEnd = count == 0
    }

    /// The line copied out of the buffer, so that a record keeps alive no more than itself.
    private func trimmed(_ line: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        var line = line
        if isFirst, line.starts(with: [0xEF, 0xBB, 0xBF]) { line = line.dropFirst(3) }
        isFirst = false
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        return Array(line)[...]
    }
}
