import ArgumentParser
import Foundation
import Records
import RunLedger

/// What programs that train need beside the record stream: all records at once, and a name for the run that
/// its checkpoints carry.
extension StageRun {
    /// Every record of the input, in order. Bad lines stop the run, or are counted under `--skip-bad`.
    package func records(_ options: InputOptions) throws -> [InputRecord] {
        let source = RecordSource(options)
        var records: [InputRecord] = []
        var bad = 0
        while let line = try source.next() {
            switch line {
            case .record(let record): records.append(record)
            case .bad(_, let place, let error):
                bad += 1
                guard bad <= options.skipBad else { throw StageError.failed("\(place): \(error)") }
                console.warn("\(place): \(error); left out")
            }
        }
        count(read: records.count + bad, skipped: bad)
        for (path, digest) in source.finished {
            try addInput(Artefact(path: path, digest: digest.hex, bytes: digest.byteCount, kind: .records))
        }
        return records
    }

    package func records(paths: [String]) throws -> [InputRecord] {
        var options = try InputOptions.parse([])
        options.input = paths
        return try records(options)
    }

    /// Everything that the bytes of the result depend on: options, input files, models, core.
    package func identity(_ options: InputOptions) throws -> String {
        let inputs = try options.paths.map { (path: $0, digest: try Digest.ofFile($0).digest) }
        return Identity.of(self, inputs: inputs).text
    }
}
