import Files
import Foundation
import RunLedger
import Synchronization

/// One run of a program: its row in the ledger, its lock, its counts and its voice.
package final class StageRun: Sendable {
    package let stage: String
    package let console: Console
    package let isDryRun: Bool
    /// Every option with its value, defaults included.
    package let settings: [Setting]
    let immaterial: Set<String>

    private struct State {
        var counts = RecordCounts()
        var droppedByRule: [String: Int] = [:]
        var pictures = (with: 0, of: 0)
        var core: String?
        var memoryLimit: Int?
        /// Digests of models, prompts and pools, by role.
        var ingredients: [String: String] = [:]
        /// Digests of all other inputs, in the order in which they were noted.
        var inputs: [(path: String, digest: String)] = []
        /// Folders of the models that were opened.
        var models: [String] = []
        var interruption: (@Sendable () -> Void)?
        /// Whether the end has been claimed, by the work or by a signal; only one may write it.
        var isEnding = false
    }

    private let state = Mutex(State())
    /// nil where no ledger is kept.
    private let row: LedgerRow?
    private let lock: RunLock?
    private let began = ContinuousClock.now

    /// The options that all stages share and that change no byte of the result.
    static let sharedImmaterial: Set<String> = [
        "config", "print-config", "dry-run", "quiet", "ledger", "no-ledger", "run", "resume", "threads",
        "output", "input", "files", "skip-bad", "feature-cache", "feature-cache-size",
    ]

    init(
        stage: String, options: RunOptions, console: Console, settings: [Setting],
        arguments: [String], immaterial: Set<String>
    ) throws {
        self.stage = stage
        self.console = console
        self.settings = settings
        self.immaterial = immaterial.union(Self.sharedImmaterial)
        isDryRun = options.dryRun
        let environment = ProcessInfo.processInfo.environment
        let outerRun = environment[Self.runVariable]
        // Under "ledger run NAME" the lock is held for us, and by us for each other.
        lock =
            if let name = options.run, name != outerRun, !options.dryRun {
                try RunLock.acquire(run: name)
            } else { nil }
        let start = RunStart(
            stage: stage, runName: options.run ?? outerRun, arguments: arguments,
            settings: settings.map(Secrets.masking), version: sightlineVersionAndRevision,
            core: nil)
        row = try options.dryRun ? nil : Self.row(start, options, environment, settings, console)
    }

    /// Set by `ledger run NAME`: the run that a stage belongs to and whose lock is held.
    package static let runVariable = "SIGHTLINE_RUN"

    /// Where the ledger lies: `--ledger`, else `$SIGHTLINE_LEDGER`, else under `runs/`, else nowhere.
    package static func ledgerPath(_ option: String?, _ environment: [String: String]) -> String? {
        if let option { return option }
        if let path = environment["SIGHTLINE_LEDGER"], !path.isEmpty { return path }
        var isFolder: ObjCBool = false
        let stands = FileManager.default.fileExists(atPath: "runs", isDirectory: &isFolder)
        return stands && isFolder.boolValue ? "runs/ledger.sqlite" : nil
    }

    /// Begins the row of this run, after what waits for the ledger in folders that the run has to do with.
    private static func row(
        _ start: RunStart, _ options: RunOptions, _ environment: [String: String], _ settings: [Setting],
        _ console: Console
    ) throws -> LedgerRow? {
        guard !options.noLedger, let path = ledgerPath(options.ledger, environment) else { return nil }
        let ledger = try Ledger(path: path, access: .write) { Signals.hasArrived }
        let places = settings.flatMap(\.words) + [path]
        try WaitingRows.bringIn(to: ledger, beside: places, console)
        let output = settings.last { $0.key == "output" }?.text
        return try LedgerRow(ledger, start, output: output, console: console)
    }

    // MARK: - What the stage tells

    /// The processor core that the matrix library chose; a run is resumed only under the same.
    package func setCore(_ core: String) {
        state.withLock { $0.core = core }
        row?.add(.core(core))
    }

    /// Bytes that the stage may take in all, where it has `--memory`.
    package var memoryLimit: Int? {
        get { state.withLock { $0.memoryLimit } }
        set { state.withLock { $0.memoryLimit = newValue } }
    }

    /// Notes a model as input.
    /// - Parameter role: what it is for: `policy`, `relevance`, ….
    /// - Returns: its digest, which names it from then on.
    @discardableResult
    package func addModel(_ path: String, role: String) throws -> String {
        let artefact = try Digest.artefact(path, kind: .model)
        addIngredient(artefact, role: role)
        state.withLock { $0.models.append(path) }
        return artefact.digest
    }

    /// Refuses to write over a model that this run reads.
    /// - Parameters:
    ///   - output: a folder that will be replaced.
    ///   - others: models that aren't open yet.
    /// - Throws: `StageError.usage`.
    package func checkThatNoModelIs(in output: String, others: [String] = []) throws {
        let target = OutputPlace.real(output)
        for model in state.withLock({ $0.models }) + others {
            let read = OutputPlace.real(model)
            if read == target || read.hasPrefix(target + "/") {
                throw StageError.usage(
                    "-o \(output): it would replace the model \(model), which is read; choose another folder")
            }
        }
    }

    /// Notes as input what beside records and options decides the result.
    func addIngredient(_ artefact: Artefact, role: String) {
        state.withLock { $0.ingredients[role] = artefact.digest }
        row?.add(.input(artefact, role: role))
    }

    package func addInput(_ artefact: Artefact, role: String = "input") {
        state.withLock { $0.inputs.append((artefact.path, artefact.digest)) }
        row?.add(.input(artefact, role: role))
    }

    /// Notes a finished file or folder as output.
    package func addOutput(_ path: String, kind: Artefact.Kind, role: String = "output") throws {
        guard row != nil else { return }
        addOutput(try Digest.artefact(path, kind: kind), role: role)
    }

    package func addOutput(_ artefact: Artefact, role: String = "output") {
        row?.add(.output(artefact, role: role))
    }

    package func addMetrics(_ metrics: [Metric]) { row?.add(.metrics(metrics)) }

    package func addMetric(_ name: String, _ value: Double, step: Int? = nil) {
        addMetrics([Metric(name: name, value: value, step: step)])
    }

    /// Counts for the ledger and the summary; for programs that don't use `transform`.
    package func count(read: Int = 0, written: Int = 0, skipped: Int = 0, dropped: [String: Int] = [:]) {
        state.withLock { state in
            state.counts.read += read
            state.counts.written += written
            state.counts.skipped += skipped
            for (rule, number) in dropped {
                state.counts.dropped += number
                state.droppedByRule[rule, default: 0] += number
            }
        }
    }

    /// Notes how many of so many records have a picture.
    package func countPictures(_ with: Int, of records: Int) {
        state.withLock { $0.pictures = ($0.pictures.with + with, $0.pictures.of + records) }
    }

    /// Says how many records had a picture; under `--quiet` too where none had, since that is mostly a mistake.
    package func sayPictures() {
        let (with, all) = state.withLock { $0.pictures }
        let text = "\(with) of \(all) records have a picture"
        if with > 0 { console.say(text) } else if all > 0 { console.warn(text) }
    }

    package var counts: RecordCounts { state.withLock { $0.counts } }
    package var core: String? { state.withLock { $0.core } }
    /// Digests of what beside options and records decides the result, by role: models, prompts, pools.
    var ingredients: [String: String] { state.withLock { $0.ingredients } }
    var inputs: [(path: String, digest: String)] { state.withLock { $0.inputs } }

    /// What to do on SIGINT, SIGTERM or SIGHUP before the program leaves, on a thread of its own:
    /// bring finished work to its file, nothing longer. nil takes it back.
    package func onInterruption(_ body: (@Sendable () -> Void)?) { state.withLock { $0.interruption = body } }

    package func progress(total: Int?, unit: String = "records", resumed: Int = 0) -> Progress {
        Progress(console: console, total: total, unit: unit, resumed: resumed)
    }

    // MARK: - From beginning to end

    /// Runs `body`, writes the end into the ledger and says the summary.
    /// - Returns: the exit code of success, 0 or 2.
    func execute(_ body: () throws -> Void) throws -> Int32 {
        Signals.onSignal { [self] number in leave(on: number) }
        let result = Result { try body() }
        // A signal may have woken the work from a sleep and have ended it too early.
        guard !Signals.hasArrived, claimEnd() else { waitForTheEnd() }
        do {
            try result.get()
        } catch let error as StageError where error.code == .closedPipe {
            finish(.done, 0, "the reader of the output closed the pipe")
            return 0
        } catch {
            let code = (error as? StageError)?.code ?? .failed
            console.showBar("")
            finish(.failed, code.rawValue, "\(error)")
            throw error
        }
        let skipped = counts.skipped > 0
        let code: StageError.Code? = skipped ? .doneWithSkipped : nil
        if !isDryRun { say(summary()) }
        // Who has it opens pictures.
        if settings.contains(where: { $0.key == "image-root" }) { sayPictures() }
        finish(skipped ? .skipped : .done, code?.rawValue ?? 0, nil)
        return code?.rawValue ?? 0
    }

    private func say(_ text: String?) { if let text { console.say(text) } }

    /// "120 records in, 118 out, 2 skipped; dropped 3: identical answers 2, no tree 1; 0:12"
    private func summary() -> String? {
        let (counts, rules) = state.withLock { ($0.counts, $0.droppedByRule) }
        guard counts != RecordCounts() else { return nil }
        var text = "\(counts.read) records in, \(counts.written) out"
        if counts.skipped > 0 { text += ", \(counts.skipped) bad skipped" }
        if counts.dropped > 0 {
            let list = rules.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
                "\($0.key) \($0.value)"
            }
            text += "; dropped \(counts.dropped): \(list.joined(separator: ", "))"
        }
        return text + "; \(Progress.clock((ContinuousClock.now - began).inSeconds))"
    }

    /// - Returns: whether the caller is the first and may end the run.
    private func claimEnd() -> Bool {
        state.withLock { state in
            defer { state.isEnding = true }
            return !state.isEnding
        }
    }

    private func finish(_ outcome: Outcome, _ code: Int32, _ message: String?) {
        // An error may quote an option.
        let message = message.map { text in
            Secrets.values(settings).reduce(text) { $0.replacing($1, with: Secrets.mask) }
        }
        row?.end(
            RunEnd(
                outcome: outcome, exitCode: code, message: message, counts: counts,
                seconds: (ContinuousClock.now - began).inSeconds, peakMemoryKB: Self.peakMemoryKB))
    }

    /// Runs on the thread of the signals while the work goes on elsewhere; ends the process.
    private func leave(on number: Int32) {
        // The work has ended and is telling so; that ends the process, or the patience with signals does.
        guard claimEnd() else { return }
        state.withLock { $0.interruption }?()
        console.showBar("")
        let name = [SIGINT: "SIGINT", SIGTERM: "SIGTERM", SIGHUP: "SIGHUP"][number] ?? "signal \(number)"
        console.warn("stopped by \(name)")
        finish(.killed, 128 + number, "stopped by \(name)")
        _exit(128 + number)
    }

    private static var peakMemoryKB: Int {
        var usage = rusage()
        return getrusage(__rusage_who_t(RUSAGE_SELF.rawValue), &usage) == 0 ? Int(usage.ru_maxrss) : 0
    }
}
