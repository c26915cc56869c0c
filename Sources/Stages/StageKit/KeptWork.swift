import Foundation
import Records

/// Pieces of work on the way to a folder, kept in its part as they are done, so that `--resume` needn't do them again.
/// They lie in a part with a side file, as records do; neither goes into the folder.
package final class KeptWork {
    private static let name = "done.jsonl"

    /// What an earlier run has done, in its order.
    package let earlier: [Record]
    private let run: StageRun
    private let output: RecordOutput
    private let paths: [String]
    private var number: Int

    fileprivate init(_ run: StageRun, folder: String, resume: Bool) throws {
        let part = try PartFile(
            path: "\(folder)/\(Self.name)", identity: Identity.of(run, inputs: run.inputs), resume: resume
        ) { run.console.say($0) }
        // Whatever else lies there is written again, under the names that this run gives it.
        let kept = [FolderSign.name, "\(Self.name).part", "\(Self.name).part.json"]
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) where !kept.contains(name) {
            try FileManager.default.removeItem(atPath: "\(folder)/\(name)")
        }
        let source = RecordSource(InputOptions(files: [part.partPath]), .unnamed)
        var earlier: [Record] = []
        while let line = try source.next() {
            switch line {
            case .record(let input): earlier.append(input.record)
            case .bad(_, let place, let error):
                throw StageError.failed("\(place): \(error); run without --resume")
            }
        }
        (self.run, self.earlier, number) = (run, earlier, part.checkpoint.line)
        paths = [part.partPath, part.sidePath]
        if !earlier.isEmpty { run.console.say("continuing after \(earlier.count) records") }
        output = RecordOutput(part: part, .lines, skipAllowance: 0, console: run.console)
        run.onInterruption { [output] in output.flushBeforeLeaving() }
    }

    /// Keeps what was made of a piece, all of it or nothing; `place` names it in errors.
    package func add(_ records: [Record], at place: String) throws {
        number += 1
        output.expect(number: number, place: place)
        output.finish(number: number, .records(records))
        try output.flush()
    }

    /// Brings what is done to the part.
    package func flush() throws { try output.flush(force: true) }

    /// All of it has gone into the folder's files.
    package func finish() throws {
        run.onInterruption(nil)
        for path in paths where unlink(path) != 0 && errno != ENOENT {
            throw StageError.system(path, "remove it")
        }
    }
}

extension StageRun {
    /// Goes on with the work that a stopped run of the same options, inputs and models left in `folder`, or begins it.
    ///
    /// - Parameter folder: the part of the output's folder.
    /// - Throws: `StageError` where another run left it, with the difference.
    package func keepWork(in folder: String, resume: Bool) throws -> KeptWork {
        try KeptWork(self, folder: folder, resume: resume)
    }
}
