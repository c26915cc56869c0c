import Foundation
import StageKit
import Testing

@Suite struct ResumeTests {
    /// Seven records of which one gives nothing, one two lines, one is dropped and one is bad.
    private static let input =
        #"{"id":"r1","é":9007199254740993}"# + "\n" + #"{"id":"r2","copies":0}"# + "\n"
        + #"{"id":"r3","copies":2}"# + "\n" + "bad\n" + #"{"id":"r5"}"# + "\n" + #"{"id":"r6"}"# + "\n"
        + #"{"id":"r7"}"# + "\n"
    private static let options = ["in", "-o", "out", "--skip-bad", "1", "--drop", "r5", "--batch-size", "1"]

    /// A part as a kill before the renaming leaves it, with a checkpoint for every record.
    private func unfinished() throws -> (folder: Folder, whole: [UInt8], part: [UInt8], side: [UInt8]) {
        let folder = try Folder()
        try folder.write(Self.input, to: "in")
        #expect(try probe.run(Self.options, in: folder).code == 2)
        let whole = try folder.bytes("out")
        unlink(folder.file("out"))
        // Slow enough that every record gets its checkpoint; the last record refuses at first.
        try folder.write(Self.input.replacing(#"{"id":"r7"}"#, with: #"{"id":"r7","copies":"x"}"#), to: "in")
        let stopped = try probe.run(Self.options + ["--pause", "210"], in: folder)
        #expect(stopped.code == 1)
        #expect(try folder.names == ["in", "out.part", "out.part.json"])
        try folder.write(Self.input, to: "in")
        // The input is what it was for the part, so its digest is put right.
        let wrong = try digest(
            folder, "in", Self.input.replacing(#"{"id":"r7"}"#, with: #"{"id":"r7","copies":"x"}"#))
        let right = try digest(folder, "in", Self.input)
        let side = try folder.read("out.part.json").replacing(wrong, with: right)
        try folder.write(side, to: "out.part.json")
        return (folder, whole, try folder.bytes("out.part"), try folder.bytes("out.part.json"))
    }

    private func digest(_ folder: Folder, _ name: String, _ text: String) throws -> String {
        try folder.write(text, to: "digest-me")
        let path = folder.file("digest-me")
        defer { unlink(path) }
        return try Digest.ofFile(path).digest
    }

    @Test func aPartCutAnywhereGivesTheWhole() throws {
        let (folder, whole, part, side) = try unfinished()
        #expect(part.count > 100 && whole.starts(with: part))
        for length in 0...part.count {
            try folder.write(Array(part[..<length]), to: "out.part")
            try folder.write(side, to: "out.part.json")
            let ended = try probe.run(Self.options + ["--resume", "--quiet"], in: folder)
            #expect(ended.code == 2)
            #expect(try folder.bytes("out") == whole, "cut at \(length)")
            #expect(try folder.names == ["in", "out"])
            unlink(folder.file("out"))
        }
    }

    @Test func aSideFileCutAnywhereGivesTheWholeOrIsRefused() throws {
        let (folder, whole, part, side) = try unfinished()
        let identityEnd = try #require(side.firstIndex(of: UInt8(ascii: "\n")))
        for length in stride(from: identityEnd - 2, through: side.count, by: 3) {
            try folder.write(part, to: "out.part")
            try folder.write(Array(side[..<length]), to: "out.part.json")
            let ended = try probe.run(Self.options + ["--resume"], in: folder)
            if length <= identityEnd {
                #expect(ended.code == 1)
                #expect(ended.errors.contains("nothing says which run made it"))
                #expect(try folder.bytes("out.part") == part)
            } else {
                #expect(ended.code == 2, "\(ended.errors)")
                #expect(try folder.bytes("out") == whole, "cut at \(length)")
                unlink(folder.file("out"))
            }
        }
    }

    @Test func bytesBeyondTheLastCheckpointAreCut() throws {
        let (folder, whole, part, _) = try unfinished()
        try folder.write(part + Array("{\"id\":\"torn".utf8), to: "out.part")
        let ended = try probe.run(Self.options + ["--resume"], in: folder)
        #expect(ended.code == 2)
        #expect(ended.errors.contains("continuing after 6 records"))
        #expect(ended.errors.contains("7 records in, 5 out, 1 bad skipped; dropped 1: named by --drop 1"))
        #expect(try folder.bytes("out") == whole)
    }

    @Test func anotherRunsPartIsRefusedWithTheDifference() throws {
        let (folder, whole, part, side) = try unfinished()
        func refused(_ options: [String]) throws -> String {
            let ended = try probe.run(Self.options + ["--resume"] + options, in: folder)
            #expect(ended.code == 1)
            #expect(try folder.bytes("out.part") == part)
            #expect(try folder.bytes("out.part.json") == side)
            return ended.errors
        }
        let text = try refused(["--temperature", "0.7", "--seed", "3"])
        #expect(
            text.contains(
                "out.part: another run made it: --seed was 0 and is 3, --temperature was 1.0 and is 0.7; "))
        #expect(try refused(["--model", folder.path]).contains("--model was not set and is"))
        try folder.write(Self.input + #"{"id":"more"}"#, to: "in")
        #expect(try refused([]).contains("another run made it: input 1 has changed; "))
        try folder.write(Self.input, to: "in")
        // Threads, batches and patience change no byte.
        let ended = try probe.run(
            Self.options + ["--resume", "--threads", "1", "--batch-size", "5", "--skip-bad", "3"], in: folder)
        #expect(ended.code == 2, "\(ended.errors)")
        #expect(try folder.bytes("out") == whole)
    }

    /// What must not be told tells runs apart too, and what only sounds so is told.
    @Test func secretsTellRunsApart() throws {
        let folder = try Folder()
        try folder.write(Self.input, to: "in")
        // The bad line stops it, and a part is left.
        func run(_ options: [String]) throws -> Ended {
            try probe.run(["in", "-o", "out"] + options, in: folder)
        }
        #expect(try run(["--api-key", "hush", "--end-token", "ends"]).code == 1)
        let side = try folder.read("out.part.json")
        #expect(!side.contains("hush") && side.contains(#""--end-token":"ends""#), "\(side)")
        let other = try run(["--api-key", "hash", "--end-token", "passes", "--resume"])
        #expect(other.code == 1 && other.errors.contains("--end-token was ends and is passes"))
        #expect(other.errors.contains("--api-key was *** (SHA-256 ") && !other.errors.contains("hash"))
        // Two lists that read alike in one line.
        #expect(try run(["--drop", "a b"]).code == 1)
        #expect(
            try run(["--drop", "a", "--drop", "b", "--resume"]).errors
                .contains(#"--drop was ["a b"] and is ["a","b"]"#))
    }

    @Test func withoutResumeAPartIsBegunAnew() throws {
        let (folder, whole, _, _) = try unfinished()
        let ended = try probe.run(Self.options, in: folder)
        #expect(ended.errors.contains("out.part: started over; --resume would have continued it"))
        #expect(try folder.bytes("out") == whole)
    }

    @Test func anOldOutputStandsUntilTheNewOneIsDone() throws {
        let folder = try Folder()
        try folder.write("old\n", to: "out")
        let failed = try probe.run(["-o", "out"], in: folder, input: "bad\n")
        #expect(failed.code == 1)
        #expect(try folder.read("out") == "old\n")
        #expect(try probe.run(["-o", "out"], in: folder, input: #"{"id":"a"}"#).code == 0)
        #expect(try folder.read("out") == #"{"id":"a","temperature":1.0}"# + "\n")
    }

    @Test(arguments: [SIGTERM, SIGINT, SIGHUP, SIGKILL]) func aSignalLeavesAPartToGoOnWith(signal: Int32)
        throws
    {
        let folder = try Folder()
        try folder.write(records(40), to: "in")
        let whole = try probe.run(["in"], in: folder).output
        let options = ["in", "-o", "out", "--batch-size", "1", "--pause", "30"]
        let running = try probe.start(options, in: folder)
        try eventually { try folder.has("out.part") && folder.bytes("out.part").count > 100 }
        running.kill(signal)
        let ended = try running.wait()
        if signal == SIGKILL {
            #expect(running.process.terminationReason == .uncaughtSignal)
        } else {
            #expect(ended.code == 128 + signal)
            #expect(ended.errors.contains("stopped by SIG"))
        }
        #expect(!folder.has("out"))
        let kept = try folder.bytes("out.part").count
        let resumed = try probe.run(["in", "-o", "out", "--resume"], in: folder)
        #expect(resumed.code == 0)
        #expect(kept > 100 && resumed.errors.contains("continuing after"))
        #expect(try folder.read("out") == whole)
    }

    @Test func twoProcessesCannotWriteOneOutput() throws {
        let folder = try Folder()
        try folder.write(records(4), to: "in")
        let running = try probe.start(["in", "-o", "out", "--pause", "60000"], in: folder)
        defer { running.kill(SIGKILL) }
        try eventually { folder.has("out.part") }
        let second = try probe.run(["in", "-o", "out"], in: folder)
        #expect(second.code == 75)
        #expect(second.errors.contains("another process is working on out; wait for it or stop it"))
    }
}
