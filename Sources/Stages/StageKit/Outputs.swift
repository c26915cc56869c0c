import Files
import Foundation
import RunLedger

extension StageRun {
    /// Writes a file beside the records, such as an audit or a page, and notes it as output. Links are followed;
    /// a device or a named pipe is written to.
    /// - Throws: `FileError`; `StageError.closedPipe` where nobody reads the pipe any more.
    package func write(_ bytes: some Sequence<UInt8>, to path: String, role: String = "output") throws {
        let bytes = Array(bytes)
        do { try AtomicFile.write(bytes, to: path) } catch let error as FileError where error.number == EPIPE
        {
            throw StageError.closedPipe
        }
        addOutput(
            Artefact(path: path, digest: Digest.of(bytes), bytes: bytes.count, kind: .file), role: role)
    }
}
