import Foundation
import GRDB
import Testing

/// Closed streams, and ends by signal whatever the program waits for.
@Suite struct SignalTests {
    /// A line of bash that runs the probe, in a folder with three records.
    private func shell(_ line: String, in folder: Folder) throws -> Running {
        try folder.write(records(3), to: "in")
        return try Built(path: "/bin/bash").start(
            ["-c", line.replacing("PROBE", with: probe.path)], in: folder)
    }

    @Test func closedStreamsAreErrors() throws {
        for (line, message) in [
            ("PROBE -o out <&-", "standard input: can't read it: Bad file descriptor; it is closed"),
            ("PROBE in >&-", "standard output: can't write: Bad file descriptor; it is closed"),
            ("PROBE --print-config >&-", "standard output: can't write: Bad file descriptor; it is closed"),
        ] {
            let folder = try Folder()
            let ended = try shell(line, in: folder).wait()
            #expect(ended.code == 1)
            #expect(ended.errors.contains(message), "\(ended.errors)")
            #expect(!folder.has("out"))
        }
        let folder = try Folder()
        let ended = try shell("mkdir runs; PROBE in -o out <&- >&- 2>&-", in: folder).wait()
        #expect(ended.code == 0)
        #expect(try folder.read("out").split(separator: "\n").count == 3)
    }

    /// What a signal must end, though the program waits: for a reader, a writer, a reader of its messages.
    private static let waits = [
        "mkfifo pipe; exec PROBE pipe", "mkfifo pipe; exec PROBE in -o pipe",
        "mkfifo pipe; exec 3<>pipe; head -c 65536 /dev/zero >&3; exec PROBE in >&3 2>&3",
        "mkfifo pipe; exec 3<>pipe; head -c 65536 /dev/zero >&3; exec PROBE in --refuse r1 --skip-bad 1 2>&3",
        "mkfifo pipe; exec 3<>pipe; exec PROBE <&3", "exec PROBE in --pause 60000",
    ]

    @Test(arguments: waits) func aSignalEndsEveryWait(line: String) throws {
        let folder = try Folder()
        let running = try shell(line, in: folder)
        usleep(1_000_000)
        #expect(running.process.isRunning)
        running.kill(SIGTERM)
        try eventually { !running.process.isRunning }
        running.kill(SIGKILL)
        #expect(try running.wait().code == 143)
    }

    @Test func aSignalEndsTheWaitForTheLedger() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.file("runs"), withIntermediateDirectories: true)
        #expect(try shell("PROBE in", in: folder).wait().code == 0)
        let ledger = try DatabaseQueue(path: folder.file("runs/ledger.sqlite"))
        try ledger.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            let began = ContinuousClock.now
            let running = try shell("exec PROBE in", in: folder)
            usleep(700_000)
            running.kill(SIGTERM)
            #expect(try running.wait().code == 143)
            #expect(ContinuousClock.now - began < .seconds(4))
            try db.execute(sql: "ROLLBACK")
        }
    }

    @Test func progressShowsBeforeTheFirstRecordIsDone() throws {
        let folder = try Folder()
        try folder.write(records(3), to: "in")
        let running = try probe.start(["in", "--pause", "60000"], in: folder)
        usleep(3_000_000)
        running.kill(SIGTERM)
        #expect(try running.wait().errors.contains("stage-probe: 0/3 records"))
    }

    @Test func controlsAreShownAsText() throws {
        let folder = try Folder()
        try folder.write(records(3), to: "in")
        let name = "a\u{1B}[31mb\u{9B}c\u{202E}d\r"
        for words in [["\(name).jsonl"], ["--\(name)"], ["in", "--model", name]] {
            let ended = try probe.run(words, in: folder, input: "")
            #expect(ended.code != 0)
            #expect(ended.errors.contains(#"a\u001B[31mb\u009Bc\u202Ed\u000D"#), "\(ended.errors)")
            #expect(!ended.errors.unicodeScalars.contains { ["\u{1B}", "\r", "\u{202E}"].contains($0) })
        }
    }
}
