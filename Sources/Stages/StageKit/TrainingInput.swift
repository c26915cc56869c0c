import Foundation
import Records
import RunLedger

/// What programs that train or evaluate need beside the record stream: all records at once, and a
/// name for the run that its checkpoints carry.
extension StageRun {
    /// Every record of the input, in order. Bad lines stop the run, or are counted under `--skip-bad`.
    package func records(_ options: InputOptions) throws -> [InputRecord] {
        try records(options) { $0 }
    }

    /// What `convert` makes of every record; one that it refuses is bad, unless by a `StageError`.
    package func records<T>(
        _ options: InputOptions, from form: InputForm = .records, _ convert: (InputRecord) throws -> T
    ) throws -> [T] {
        let source = RecordSource(options, form)
        let all = try readEach(source, skipping: options.skipBad, convert)
        noteInputs(source)
        return all
    }

    package func records(paths: [String]) throws -> [InputRecord] {
        try records(InputOptions(files: paths))
    }

    /// Everything that the bytes of the result depend on: options, input files, models, core.
    /// - Throws: `StageError` (usage) for streams, which can't be read again to compare.
    package func identity(_ options: InputOptions) throws -> String {
        guard !options.paths.isEmpty, !options.paths.contains(where: Self.isStream) else {
            throw StageError.usage("training reads its records more than once; name files as input")
        }
        let inputs = try options.paths.map { (path: $0, digest: try Digest.ofFile($0).digest) }
        return Identity.of(self, inputs: inputs).text
    }

    func readEach<T>(
        _ source: RecordSource, skipping allowance: Int, _ convert: (InputRecord) throws -> T
    ) throws -> [T] {
        var good: [T] = []
        var bad = 0
        let progress = progress(total: nil, unit: "records read")
        defer { progress.finish() }
        while let line = try source.next() {
            progress.advance()
            let fault: String
            switch line {
            case .record(let record):
                do {
                    good.append(try convert(record))
                    continue
                } catch  where !(error is StageError) { fault = "\(record.place): \(error)" }
            case .bad(_, let place, let error): fault = "\(place): \(error)"
            }
            bad += 1
            guard bad <= allowance else { throw StageError.failed(fault) }
            console.warn("\(fault) (skipped, \(bad) of \(allowance))")
        }
        count(read: good.count + bad, skipped: bad)
        return good
    }

    /// Notes in the ledger what was read to its end, and of how many records there are pictures.
    func noteInputs(_ source: RecordSource, except known: [String] = []) {
        countPictures(source.pictures.with, of: source.pictures.of)
        for (path, digest) in source.finished where !known.contains(path) {
            addInput(
                Artefact(path: path, digest: digest.hex, bytes: digest.byteCount, kind: .records))
        }
    }
}
