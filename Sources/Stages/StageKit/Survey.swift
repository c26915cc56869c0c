import Foundation
import Records

extension InputOptions {
    /// Whether the input can be read twice: files, no streams.
    package var isRereadable: Bool {
        !paths.isEmpty
            && paths.allSatisfy { path in
                var status = stat()
                return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFREG
            }
    }
}

extension StageRun {
    /// Reads every record ahead of the run proper, for stages that must know the whole input before they write
    /// its first line, also when they are resumed. Nothing is counted, and bad lines are passed over: the run
    /// proper meets them again and says so.
    package func survey(
        _ options: InputOptions, from form: InputForm = .records, _ body: (InputRecord) throws -> Void
    ) throws {
        let source = RecordSource(options, form)
        let progress = progress(total: nil, unit: "records looked through")
        defer { progress.finish() }
        while let line = try source.next() {
            if case .record(let record) = line { try body(record) }
            progress.advance()
        }
    }

    /// Checks every record of files before the run proper, which would otherwise meet a bad one after hours.
    /// A stream's are checked as they come.
    ///
    /// - Throws: `StageError.failed` with the place of the first bad record that may not be skipped.
    package func examine(_ options: InputOptions, _ check: (InputRecord) throws -> Void) throws {
        guard options.isRereadable, !isDryRun else { return }
        var bad = 0
        try survey(options) { input in
            do { try check(input) } catch  where !(error is StageError) {
                bad += 1
                if bad > options.skipBad { throw StageError.failed("\(input.place): \(error)") }
            }
        }
    }

    /// What `convert` makes of every record of a file that belongs to the program as a model does: it isn't the input,
    /// is not counted, and decides the result. Its records need no id, and one may stand twice.
    ///
    /// - Parameter role: what it is for, also in errors: `baseline`.
    /// - Throws: `StageError` with the place of the first bad record.
    package func pool<T>(
        _ path: String, role: String, _ convert: (InputRecord) throws -> T
    ) throws -> (items: [T], digest: String) {
        guard !Self.isStream(path) else {
            throw StageError.usage("\(path): a stream can't be the \(role); name a file")
        }
        let artefact = try Digest.artefact(path, kind: .records)
        addIngredient(artefact, role: role)
        let source = RecordSource(InputOptions(files: [path]), .rows)
        var items: [T] = []
        while let line = try source.next() {
            switch line {
            case .bad(_, let place, let error): throw StageError.failed("\(place): \(error)")
            case .record(let record):
                do {
                    try record.record.checkVersion()
                    items.append(try convert(record))
                } catch  where !(error is StageError) {
                    throw StageError.failed("\(record.place): \(error)")
                }
            }
        }
        return (items, artefact.digest)
    }
}
