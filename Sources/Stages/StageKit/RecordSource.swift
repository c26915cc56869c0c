import Foundation
import Records

/// A record with the place where it stands.
package struct InputRecord: Sendable {
    /// Number of its line over all inputs, from 1.
    package let number: Int
    /// As the options name it.
    package let file: String
    /// `file:line`, or `file[index]` in an array: how errors name it.
    package let place: String
    package let id: String
    package let record: Record
}

/// One line of the input.
enum InputLine {
    case record(InputRecord)
    case bad(number: Int, place: String, error: any Error)
}

/// Reads the lines of files or standard input: those of the shard, up to the limit, each parsed,
/// its version checked, its id seen for the first time, as far as the form wants it. Empty lines are passed over.
final class RecordSource {
    /// No record is near this; a binary file by mistake would be one endless line.
    static let maximumLineBytes = 64 << 20

    private let options: InputOptions
    private let form: InputForm
    private var paths: [String]
    private var current: LineReader?
    private var file = ""
    private var line = 0
    private var number = 0
    private var places: [[UInt8]: String] = [:]
    private let numberOfFirst: Int

    /// - Parameter lastDone: lines up to this number were done by an earlier run; they are read
    ///   only for their ids.
    init(_ options: InputOptions, _ form: InputForm = .records, after lastDone: Int = 0) {
        self.options = options
        self.form = form
        paths = (options.paths.isEmpty ? ["-"] : options.paths).reversed()
        numberOfFirst = lastDone + 1
    }

    /// How many records were read so far, those of an earlier run included, and how many of them have a picture.
    private(set) var pictures = (with: 0, of: 0)

    /// Content of every input that has been read to its end; for streams the only way to know it.
    private(set) var finished: [(path: String, digest: StreamingDigest)] = []

    func next() throws -> InputLine? {
        while let bytes = try nextLine() {
            let isInShard = options.shard?.contains(line: number) ?? true
            // Rows of one name are told apart over all shards.
            guard isInShard || form == .rows else { continue }
            if bytes.allSatisfy(\.isJSONSpace) { continue }
            let isWanted = isInShard && number >= numberOfFirst
            do {
                var record = try Record(parsing: bytes)
                let id = try name(&record)
                if isInShard {
                    pictures.of += 1
                    // What is wrong with it is for the stages that look at pictures to say.
                    if (try? record.picture()) != nil { pictures.with += 1 }
                }
                if !isWanted { continue }
                return .record(InputRecord(number: number, file: file, place: place, id: id, record: record))
            } catch let error as RecordError {
                if !isWanted { continue }
                let isArray = line == 1 && bytes.first { !$0.isJSONSpace } == UInt8(ascii: "[")
                return .bad(number: number, place: place, error: isArray ? RecordError.array : error)
            }
        }
        return nil
    }

    private var place: String {
        let file = file == "-" ? "standard input" : file
        return current?.isArray == true ? "\(file)[\(line - 1)]" : "\(file):\(line)"
    }

    /// The record's id: its own, or one that is made here where the form allows it.
    private func name(_ record: inout Record) throws -> String {
        if form == .rows {
            let own = record.rowName ?? String(number)
            var id = own
            var count = 1
            while places.updateValue(place, forKey: Array(id.utf8)) != nil {
                count += 1
                id = "\(own)#\(count)"
            }
            return id
        }
        try record.checkVersion()
        if form == .unnamed, record["id"] == nil { record.set("id", .string(String(number))) }
        let id = try record.requiredID()
        if let first = places.updateValue(place, forKey: Array(id.utf8)) {
            places[Array(id.utf8)] = first
            throw RecordError.invalid(
                key: "id", found: "\"\(id)\", which \(first) has too", remedy: "ids must differ")
        }
        return id
    }

    /// The next line without its ending, of whichever file; counts it.
    private func nextLine() throws -> ArraySlice<UInt8>? {
        while true {
            if let limit = options.limit, number >= limit { return nil }
            if current == nil {
                guard let path = paths.popLast() else { return nil }
                file = path
                line = 0
                current = LineReader(
                    try ByteSource(path: path), limit: Self.maximumLineBytes, orElements: form == .rows)
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
            } catch let fault as LineReader.BrokenArray {
                line += 1
                throw StageError.failed("\(place): \(fault.description)")
            }
            if let current { finished.append((file, current.digest)) }
            current = nil
        }
    }
}

/// Cuts a stream into lines; takes a byte order mark and carriage returns away. Where it may, it cuts a stream
/// that begins with `[` into the elements of that array instead.
final class LineReader {
    struct TooLong: Error {}

    struct BrokenArray: Error, CustomStringConvertible {
        let description: String
    }

    private let source: ByteSource
    private let limit: Int
    private var buffer: [UInt8] = []
    private var start = 0
    private var scanned = 0
    private var isAtEnd = false
    private var isFirst = true
    private let mayBeArray: Bool
    private var elements: ElementScanner?
    /// Whether no element of the array was read yet.
    private var isAlone = true
    private(set) var digest = StreamingDigest()

    init(_ source: ByteSource, limit: Int, orElements mayBeArray: Bool = false) {
        self.source = source
        self.limit = limit
        self.mayBeArray = mayBeArray
    }

    var isArray: Bool { elements != nil }

    func next() throws -> ArraySlice<UInt8>? {
        if mayBeArray, isFirst { try open() }
        if isArray { return try nextElement() }
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

    /// Looks whether an array begins here.
    private func open() throws {
        repeat { try fill() } while !isAtEnd && buffer.allSatisfy(\.isJSONSpace)
        let mark = buffer.starts(with: ElementScanner.byteOrderMark) ? 3 : 0
        guard let first = buffer[mark...].firstIndex(where: { !$0.isJSONSpace }),
            buffer[first] == UInt8(ascii: "[")
        else { return }
        elements = ElementScanner()
        isFirst = false
        start = first + 1
        scanned = start
    }

    private func nextElement() throws -> ArraySlice<UInt8>? {
        while elements?.isClosed == false {
            if let end = elements?.end(in: buffer[scanned...]) {
                let isEmpty = buffer[start..<end].allSatisfy(\.isJSONSpace)
                guard !isEmpty || (isAlone && elements?.isClosed == true) else {
                    throw BrokenArray(
                        description: "no record stands here, but a comma is beside it; take the comma out")
                }
                isAlone = false
                defer {
                    start = end + 1
                    scanned = start
                }
                return Array(buffer[start..<end])[...]
            }
            scanned = buffer.count
            guard buffer.count - start <= limit else { throw TooLong() }
            if isAtEnd {
                throw BrokenArray(
                    description: "the array has no end, the file was cut off here; fetch or write it again")
            }
            try fill()
        }
        // To the end of the file, for its digest.
        while true {
            guard buffer[start...].allSatisfy(\.isJSONSpace) else {
                throw BrokenArray(description: "text follows the array; give a file with one array")
            }
            if isAtEnd { return nil }
            start = buffer.count
            scanned = start
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
        if isFirst, line.starts(with: ElementScanner.byteOrderMark) { line = line.dropFirst(3) }
        isFirst = false
        if line.last == UInt8(ascii: "\r") { line = line.dropLast() }
        return Array(line)[...]
    }
}
