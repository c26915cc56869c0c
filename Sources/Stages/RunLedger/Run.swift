import Foundation
import GRDB

/// What a run began with.
package struct RunStart: Sendable {
    package var stage: String
    /// The name under `runs/` that the run belongs to.
    package var runName: String?
    /// The command line, secrets masked.
    package var arguments: [String]
    /// Every option with its value, defaults and configuration included, secrets masked.
    package var settings: [(key: String, value: String)]
    package var process: ProcessIdentity
    package var version: String
    /// The processor core that the matrix library chose.
    package var core: String?

    package init(
        stage: String, runName: String?, arguments: [String], settings: [(key: String, value: String)],
        process: ProcessIdentity = .current, version: String, core: String?
    ) {
        self.stage = stage
        self.runName = runName
        self.arguments = arguments
        self.settings = settings
        self.process = process
        self.version = version
        self.core = core
    }
}

/// How a run stands.
package enum Outcome: String, Sendable, CaseIterable, Codable {
    case running, done, failed, killed
    /// Done, with bad records left out.
    case skipped
}

package struct RecordCounts: Sendable, Equatable, Codable {
    package var read = 0
    package var written = 0
    package var dropped = 0
    package var skipped = 0

    package init(read: Int = 0, written: Int = 0, dropped: Int = 0, skipped: Int = 0) {
        self.read = read
        self.written = written
        self.dropped = dropped
        self.skipped = skipped
    }
}

/// How a run ended.
package struct RunEnd: Sendable, Codable {
    package var outcome: Outcome
    package var exitCode: Int32
    package var message: String?
    package var counts: RecordCounts
    package var seconds: Double
    package var peakMemoryKB: Int

    package init(
        outcome: Outcome, exitCode: Int32, message: String?, counts: RecordCounts, seconds: Double,
        peakMemoryKB: Int
    ) {
        self.outcome = outcome
        self.exitCode = exitCode
        self.message = message
        self.counts = counts
        self.seconds = seconds
        self.peakMemoryKB = peakMemoryKB
    }
}

/// A file, folder or stream by its content.
package struct Artefact: Sendable, Equatable, Codable {
    package enum Kind: String, Sendable, CaseIterable, Codable { case records, model, file }

    /// `-` for a stream.
    package var path: String
    /// SHA-256 in hexadecimal.
    package var digest: String
    package var bytes: Int
    package var kind: Kind

    package init(path: String, digest: String, bytes: Int, kind: Kind) {
        self.path = path
        self.digest = digest
        self.bytes = bytes
        self.kind = kind
    }

    init(_ row: Row) throws {
        path = row["path"]
        digest = row["digest"]
        bytes = row["bytes"]
        kind = try row.choice("kind")
    }
}

/// What a run tells the ledger after its beginning.
package enum RunNote: Sendable, Codable {
    /// The processor core that the matrix library chose.
    case core(String)
    case input(Artefact, role: String)
    case output(Artefact, role: String)
    case metrics([Metric])
    case end(RunEnd, Date)
    /// Of no run: the model of a round.
    case round(Round)
}

/// An artefact in the part it plays for a run: `input`, `policy`, `output`, ….
package struct LinkedArtefact: Sendable, Equatable {
    package let role: String
    package let artefact: Artefact
}

package struct Metric: Sendable, Equatable, Codable {
    package var name: String
    package var value: Double
    package var step: Int?

    package init(name: String, value: Double, step: Int? = nil) {
        self.name = name
        self.value = value
        self.step = step
    }
}

/// The model that a round of a run ended with; round 0 is the model it began with.
package struct Round: Sendable, Equatable, Codable {
    package var runName: String
    package var k: Int
    package var modelDigest: String
    package var modelPath: String
    package var recorded: Date

    package init(runName: String, k: Int, modelDigest: String, modelPath: String, recorded: Date = Date()) {
        self.runName = runName
        self.k = k
        self.modelDigest = modelDigest
        self.modelPath = modelPath
        self.recorded = recorded
    }
}

/// One row of `runs`, as read.
package struct Run: Sendable {
    package let id: Int64
    package let stage: String
    package let runName: String?
    package let arguments: String
    package let settings: String
    package let process: ProcessIdentity
    package let version: String
    package let core: String?
    package let started: Date
    package let finished: Date?
    package let outcome: Outcome
    package let exitCode: Int32?
    package let message: String?
    package let counts: RecordCounts
    package let seconds: Double?
    package let peakMemoryKB: Int?

    /// The outcome as it is now: a run that nobody has ended and whose process is gone was killed.
    package var currentOutcome: Outcome {
        outcome == .running && !process.mayBeAlive ? .killed : outcome
    }

    init(_ row: Row) throws {
        id = row["id"]
        stage = row["stage"]
        runName = row["run_name"]
        arguments = row["arguments"]
        settings = row["settings"]
        process = ProcessIdentity(
            host: row["host"], boot: row["boot"], pid: row["pid"], start: row["process_start"])
        version = row["version"]
        core = row["core"]
        started = row["started"]
        finished = row["finished"]
        outcome = try row.choice("outcome")
        exitCode = row["exit_code"]
        message = row["message"]
        counts = RecordCounts(
            read: row["records_in"], written: row["records_out"], dropped: row["dropped"],
            skipped: row["skipped"])
        seconds = row["seconds"]
        peakMemoryKB = row["peak_memory_kb"]
    }
}

extension Row {
    /// The schema's CHECK names the same words; another one means that someone edited the file.
    fileprivate func choice<E: RawRepresentable>(_ column: String) throws -> E where E.RawValue == String {
        let word: String = self[column]
        guard let value = E(rawValue: word) else {
            throw DatabaseError(resultCode: .SQLITE_CORRUPT, message: "\(column) is '\(word)'")
        }
        return value
    }
}
