import Foundation
import GRDB
import Testing

/// A ledger that fails after the work has begun costs no work, and what it should have known it learns later.
@Suite struct LedgerTroubleTests {
    /// Runs `body` while another program writes to the ledger.
    private func holding<T>(_ folder: Folder, _ body: () throws -> T) throws -> T {
        let ledger = try DatabaseQueue(path: folder.file("runs/ledger.sqlite"))
        return try ledger.writeWithoutTransaction { db in
            try db.execute(sql: "BEGIN IMMEDIATE")
            defer { try? db.execute(sql: "ROLLBACK") }
            return try body()
        }
    }

    private func show(_ folder: Folder, _ id: Int) throws -> String {
        try ledgerProgram.run(["show", "\(id)"], in: folder).output
    }

    @Test(arguments: [["-o", "out"], []]) func workIsFinishedAndToldLater(output: [String]) throws {
        let folder = try Folder.home()
        let running = try probe.start(["in", "--pause", "2000"] + output, in: folder)
        try eventually { try show(folder, 1).contains("running") }
        let ended = try holding(folder) { try running.wait() }
        #expect(ended.code == 0, "\(ended.errors)")
        #expect(ended.errors.contains("runs/ledger.sqlite: the ledger is locked by another program"))
        #expect(ended.errors.contains("continuing without it"))
        let whole = output.isEmpty ? ended.output : try folder.read("out")
        #expect(whole.split(separator: "\n").count == 3)
        let rows = output.isEmpty ? "runs/ledger.sqlite.ledger-rows" : "out.ledger-rows"
        #expect(folder.has(rows))
        // Whoever comes next without knowing of it takes the run for killed.
        let elsewhere = try DatabaseQueue(path: folder.file("runs/ledger.sqlite"))
        try elsewhere.write { try $0.execute(sql: "UPDATE runs SET outcome = 'killed'") }
        let next = try probe.run(["in", "-o", "next"], in: folder)
        #expect(
            next.code == 0
                && next.errors.contains("\(rows): the rows that waited there are in the ledger now"))
        #expect(!folder.has(rows))
        let told = try show(folder, 1)
        #expect(told.contains(#/outcome +done/#) && told.contains("3 in, 3 out"), "\(told)")
        #expect(told.contains(output.isEmpty ? "(stream)" : "out  "), "\(told)")
    }

    @Test func aDeletedLedgerIsBegunAnew() throws {
        let folder = try Folder.home()
        let running = try probe.start(["in", "--pause", "2000", "-o", "out"], in: folder)
        try eventually { try show(folder, 1).contains("running") }
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: folder.file("runs/ledger.sqlite\(suffix)"))
        }
        let ended = try running.wait()
        #expect(ended.code == 0 && ended.errors.contains("it was deleted during this run"), "\(ended.errors)")
        let told = try show(folder, 1)
        #expect(told.contains(#/outcome +done/#) && told.contains("3 in, 3 out"), "\(told)")
    }

    @Test func aRoundIsToldLater() throws {
        let folder = try Folder.home()
        #expect(try probe.run(["in", "-o", "model"], in: folder).code == 0)
        let noted = try holding(folder) {
            try ledgerProgram.run(["round", "night", "1", "model"], in: folder)
        }
        #expect(noted.code == 0)
        #expect(noted.errors.contains("the round waits in model.ledger-rows"), "\(noted.errors)")
        #expect(try !ledgerProgram.run(["rounds"], in: folder).output.contains("night"))
        #expect(try ledgerProgram.run(["sweep"], in: folder).code == 0)
        #expect(try ledgerProgram.run(["rounds"], in: folder).output.contains("night"))
        #expect(!folder.has("model.ledger-rows"))
    }

    @Test func aPersonsFileOfThatNameStays() throws {
        let folder = try Folder.home()
        try folder.write("mine\n", to: "out.ledger-rows")
        let running = try probe.start(["in", "--pause", "2000", "-o", "out"], in: folder)
        try eventually { try show(folder, 1).contains("running") }
        #expect(try holding(folder) { try running.wait() }.code == 0)
        #expect(try probe.run(["in"], in: folder).code == 0)
        #expect(try folder.read("out.ledger-rows") == "mine\n")
        #expect(try show(folder, 1).contains(#/outcome +done/#))
    }

    @Test func aLockOfTheFolderIsNotWaitedFor() throws {
        for locked in ["runs", "runs/ledger.sqlite"] {
            let folder = try Folder.home()
            let shell = Process()
            shell.executableURL = URL(fileURLWithPath: "/usr/bin/flock")
            shell.arguments = [folder.file(locked), probe.path, "in", "-o", "out", "--quiet"]
            shell.currentDirectoryURL = URL(fileURLWithPath: folder.path)
            try shell.run()
            try eventually(seconds: 25) { !shell.isRunning }
            if shell.isRunning { shell.terminate() }
            #expect(folder.has("out"), "\(locked)")
        }
    }
}
