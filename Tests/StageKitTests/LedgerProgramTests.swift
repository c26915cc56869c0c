import Foundation
import Testing

/// The ledger as the programs use it.
@Suite struct LedgerProgramTests {
    private func list(_ folder: Folder, _ options: [String] = []) throws -> [String] {
        try ledgerProgram.run(["list"] + options, in: folder).output.split(separator: "\n").map(String.init)
    }

    @Test func everyRunIsARow() throws {
        let folder = try Folder.home()
        _ = try probe.run(["in", "-o", "out", "--drop", "r1"], in: folder)
        _ = try probe.run(["in", "--refuse", "r2", "--skip-bad", "1"], in: folder)
        _ = try probe.run(["in", "--refuse", "r2"], in: folder)
        _ = try probe.run(["in", "--no-ledger"], in: folder)
        _ = try probe.run(["in", "--dry-run"], in: folder)
        let rows = try list(folder)
        try #require(rows.count == 4)
        for (row, outcome) in zip(rows.dropFirst(), ["done", "skipped", "failed"]) {
            #expect(row.contains(outcome))
        }
        #expect(rows[1].split(separator: " ").suffix(4) == ["3", "2", "1", "0"])
        #expect(rows[2].split(separator: " ").suffix(4) == ["3", "2", "0", "1"])
        let shown = try ledgerProgram.run(["show", "3"], in: folder)
        #expect(shown.output.contains("in:2: missing key"))
        let json = try ledgerProgram.run(["show", "1", "--json"], in: folder).output
        for part in [#""core":"Probe""#, #""records_in":3"#, #""temperature":1.0"#, #""path":"out""#] {
            #expect(json.contains(part))
        }
        #expect(try list(folder, ["--outcome", "failed", "--json"]).count == 1)
    }

    @Test func lineageAndComparison() throws {
        let folder = try Folder.home()
        _ = try probe.run(["in", "-o", "a"], in: folder)
        let middle = try probe.run(["a", "--temperature", "2"], in: folder)
        _ = try probe.run(["-o", "c", "--temperature", "3"], in: folder, input: middle.output)
        rename(folder.file("c"), folder.file("d"))
        let lineage = try ledgerProgram.run(["lineage", "d"], in: folder).output.split(separator: "\n")
        try #require(lineage.count == 4)
        #expect(lineage[0].hasPrefix("d ") && lineage[0].contains("made by run 3"))
        #expect(lineage[3].contains("input: in ") && lineage[3].hasSuffix("not made here"))
        try folder.write("x", to: "strange")
        let strange = try ledgerProgram.run(["lineage", "strange"], in: folder)
        #expect(strange.code == 1)
        #expect(strange.errors.contains("no run has read or written this content"))
        let compared = try ledgerProgram.run(["compare", "1", "2"], in: folder).output
        #expect(compared.contains("--temperature  1.0"))
        #expect(!compared.contains("--copies"))
    }

    @Test func secretsStayOut() throws {
        let folder = try Folder.home()
        let secret = "hush-hush"
        let options = ["in", "--api-key", secret, "--model", "https://me:\(secret)@host/m"]
        _ = try probe.run(options, in: folder)
        _ = try probe.run(["in", "--api-key=\(secret)", "-o", "out"], in: folder)
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.file("runs")) {
            let bytes = try folder.bytes("runs/\(name)")
            #expect(Data(bytes).range(of: Data(secret.utf8)) == nil, "\(name)")
        }
        #expect(try ledgerProgram.run(["show", "2"], in: folder).output.contains("--api-key=***"))
    }

    @Test func aKilledRunIsFound() throws {
        let folder = try Folder.home()
        let running = try probe.start(["in", "--pause", "60000"], in: folder)
        try eventually { try list(folder).count == 2 && list(folder)[1].contains("running") }
        running.kill(SIGKILL)
        _ = try running.wait()
        #expect(try list(folder)[1].contains("killed"))
        _ = try probe.run(["in"], in: folder)
        let shown = try ledgerProgram.run(["show", "1"], in: folder).output
        #expect(shown.contains("outcome      killed") && shown.contains("ended without a word"))
        let stopped = try probe.start(["in", "--pause", "60000"], in: folder)
        try eventually { try list(folder).count == 4 }
        stopped.kill(SIGTERM)
        #expect(try stopped.wait().code == 143)
        let end = try ledgerProgram.run(["show", "3"], in: folder).output
        #expect(end.contains("stopped by SIGTERM"), "\(end)")
    }

    @Test func aStageStopsBeforeItsWorkWhereTheLedgerIsBroken() throws {
        let folder = try Folder.home()
        try folder.write("no database at all, " + String(repeating: "x", count: 500), to: "broken")
        for (options, environment) in [(["--ledger", "broken"], [:]), ([], ["SIGHTLINE_LEDGER": "broken"])] {
            let ended = try probe.run(["in", "-o", "out"] + options, in: folder, environment: environment)
            #expect(ended.code == 1)
            #expect(
                ended.errors.contains("broken: not an SQLite file; name another --ledger, or go without it"))
            #expect(try folder.names == ["broken", "in", "runs"])
        }
        #expect(try probe.run(["in", "--ledger", "broken", "--no-ledger"], in: folder).code == 0)
        #expect(
            try probe.run(["in", "--ledger", "no/where"], in: folder).errors.contains(
                "no/where: no such ledger"))
        let none = try ledgerProgram.run(["list", "--ledger", "absent"], in: folder)
        #expect(none.code == 1)
        #expect(!folder.has("absent"))
    }

    @Test(.enabled(if: geteuid() != 0, "root may write everything")) func aReadOnlyLedgerStopsAStage() throws
    {
        let folder = try Folder.home()
        _ = try probe.run(["in"], in: folder)
        chmod(folder.file("runs/ledger.sqlite"), 0o444)
        let ended = try probe.run(["in"], in: folder)
        #expect(ended.code == 1)
        #expect(ended.errors.contains("runs/ledger.sqlite: the ledger can't be written"))
    }

    @Test func oneRunOfANameAtATime() throws {
        let folder = try Folder.home()
        let running = try probe.start(["in", "--run", "night", "--pause", "60000"], in: folder)
        try eventually { try folder.has("runs/night/.lock") && list(folder).count == 2 }
        for second in [
            try probe.run(["in", "--run", "night"], in: folder),
            try ledgerProgram.run(["run", "night", "--", "true"], in: folder),
        ] {
            #expect(second.code == 75)
            #expect(second.errors.contains("runs/night/.lock: another process is working on run night"))
        }
        #expect(try probe.run(["in", "--run", "day"], in: folder).code == 0)
        running.kill(SIGKILL)
        _ = try running.wait()
        #expect(try probe.run(["in", "--run", "night"], in: folder).code == 0)
        #expect(try probe.run(["in", "--run", "../up"], in: folder).code == 64)
    }

    @Test func stagesUnderALockedRunBelongToIt() throws {
        let folder = try Folder.home()
        let script = "'\(probe.path)' in --run night | '\(probe.path)' -o out; exit 5"
        let ended = try ledgerProgram.run(["run", "night", "--", "bash", "-c", script], in: folder)
        #expect(ended.code == 5, "\(ended.errors)")
        #expect(try list(folder, ["--run", "night"]).count == 3)
        let missing = try ledgerProgram.run(["run", "night", "no-such-command"], in: folder)
        #expect(missing.code == 1)
        #expect(missing.errors.contains("no-such-command: can't run it"))
    }

    @Test func roundsAreNoted() throws {
        let folder = try Folder.home()
        _ = try probe.run(["in"], in: folder)
        for k in ["1", "0", "1"] {
            #expect(try ledgerProgram.run(["round", "night", k, "in"], in: folder).code == 0)
        }
        let rows = try ledgerProgram.run(["rounds", "night"], in: folder).output.split(separator: "\n")
        try #require(rows.count == 3)
        #expect(rows[1].hasPrefix("night      0  in"))
        #expect(try ledgerProgram.run(["round", "night", "--", "-1", "in"], in: folder).code == 64)
    }

    @Test(arguments: [["--help"], ["list", "--help"], ["help", "show"]]) func helpGoesToStandardOutput(
        words: [String]
    ) throws {
        let ended = try ledgerProgram.run(words, in: try Folder())
        #expect(ended.code == 0 && ended.output.contains("USAGE: ledger") && ended.errors.isEmpty)
    }
}
