import Foundation
import GRDB
import RunLedger
import Testing

@Suite struct LedgerTests {
    private func start(_ stage: String, process: ProcessIdentity = .current) -> RunStart {
        RunStart(
            stage: stage, runName: nil, arguments: ["a \"b\"\n\u{1}"], settings: [("seed", "1")],
            process: process,
            version: "1", core: nil)
    }

    private func end(_ outcome: Outcome = .done) -> RunEnd {
        RunEnd(
            outcome: outcome, exitCode: 0, message: nil,
            counts: RecordCounts(read: 3, written: 2, dropped: 1),
            seconds: 1.5, peakMemoryKB: 10)
    }

    @Test func aRunIsKeptWithItsArtefactsAndMetrics() throws {
        let folder = try Folder()
        let ledger = try Ledger(path: folder.file("l.sqlite"), access: .write)
        let id = try ledger.begin(start("sample"))
        #expect(try ledger.run(id).outcome == .running)
        let digest = String(repeating: "a", count: 64)
        try ledger.addInput(id, Artefact(path: "in", digest: digest, bytes: 3, kind: .records))
        try ledger.addInput(id, Artefact(path: "in", digest: digest, bytes: 3, kind: .records))
        for (value, step) in [(1.0, 0), (0.5, 1), (0.25, 1)] {
            try ledger.addMetrics(id, [Metric(name: "loss", value: value, step: step)])
        }
        try ledger.addMetrics(id, [Metric(name: "final", value: 1), Metric(name: "final", value: 2)])
        try ledger.finish(id, end())
        let run = try Ledger(path: folder.file("l.sqlite"), access: .read).run(id)
        #expect(run.outcome == .done)
        #expect(run.counts == RecordCounts(read: 3, written: 2, dropped: 1))
        #expect(try ledger.inputs(of: id).map(\.artefact.path) == ["in"])
        #expect(
            try ledger.metrics(of: id) == [
                Metric(name: "final", value: 2), Metric(name: "loss", value: 1, step: 0),
                Metric(name: "loss", value: 0.25, step: 1),
            ])
        #expect(throws: LedgerError.noSuchRun(path: folder.file("l.sqlite"), id: 99)) { try ledger.run(99) }
    }

    @Test func theSchemaRefusesWhatCannotBe() throws {
        let folder = try Folder()
        let ledger = try Ledger(path: folder.file("l.sqlite"), access: .write)
        let id = try ledger.begin(start("sample"))
        for wrong in [
            { try ledger.addMetrics(77, [Metric(name: "loss", value: 1)]) },
            { try ledger.addMetrics(id, [Metric(name: "loss", value: .nan)]) },
            { try ledger.addMetrics(id, [Metric(name: "", value: 1)]) },
            { try ledger.addInput(id, Artefact(path: "x", digest: "short", bytes: 1, kind: .file)) },
            { try ledger.setRound(Round(runName: "x", k: -1, modelDigest: "", modelPath: "")) },
        ] as [() throws -> Void] {
            #expect(throws: LedgerError.self) { try wrong() }
        }
    }

    @Test func runsOfDeadProcessesAreFoundAndMarked() throws {
        let folder = try Folder()
        let path = folder.file("l.sqlite")
        let own = ProcessIdentity.current
        func other(host: String? = nil, boot: String? = nil, pid: Int32? = nil, start: Int64? = nil)
            -> ProcessIdentity
        {
            ProcessIdentity(
                host: host ?? own.host, boot: boot ?? own.boot, pid: pid ?? own.pid, start: start ?? own.start
            )
        }
        let ledger = try Ledger(path: path, access: .write)
        let alive = try ledger.begin(start("alive"))
        let elsewhere = try ledger.begin(start("elsewhere", process: other(host: "no-such-host", pid: 1)))
        let dead = try [
            other(pid: 4_194_303), other(start: own.start + 1), other(boot: "another boot"),
        ].map { try ledger.begin(start("dead", process: $0)) }
        #expect(try dead.map { try ledger.run($0).outcome } == [.running, .running, .running])
        #expect(try dead.map { try ledger.run($0).currentOutcome } == [.killed, .killed, .killed])
        let next = try Ledger(path: path, access: .write)
        #expect(try dead.map { try next.run($0).outcome } == [.killed, .killed, .killed])
        #expect(try [alive, elsewhere].map { try next.run($0).outcome } == [.running, .running])
        // A late end doesn't overwrite what was found.
        try ledger.finish(dead[0], end())
        #expect(try next.run(dead[0]).outcome == .killed)
    }

    @Test func lineageFollowsContentsThroughPipes() throws {
        let folder = try Folder()
        let ledger = try Ledger(path: folder.file("l.sqlite"), access: .write)
        func artefact(_ path: String, _ letter: Character) -> Artefact {
            Artefact(path: path, digest: String(repeating: letter, count: 64), bytes: 1, kind: .records)
        }
        for (stage, input, output) in [
            ("sample", artefact("prompts", "a"), artefact("-", "b")),
            ("pair", artefact("-", "b"), artefact("pairs", "c")),
        ] {
            let id = try ledger.begin(start(stage))
            try ledger.addInput(id, input)
            try ledger.addOutput(id, output)
            try ledger.finish(id, end())
        }
        let failed = try ledger.begin(start("failed"))
        try ledger.addOutput(failed, artefact("pairs", "c"))
        try ledger.finish(failed, end(.failed))
        let steps = try ledger.lineage(of: artefact("renamed", "c"))
        #expect(steps.map(\.depth) == [0, 1, 2])
        #expect(steps.map(\.run?.stage) == ["pair", "sample", nil])
        #expect(steps.last?.artefact.path == "prompts")
    }

    @Test func whatIsNoLedgerIsRefusedAndLeftAlone() throws {
        let folder = try Folder()
        try folder.write(
            "this is no database, not at all, for sure " + String(repeating: "x", count: 200), to: "text")
        try folder.write([], to: "empty")
        #expect(throws: LedgerError.notADatabase(path: folder.file("text"))) {
            try Ledger(path: folder.file("text"), access: .write)
        }
        #expect(throws: LedgerError.noFolder(path: folder.file("no/l"))) {
            try Ledger(path: folder.file("no/l"), access: .write)
        }
        #expect(throws: LedgerError.noFolder(path: folder.file("none"))) {
            try Ledger(path: folder.file("none"), access: .read)
        }
        _ = try Ledger(path: folder.file("empty"), access: .write)
        try DatabaseQueue(path: folder.file("other")).write { try $0.execute(sql: "CREATE TABLE theirs (a)") }
        let theirs = try folder.bytes("other")
        for access in [Ledger.Access.read, .write] {
            #expect(throws: LedgerError.foreignDatabase(path: folder.file("other"))) {
                try Ledger(path: folder.file("other"), access: access)
            }
        }
        #expect(try folder.bytes("other") == theirs)
    }

    @Test func aDamagedLedgerIsRefused() throws {
        let folder = try Folder()
        let path = folder.file("l.sqlite")
        do {
            let ledger = try Ledger(path: path, access: .write)
            for _ in 0..<200 { _ = try ledger.begin(start("sample")) }
        }
        var bytes = try folder.bytes("l.sqlite")
        #expect(bytes.count > 20_000)
        for at in 4096..<12_288 { bytes[at] = 0x5A }
        try folder.write(bytes, to: "l.sqlite")
        #expect { try Ledger(path: path, access: .write) } throws: { error in
            guard case .damaged? = error as? LedgerError else { return false }
            return "\(error)".contains("move it away")
        }
    }

    /// Opening, beginning a run and listing read a few pages, not all of them. Here all take 300 MB of reading, half
    /// a second on a machine that does nothing else; what is needed takes some thousandths.
    @Test func aHundredThousandRunsCostNoTime() throws {
        let folder = try Folder()
        let path = folder.file("l.sqlite")
        let first = try Ledger(path: path, access: .write).begin(start("sample"))
        try DatabaseQueue(path: path).write { db in
            let columns = "arguments, pid, boot, process_start, host, version, started"
            try db.execute(
                sql: """
                    WITH RECURSIVE n(k) AS (SELECT 1 UNION ALL SELECT k + 1 FROM n WHERE k < 100000)
                    INSERT INTO runs (stage, run_name, settings, outcome, \(columns))
                    SELECT 'pair', 'night-' || (k / 500), json_object('text', hex(zeroblob(1200))), 'killed', \(columns)
                    FROM n, runs WHERE runs.id = \(first)
                    """)
        }
        let clock = ContinuousClock()
        let filters: [Ledger.Filter] = [
            .init(), .init(stage: "sample"), .init(runName: "night-3"), .init(outcome: .killed),
        ]
        let times = try (0..<3).map { _ in
            try clock.measure {
                _ = try Ledger(path: path, access: .write).begin(start("sample"))
                let ledger = try Ledger(path: path, access: .read)
                for filter in filters { #expect(try !ledger.runs(filter).isEmpty) }
            }
        }
        #expect(try #require(times.min()) < .milliseconds(200))
    }

    @Test func aLockedLedgerIsNamedAfterTheWait() throws {
        let folder = try Folder()
        let path = folder.file("l.sqlite")
        let ledger = try Ledger(path: path, access: .write, busySeconds: 1)
        let id = try ledger.begin(start("sample"))
        try DatabaseQueue(path: path).writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            #expect(throws: LedgerError.locked(path: path)) {
                try ledger.addMetrics(id, [Metric(name: "loss", value: 1)])
            }
            try db.execute(sql: "ROLLBACK")
        }
        try ledger.addMetrics(id, [Metric(name: "loss", value: 1)])
    }

    @Test func aNewerLedgerIsRefused() throws {
        let folder = try Folder()
        let path = folder.file("l.sqlite")
        _ = try Ledger(path: path, access: .write)
        try DatabaseQueue(path: path).write { db in
            try db.execute(sql: "INSERT INTO grdb_migrations (identifier) VALUES ('of a later version')")
        }
        #expect(throws: LedgerError.newerSchema(path: path)) { try Ledger(path: path, access: .write) }
        #expect(throws: LedgerError.newerSchema(path: path)) { try Ledger(path: path, access: .read) }
    }
}
