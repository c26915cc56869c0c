import Files
import Foundation
import JSON
import Records

/// The unfinished output `FILE.part` with its side file `FILE.part.json`.
///
/// The side file is lines of JSON: the identity of the run, then checkpoints, each saying that
/// the records up to an input line are in the first so many bytes of the part. A checkpoint is
/// appended after its bytes, so whatever moment a kill hits, the last checkpoint within the part
/// is true and everything after it is cut.
struct PartFile: Sendable {
    /// How far a part has come.
    struct Checkpoint: Sendable, Equatable {
        /// Number of the last input line that is done.
        var line = 0
        var bytes = 0
        var read = 0
        var written = 0
        var skipped = 0
        var dropped: [String: Int] = [:]
    }

    let path: String
    let partPath: String
    let sidePath: String
    private(set) var checkpoint = Checkpoint()
    private(set) var digest = StreamingDigest()
    private let lock: RunLock
    private let part: ByteSink
    private let side: ByteSink
    private var sideBytes: Int

    /// Begins the part, or goes on with it.
    /// - Parameters:
    ///   - identity: what the result depends on; a part with another one is refused.
    ///   - note: told when an unfinished part is begun anew.
    /// - Throws: `StageError`, with exit code 75 where another process writes this output.
    init(path: String, identity: JSONObject, resume: Bool, note: (String) -> Void) throws {
        self.path = path
        partPath = path + ".part"
        sidePath = path + ".part.json"
        lock = try RunLock(path: sidePath, of: path)
        try Self.check(partPath, sidePath, of: path)
        let old = resume ? try Self.readSide(sidePath, partPath, identity) : nil
        if !resume, Self.size(of: partPath) > 0 {
            note("\(partPath): started over; --resume would have continued it")
        }
        let isNew = old == nil
        // The part is emptied first: one with bytes and without a side file would be nobody's.
        part = try ByteSink(path: partPath, flags: O_WRONLY | O_CREAT | O_NOFOLLOW | (isNew ? O_TRUNC : 0))
        side = try ByteSink(path: sidePath, flags: O_WRONLY | O_CREAT | (isNew ? O_TRUNC : 0))
        if isNew { try side.write(identity.bytes + [UInt8(ascii: "\n")]) }
        sideBytes = old?.bytes ?? identity.bytes.count + 1
        if let old { try keep(old.checkpoint) }
    }

    /// - Throws: `StageError` where one of the two is not Sightline's, which its side file says.
    private static func check(_ partPath: String, _ sidePath: String, of path: String) throws {
        let beginning = Array("{\"stage\":".utf8)
        var bytes: [UInt8] = []
        try ByteSource(path: sidePath).readAll { bytes += $0 }
        if bytes.isEmpty, size(of: partPath) > 0 {
            // Made a moment ago, to lock it.
            unlink(sidePath)
            throw FolderSign.refusal(partPath, path)
        }
        if !bytes.prefix(beginning.count).elementsEqual(beginning.prefix(bytes.count)) {
            throw FolderSign.refusal(sidePath, path)
        }
    }

    /// Cuts part and side file behind the checkpoint and reads the kept bytes for their digest.
    private mutating func keep(_ kept: Checkpoint) throws {
        checkpoint = kept
        guard ftruncate(part.descriptor, off_t(kept.bytes)) == 0 else {
            throw StageError.system(partPath, "cut it")
        }
        guard ftruncate(side.descriptor, off_t(sideBytes)) == 0 else {
            throw StageError.system(sidePath, "cut it")
        }
        try ByteSource(path: partPath).readAll { digest.update($0) }
        guard digest.byteCount == kept.bytes else {
            throw StageError.failed("\(partPath): changed while it was opened; run again")
        }
    }

    /// Adds lines to the part and says how far it has come with them. Both are written at the place
    /// that the last checkpoint names, so that after a failed write (a full disk) it can be called again.
    mutating func append(_ bytes: [UInt8], _ next: Checkpoint) throws {
        var next = next
        next.bytes = checkpoint.bytes + bytes.count
        let line = Self.line(next)
        try part.write(bytes, at: checkpoint.bytes)
        try side.write(line, at: sideBytes)
        digest.update(bytes)
        sideBytes += line.count
        checkpoint = next
    }

    /// Puts `closing` behind the last record, brings the part to the disk and gives it its name. No checkpoint
    /// tells of `closing`, so that a part that is left here can still be gone on with.
    mutating func publish(closing: [UInt8]) throws {
        guard ftruncate(part.descriptor, off_t(checkpoint.bytes)) == 0 else {
            throw StageError.system(partPath, "cut it")
        }
        try part.write(closing, at: checkpoint.bytes)
        digest.update(closing)
        try part.synchronise()
        guard rename(partPath, path) == 0 else { throw StageError.system(path, "rename \(partPath) to it") }
        try AtomicFile.synchronizeFolder(of: path)
        guard unlink(sidePath) == 0 || errno == ENOENT else { throw StageError.system(sidePath, "remove it") }
    }

    // MARK: - The side file

    private static func line(_ checkpoint: Checkpoint) -> [UInt8] {
        var object = JSONObject()
        object.set("line", .int(checkpoint.line))
        object.set("bytes", .int(checkpoint.bytes))
        object.set("read", .int(checkpoint.read))
        object.set("written", .int(checkpoint.written))
        object.set("skipped", .int(checkpoint.skipped))
        var dropped = JSONObject()
        for (rule, count) in checkpoint.dropped.sorted(by: { $0.key < $1.key }) {
            dropped.set(rule, .int(count))
        }
        object.set("dropped", .object(dropped))
        return object.bytes + [UInt8(ascii: "\n")]
    }

    private static func read(_ line: ArraySlice<UInt8>) throws -> Checkpoint {
        let object = try JSONObject(parsing: line)
        var checkpoint = Checkpoint(
            line: try object.requiredInt("line"), bytes: try object.requiredInt("bytes"),
            read: try object.requiredInt("read"), written: try object.requiredInt("written"),
            skipped: try object.requiredInt("skipped"))
        let dropped = try object.requiredObject("dropped")
        for rule in dropped.keys { checkpoint.dropped[rule] = try dropped.requiredInt(rule) }
        return checkpoint
    }

    /// The last checkpoint that the part covers, and how many bytes of the side file lead to it;
    /// nil where there is nothing to go on with.
    /// - Throws: `StageError` where another run made the part.
    private static func readSide(
        _ sidePath: String, _ partPath: String, _ identity: JSONObject
    ) throws -> (checkpoint: Checkpoint, bytes: Int)? {
        var bytes: [UInt8] = []
        try ByteSource(path: sidePath).readAll { bytes += $0 }
        let partBytes = size(of: partPath)
        // A side file is written before the first byte of its part.
        guard let end = bytes.firstIndex(of: UInt8(ascii: "\n")) else {
            if partBytes == 0 { return nil }
            throw StageError.failed(
                "\(partPath): nothing says which run made it (\(sidePath) is empty or torn); "
                    + "delete it or run without --resume")
        }
        try Identity.check(bytes[..<end], is: identity, part: partPath, side: sidePath)
        var found = (checkpoint: Checkpoint(), bytes: end + 1)
        var start = end + 1
        while let next = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) {
            let checkpoint: Checkpoint
            do { checkpoint = try read(bytes[start..<next]) } catch {
                throw StageError.failed("\(sidePath): \(error); delete it or run without --resume")
            }
            if checkpoint.bytes > partBytes { break }
            start = next + 1
            found = (checkpoint, start)
        }
        return found
    }

    private static func size(of path: String) -> Int {
        var status = stat()
        return stat(path, &status) == 0 ? Int(status.st_size) : 0
    }
}
