import Foundation
import GRDB
import JSON

/// The SQLite file that knows what was run, on what, with which model, and what came out.
///
/// Every method throws `LedgerError`, whose text says what to do.
package final class Ledger: Sendable {
    package enum Access: Sendable { case read, write }

    static let busySeconds = 10
    /// Bytes up to which a ledger is read as a whole before it is used. A larger one would keep every stage waiting
    /// (half a second at 100,000 runs), and its damage is met where it is read.
    private static let largestChecked = 4 << 20

    package let path: String
    let queue: DatabaseQueue
    /// Of the file that was opened.
    private let inode: UInt64?

    /// Opens the ledger; for writing it is made where it isn't, brought to the newest schema,
    /// and runs whose process has died are marked as killed.
    /// - Parameter isHurried: asked while another program holds the ledger; true ends the wait for it.
    package init(
        path: String, access: Access, busySeconds: Int = Ledger.busySeconds,
        isHurried: @escaping @Sendable () -> Bool = { false }
    ) throws {
        self.path = path
        let patience = Patience(seconds: busySeconds, isHurried: isHurried)
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: path)
        guard FileManager.default.fileExists(atPath: folder, isDirectory: &isFolder), isFolder.boolValue,
            exists || access == .write
        else { throw LedgerError.noFolder(path: path) }
        // Two stages of a pipe that meet a ledger not made yet would both make it, or find it half made.
        let isWhole = access == .read || Self.isWhole(path)
        let making = isWhole ? nil : MakingLock(path, patience)
        defer { making?.release() }
        queue = try LedgerError.translating(path) {
            // Looked at before anything is written: another program's database stays as it is.
            if exists { try Self.check(try Self.connect(path, readOnly: true, patience), path: path) }
            if access == .read { return try Self.connect(path, readOnly: true, patience) }
            // SQLite would open a file that may not be written for reading, without a word.
            if exists, !FileManager.default.isWritableFile(atPath: path) {
                throw LedgerError.readOnly(path: path)
            }
            let queue = try Self.connect(path, readOnly: false, patience)
            try Schema.migrator.migrate(queue)
            try queue.writeWithoutTransaction { try $0.execute(sql: Schema.laterIndexes) }
            return queue
        }
        inode = Self.inode(path)
        if access == .write { try markKilledRuns() }
    }

    private static func inode(_ path: String) -> UInt64? {
        (try? FileManager.default.attributesOfItem(atPath: path)[.systemFileNumber] as? NSNumber)?.uint64Value
    }

    /// Whether the file that was opened is no longer at its path; SQLite writes on into a deleted one.
    package var isGone: Bool { inode != Self.inode(path) }

    private static func connect(_ path: String, readOnly: Bool, _ patience: Patience) throws -> DatabaseQueue
    {
        var configuration = Configuration()
        configuration.busyMode = .callback { patience.waits(afterTries: $0) }
        configuration.readonly = readOnly
        if !readOnly {
            configuration.journalMode = .wal
            // With a write-ahead log this loses no consistency, at worst the last rows in a power cut.
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = NORMAL") }
        }
        return try DatabaseQueue(path: path, configuration: configuration)
    }

    /// Whether the ledger stands and has its newest schema; false too where that can't be seen at once.
    private static func isWhole(_ path: String) -> Bool {
        guard FileManager.default.fileExists(atPath: path),
            let queue = try? connect(path, readOnly: true, Patience(seconds: 0) { false })
        else { return false }
        let isWhole = try? queue.read { db in
            try Int32.fetchOne(db, sql: "PRAGMA application_id") == Schema.applicationID
                && Schema.migrator.hasCompletedMigrations(db)
        }
        return isWhole ?? false
    }

    private static func check(_ queue: DatabaseQueue, path: String) throws {
        try queue.read { db in
            let id = try Int32.fetchOne(db, sql: "PRAGMA application_id") ?? 0
            let tables = try Int.fetchOne(db, sql: "SELECT count(*) FROM sqlite_master") ?? 0
            guard id == Schema.applicationID || (id == 0 && tables == 0) else {
                throw LedgerError.foreignDatabase(path: path)
            }
            let bytes = try Int.fetchOne(
                db, sql: "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
            if bytes ?? 0 <= Self.largestChecked {
                let verdict = try String.fetchOne(db, sql: "PRAGMA quick_check(1)") ?? "no answer"
                guard verdict == "ok" else { throw LedgerError.damaged(path: path, detail: verdict) }
            }
            if try Schema.migrator.hasBeenSuperseded(db) { throw LedgerError.newerSchema(path: path) }
        }
    }

    func read<T>(_ body: (Database) throws -> T) throws -> T {
        try LedgerError.translating(path) { try queue.read(body) }
    }

    private func write<T>(_ body: (Database) throws -> T) throws -> T {
        try LedgerError.translating(path) { try queue.write(body) }
    }

    // MARK: - Writing

    /// - Returns: the id of the new row, whose outcome is `running`.
    package func begin(_ run: RunStart) throws -> Int64 {
        try write { db in
            var settings = JSONObject()
            for (key, value) in run.settings { settings.set(key, .string(value)) }
            try db.execute(
                sql: """
                    INSERT INTO runs (stage, run_name, arguments, settings, pid, boot, process_start, host,
                      version, core, started)
                    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                    """,
                arguments: [
                    run.stage, run.runName, JSON.strings(run.arguments).text, settings.text,
                    run.process.pid, run.process.boot, run.process.start, run.process.host, run.version,
                    run.core, Date(),
                ])
            return db.lastInsertedRowID
        }
    }

    package func finish(_ id: Int64, _ end: RunEnd) throws { try add(.end(end, Date()), to: id) }

    package func setCore(_ id: Int64, _ core: String) throws { try add(.core(core), to: id) }

    package func addInput(_ id: Int64, _ artefact: Artefact, role: String = "input") throws {
        try add(.input(artefact, role: role), to: id)
    }

    package func addOutput(_ id: Int64, _ artefact: Artefact, role: String = "output") throws {
        try add(.output(artefact, role: role), to: id)
    }

    /// Stores metrics; one of the same name and step takes the place of the earlier.
    package func addMetrics(_ id: Int64, _ metrics: [Metric]) throws { try add(.metrics(metrics), to: id) }

    /// Adds to the row of a run. To add the same again changes nothing.
    package func add(_ note: RunNote, to id: Int64?) throws {
        try write { db in
            switch note {
            case .core(let core):
                try db.execute(sql: "UPDATE runs SET core = ? WHERE id = ?", arguments: [core, id])
            case .input(let artefact, let role): try Self.link("run_inputs", id, artefact, role, db)
            case .output(let artefact, let role): try Self.link("run_outputs", id, artefact, role, db)
            case .metrics(let metrics):
                for metric in metrics {
                    try db.execute(
                        sql: "INSERT OR REPLACE INTO metrics (run_id, name, value, step) VALUES (?, ?, ?, ?)",
                        arguments: [id, metric.name, metric.value, metric.step])
                }
            case .end(let end, let finished): try Self.finish(id, end, finished, db)
            case .round(let round): try Self.set(round, db)
            }
        }
    }

    private static func finish(_ id: Int64?, _ end: RunEnd, _ finished: Date, _ db: Database) throws {
        try db.execute(
            sql: """
                UPDATE runs SET outcome = ?, exit_code = ?, message = ?, records_in = ?, records_out = ?,
                  dropped = ?, skipped = ?, seconds = ?, peak_memory_kb = ?, finished = ?
                WHERE id = ? AND outcome = 'running'
                """,
            arguments: [
                end.outcome.rawValue, end.exitCode, end.message, end.counts.read, end.counts.written,
                end.counts.dropped, end.counts.skipped, end.seconds, end.peakMemoryKB, finished, id,
            ])
    }

    private static func link(
        _ table: String, _ id: Int64?, _ artefact: Artefact, _ role: String, _ db: Database
    ) throws {
        try db.execute(
            sql: """
                INSERT INTO artefacts (path, digest, bytes, kind) VALUES (?, ?, ?, ?)
                ON CONFLICT (digest, path) DO UPDATE SET kind = excluded.kind
                """,
            arguments: [artefact.path, artefact.digest, artefact.bytes, artefact.kind.rawValue])
        try db.execute(
            sql: """
                INSERT OR IGNORE INTO \(table) (run_id, artefact_id, role)
                SELECT ?, id, ? FROM artefacts WHERE digest = ? AND path = ?
                """,
            arguments: [id, role, artefact.digest, artefact.path])
    }

    /// Brings in what could not be told to the ledger at its time. The run may have been marked as killed since.
    /// - Parameter id: nil for notes that are of no run.
    /// - Returns: false where the ledger has no such run.
    package func bringIn(_ notes: [RunNote], of id: Int64?, by process: ProcessIdentity) throws -> Bool {
        if let id {
            let same = "id = ? AND pid = ? AND process_start = ? AND host = ?"
            let isKnown = try write { db in
                let arguments: StatementArguments = [id, process.pid, process.start, process.host]
                try db.execute(
                    sql: """
                        UPDATE runs SET outcome = 'running', message = NULL
                        WHERE \(same) AND outcome = 'killed' AND finished IS NULL
                        """, arguments: arguments)
                return try Int.fetchOne(db, sql: "SELECT 1 FROM runs WHERE \(same)", arguments: arguments)
                    != nil
            }
            guard isKnown else { return false }
        }
        for note in notes {
            // What the schema refuses it would refuse for ever, and keep the rest from coming in.
            do { try add(note, to: id) } catch LedgerError.refused { continue }
        }
        return true
    }

    /// Stores the model of a round; the same round again takes its place.
    package func setRound(_ round: Round) throws { try add(.round(round), to: nil) }

    private static func set(_ round: Round, _ db: Database) throws {
        try db.execute(
            sql: """
                INSERT OR REPLACE INTO rounds (run_name, k, model_digest, model_path, recorded)
                VALUES (?, ?, ?, ?, ?)
                """,
            arguments: [round.runName, round.k, round.modelDigest, round.modelPath, round.recorded])
    }

    /// Marks the runs of dead processes; `finished` stays empty, for nobody saw them end.
    @discardableResult
    package func markKilledRuns() throws -> Int {
        try write { db in
            let running = try Row.fetchAll(db, sql: "SELECT * FROM runs WHERE outcome = 'running'")
                .map(Run.init).filter { !$0.process.mayBeAlive }
            for run in running {
                try db.execute(
                    sql:
                        "UPDATE runs SET outcome = 'killed', message = ? WHERE id = ? AND outcome = 'running'",
                    arguments: ["process \(run.process.pid) ended without a word", run.id])
            }
            return running.count
        }
    }
}

/// How long to wait for who holds the ledger.
private struct Patience: Sendable {
    let seconds: Int
    let isHurried: @Sendable () -> Bool

    private static let pause = 20_000

    /// Waits a moment.
    /// - Returns: false where it has waited long enough.
    func waits(afterTries count: Int) -> Bool {
        guard !isHurried(), count * Self.pause < seconds * 1_000_000 else { return false }
        usleep(UInt32(Self.pause))
        return true
    }
}

/// Held by who makes the ledger, until it is whole; the kernel lets go of it with the process.
///
/// Who holds it longer than making takes is somebody else, who may even wait for this program to end
/// (`flock runs/ledger.sqlite sightline …`), so it is then gone without, as where no lock can be had (some network
/// file systems): SQLite's own locks remain.
private struct MakingLock {
    private let descriptor: Int32

    init(_ ledger: String, _ patience: Patience) {
        descriptor = open(ledger, O_RDWR | O_CREAT | O_CLOEXEC, 0o666)
        var tries = 0
        while descriptor >= 0, flock(descriptor, LOCK_EX | LOCK_NB) != 0, errno == EWOULDBLOCK,
            patience.waits(afterTries: tries)
        {
            tries += 1
        }
    }

    func release() { if descriptor >= 0 { close(descriptor) } }
}
