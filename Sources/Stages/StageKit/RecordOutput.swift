import Foundation
import Records
import Synchronization

/// What a stage made of one record.
package struct RecordResult: Sendable {
    package var records: [Record]
    /// What a rule left out by design, and how often.
    package var dropped: [String: Int]
    package var error: (any Error)?

    package static func records(_ records: [Record], dropped: [String: Int] = [:]) -> RecordResult {
        RecordResult(records: records, dropped: dropped, error: nil)
    }

    package static func record(_ record: Record) -> RecordResult { records([record]) }

    /// Nothing comes out, and `rule` says why ("identical answers").
    package static func dropped(_ rule: String) -> RecordResult { records([], dropped: [rule: 1]) }

    /// The record can't be used; the stage stops, or goes on under `--skip-bad`.
    package static func bad(_ error: any Error) -> RecordResult {
        RecordResult(records: [], dropped: [:], error: error)
    }
}

/// Takes results in any order and writes them in the order of the input, whole lines at a time.
final class RecordOutput: Sendable {
    private enum Target: Sendable {
        case stream(ByteSink)
        case part(PartFile)
    }

    private struct State: Sendable {
        var target: Target
        /// Lines given out and not yet written, first line first.
        var order: [(number: Int, place: String)] = []
        var head = 0
        var results: [Int: RecordResult] = [:]
        var buffer: [UInt8] = []
        var progress: PartFile.Checkpoint
        var failure: StageError?
        var lastFlush = ContinuousClock.now
        /// A signal has written what there was; the process is about to end.
        var isLeft = false
        var digest = StreamingDigest()
    }

    private let state: Mutex<State>
    private let form: OutputForm
    private let skipAllowance: Int
    private let console: Console

    init(stream: ByteSink, _ form: OutputForm, skipAllowance: Int, console: Console) {
        state = Mutex(State(target: .stream(stream), progress: .init()))
        self.form = form
        self.skipAllowance = skipAllowance
        self.console = console
    }

    init(part: PartFile, _ form: OutputForm, skipAllowance: Int, console: Console) {
        state = Mutex(State(target: .part(part), progress: part.checkpoint))
        self.form = form
        self.skipAllowance = skipAllowance
        self.console = console
    }

    /// Says that a line has been read; results are written in the order of these calls.
    func expect(number: Int, place: String) { state.withLock { $0.order.append((number, place)) } }

    func finish(number: Int, _ result: RecordResult) {
        state.withLock { state in
            state.results[number] = result
            settle(&state)
        }
    }

    /// Whether a bad record has used up the allowance; nothing after it will be written.
    var hasFailed: Bool { state.withLock { $0.failure != nil } }

    var progress: PartFile.Checkpoint { state.withLock { $0.progress } }

    /// Moves what is complete, from the head of the order, into the buffer.
    private func settle(_ state: inout State) {
        while state.failure == nil, state.head < state.order.count,
            let result = state.results.removeValue(forKey: state.order[state.head].number)
        {
            let (number, place) = state.order[state.head]
            if let error = result.error {
                guard state.progress.skipped < skipAllowance else {
                    state.failure = .failed("\(place): \(error)")
                    return
                }
                state.progress.skipped += 1
                console.warn("\(place): \(error) (skipped, \(state.progress.skipped) of \(skipAllowance))")
            }
            for record in result.records {
                state.buffer += form.opening(after: state.progress.written).utf8
                state.buffer += record.bytes
                state.buffer += form.ending.utf8
                state.progress.written += 1
            }
            for (rule, count) in result.dropped { state.progress.dropped[rule, default: 0] += count }
            state.progress.read += 1
            state.progress.line = number
            state.head += 1
        }
        if state.head > 1024 {
            state.order.removeFirst(state.head)
            state.head = 0
        }
    }

    /// Writes what is complete: a stream at once, a part at most five times a second, so that
    /// checkpoints cost a fast stage nothing.
    func flush(force: Bool = false) throws {
        try state.withLock { state in
            if state.isLeft { waitForTheEnd() }
            let now = ContinuousClock.now
            switch state.target {
            case .stream(let sink):
                // Taken out first: what a failed write left half written must not be written again.
                let bytes = state.buffer
                state.buffer = []
                try sink.write(bytes)
                state.digest.update(bytes)
            case .part(var part):
                guard force || now - state.lastFlush > .milliseconds(200) || state.buffer.count > 1 << 20
                else {
                    return
                }
                guard state.progress.line > part.checkpoint.line else { return }
                defer { state.target = .part(part) }
                try part.append(state.buffer, state.progress)
            }
            state.buffer.removeAll(keepingCapacity: true)
            state.lastFlush = now
        }
    }

    /// For the thread of a signal: the last that is written. Writes what is complete if the output is free within a second.
    func flushBeforeLeaving() {
        for _ in 0..<100 {
            let isDone: Void? = state.withLockIfAvailable { state in
                state.isLeft = true
                guard case .part(var part) = state.target, state.progress.line > part.checkpoint.line else {
                    return
                }
                // The part without this is shorter, and as good to go on from.
                try? part.append(state.buffer, state.progress)
                state.target = .part(part)
                state.buffer = []
            }
            if isDone != nil { return }
            usleep(10_000)
        }
    }

    /// Writes the rest; then names the part, or throws what stopped the run.
    /// - Returns: digest and length of the whole output.
    func close() throws -> (digest: String, bytes: Int) {
        try flush(force: true)
        return try state.withLock { state in
            if state.isLeft { waitForTheEnd() }
            if let failure = state.failure { throw failure }
            let closing = Array(form.closing(after: state.progress.written).utf8)
            switch state.target {
            case .stream(let sink):
                try sink.write(closing)
                state.digest.update(closing)
                return (state.digest.hex, state.digest.byteCount)
            case .part(var part):
                try part.publish(closing: closing)
                return (part.digest.hex, part.digest.byteCount)
            }
        }
    }
}
