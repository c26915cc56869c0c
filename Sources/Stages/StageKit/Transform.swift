import Files
import Foundation
import Records
import RunLedger

/// A stage's records as it takes them, and the place for what it makes of them.
package final class RecordStream {
    private let source: RecordSource
    private let output: RecordOutput
    private let progress: Progress
    private let skipAllowance: Int
    private var badLines = 0
    private var isOver = false
    fileprivate var hasRead = false

    fileprivate init(source: RecordSource, output: RecordOutput, progress: Progress, skipAllowance: Int) {
        self.source = source
        self.output = output
        self.progress = progress
        self.skipAllowance = skipAllowance
    }

    /// The next record; nil at the end, or where a bad one stops the run. Bad lines are dealt with here.
    package func next() throws -> InputRecord? {
        while !isOver, !output.hasFailed {
            guard let line = try source.next() else { break }
            hasRead = true
            switch line {
            case .record(let record):
                output.expect(number: record.number, place: record.place)
                return record
            case .bad(let number, let place, let error):
                output.expect(number: number, place: place)
                output.finish(number: number, .bad(error))
                badLines += 1
                // No use in working on what follows a line that will stop the run.
                isOver = badLines > skipAllowance
                progress.advance()
            }
        }
        isOver = true
        return nil
    }

    /// Up to `count` records.
    package func next(_ count: Int) throws -> [InputRecord] {
        var batch: [InputRecord] = []
        while batch.count < count, let record = try next() { batch.append(record) }
        return batch
    }

    /// Hands in what became of a record, in any order; output keeps the order of the input.
    package func finish(_ record: InputRecord, _ result: RecordResult, detail: String? = nil) throws {
        output.finish(number: record.number, result)
        try output.flush()
        progress.advance(detail: detail)
    }
}

extension StageRun {
    /// Turns records into records, a batch at a time.
    ///
    /// Results don't depend on how records fall into batches, so `count` may change on resuming.
    /// `body` gives a result per record, in their order. An error that is no `StageError` is the fault
    /// of a record: the batch is given again record by record, and the one that throws is bad.
    /// - Parameter check: run on every record in a dry run.
    package func transform(
        _ options: StageOptions, from input: InputForm = .records, to output: OutputForm = .lines,
        batch count: Int, check: (InputRecord) throws -> Void = { _ in },
        _ body: ([InputRecord]) throws -> [RecordResult]
    ) throws {
        try stream(options, from: input, to: output, check: check) { stream in
            while case let batch = try stream.next(max(1, count)), !batch.isEmpty {
                let results = try Self.results(of: batch, body)
                for (record, result) in zip(batch, results) { try stream.finish(record, result) }
            }
        }
    }

    private static func results(
        of batch: [InputRecord], _ body: ([InputRecord]) throws -> [RecordResult]
    ) throws -> [RecordResult] {
        let results: [RecordResult]
        do { results = try body(batch) } catch  where !(error is StageError) {
            if batch.count == 1 { return [.bad(error)] }
            return try batch.flatMap { try Self.results(of: [$0], body) }
        }
        guard results.count == batch.count else {
            throw StageError.failed(
                "\(batch[0].place): \(results.count) results for \(batch.count) records; report this")
        }
        return results
    }

    /// Turns records into records, one at a time; what `body` throws makes the record a bad one,
    /// unless it is a `StageError`.
    package func transform(
        _ options: StageOptions, _ body: (InputRecord) throws -> RecordResult
    ) throws {
        try transform(options, batch: 1) { [try body($0[0])] }
    }

    /// Gives `body` the stream of records, for stages that finish them out of order.
    /// `body` takes records until there are none and finishes each.
    package func stream(
        _ options: StageOptions, from input: InputForm = .records, to form: OutputForm = .lines,
        check: (InputRecord) throws -> Void = { _ in }, _ body: (RecordStream) throws -> Void
    ) throws {
        let inputs = try scanInputs(options.input)
        if isDryRun { return try rehearse(options, input, check) }
        let (output, resumed) = try openOutput(options, form, inputs)
        let source = RecordSource(options.input, input, after: resumed.line)
        // An array says only at its end how many rows it has.
        let total = input == .rows ? nil : total(options.input, inputs)
        let progress = progress(total: total, resumed: resumed.read)
        let stream = RecordStream(
            source: source, output: output, progress: progress, skipAllowance: options.input.skipBad)
        if resumed.line > 0 { console.say("continuing after \(resumed.read) records") }
        let note = { @Sendable [self] in
            let end = output.progress
            count(read: end.read, written: end.written, skipped: end.skipped, dropped: end.dropped)
        }
        onInterruption {
            output.flushBeforeLeaving()
            note()
        }
        defer {
            onInterruption(nil)
            progress.finish()
            note()
        }
        do { try body(stream) } catch {
            if (error as? StageError)?.code == .closedPipe { throw error }
            // What was finished before the fault stays, for --resume.
            do { try output.flush(force: true) } catch let second where "\(second)" != "\(error)" {
                console.warn("\(second)")
            }
            throw error
        }
        let written = try output.close()
        if !stream.hasRead, resumed.line == 0 {
            console.say("the input holds no records; the output is empty")
        }
        noteInputs(source, except: inputs.map(\.path))
        addOutput(
            Artefact(
                path: options.output ?? "-", digest: written.digest, bytes: written.bytes, kind: .records))
    }

    /// Reads every record as a run would and says what would be done.
    private func rehearse(
        _ options: StageOptions, _ form: InputForm, _ check: (InputRecord) throws -> Void
    ) throws {
        let source = RecordSource(options.input, form)
        let good = try readEach(source, skipping: options.input.skipBad) { try check($0) }.count
        countPictures(source.pictures.with, of: source.pictures.of)
        console.say("dry run: \(good) records would go to \(options.output ?? "standard output")")
    }

    /// Digests and lengths of the input files, noted in the ledger; one that isn't there stops the
    /// run here. Streams (standard input, named pipes) can't be read beforehand.
    private func scanInputs(_ options: InputOptions) throws -> [(path: String, file: Digest.File)] {
        let files = try options.paths.filter { !Self.isStream($0) }.map { path in
            (path: path, file: try Digest.ofFile(path))
        }
        for (path, file) in files {
            addInput(Artefact(path: path, digest: file.digest, bytes: file.bytes, kind: .records))
        }
        if options.paths.isEmpty, isatty(0) == 1 { console.say("reading records from the terminal") }
        return files
    }

    private func openOutput(
        _ options: StageOptions, _ form: OutputForm, _ inputs: [(path: String, file: Digest.File)]
    ) throws -> (RecordOutput, PartFile.Checkpoint) {
        let allowance = options.input.skipBad
        guard let path = options.output, path != "-" else {
            return (
                RecordOutput(stream: .standardOutput, form, skipAllowance: allowance, console: console),
                .init()
            )
        }
        let target: String
        switch try OutputPlace(path) {
        case .file(let file): target = file
        // Devices and named pipes have no part: nothing could be renamed in their place.
        case .stream(let stream):
            if options.resume { throw StageError.usage("--resume: \(path) is not a regular file; name one") }
            let sink = ByteSink(path: path, descriptor: try OutputPlace.open(stream: stream), isOwned: true)
            return (RecordOutput(stream: sink, form, skipAllowance: allowance, console: console), .init())
        }
        if options.resume, inputs.isEmpty || inputs.count < options.input.paths.count {
            throw StageError.usage("--resume: a stream can't be read again; name files as input")
        }
        let identity = Identity.of(self, inputs: inputs.map { ($0.path, $0.file.digest) })
        let part = try PartFile(path: target, identity: identity, resume: options.resume) { console.say($0) }
        let checkpoint = part.checkpoint
        return (RecordOutput(part: part, form, skipAllowance: allowance, console: console), checkpoint)
    }

    /// How many records there will be, where every input is a file; empty lines count along.
    private func total(_ options: InputOptions, _ inputs: [(path: String, file: Digest.File)]) -> Int? {
        guard !inputs.isEmpty, inputs.count == options.paths.count else { return nil }
        let lines = min(inputs.reduce(0) { $0 + $1.file.lines }, options.limit ?? .max)
        guard let shard = options.shard else { return lines }
        return lines / shard.n + (lines % shard.n >= shard.k ? 1 : 0)
    }

    /// Standard input, a named pipe or a device.
    static func isStream(_ path: String) -> Bool {
        var status = stat()
        if path == "-" { return true }
        guard stat(path, &status) == 0 else { return false }
        return ![S_IFREG, S_IFDIR].contains(status.st_mode & S_IFMT)
    }
}
