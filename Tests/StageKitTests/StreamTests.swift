import Foundation
import Testing

/// What every record stage does with its input and output.
@Suite struct StreamTests {
    /// Input, options, exit code, lines out, and what standard error says.
    struct Case: Sendable, CustomTestStringConvertible {
        let what: String
        let input: String
        var options: [String] = []
        let code: Int32
        let ids: [String]
        let says: String
        var testDescription: String { what }
    }

    private static let good = #"{"id":"a"}"# + "\n" + #"{"id":"b"}"# + "\n"

    static let cases = [
        Case(what: "plain", input: good, code: 0, ids: ["a", "b"], says: "2 records in, 2 out"),
        Case(what: "quiet", input: good, options: ["--quiet"], code: 0, ids: ["a", "b"], says: ""),
        Case(
            what: "carriage returns, a byte order mark, no last newline",
            input: "\u{FEFF}{\"id\":\"a\"}\r\n{\"id\":\"b\"}", code: 0, ids: ["a", "b"], says: "2 out"),
        Case(what: "empty", input: "", code: 0, ids: [], says: "the input holds no records"),
        Case(what: "empty lines", input: "\n \n{\"id\":\"a\"}\n\n", code: 0, ids: ["a"], says: "1 out"),
        Case(
            what: "torn line", input: good + #"{"id":"c","pro"#, code: 1, ids: ["a", "b"],
            says: "standard input:3: byte 10: a string without its closing quote"),
        Case(
            what: "not an object", input: good + "[1]\n", code: 1, ids: ["a", "b"],
            says: "standard input:3: not a record: found an array"),
        Case(
            what: "NaN", input: #"{"id":"a","x":NaN}"#, code: 1, ids: [],
            says: "standard input:1: byte 14: found 'N'"),
        Case(
            what: "id of the wrong type", input: #"{"id":7}"#, code: 1, ids: [],
            says: #"standard input:1: wrong type: key "id" is a number (7); it must be a string"#),
        Case(
            what: "duplicate id", input: good + #"{"id":"a"}"#, code: 1, ids: ["a", "b"],
            says:
                #"standard input:3: wrong value: key "id" is "a", which standard input:1 has too; ids must differ"#
        ),
        Case(
            what: "a later version", input: #"{"id":"a","version":9}"#, code: 1, ids: [],
            says: "standard input:1: newer contract"),
        Case(
            what: "wrong type found by the stage", input: #"{"id":"a","copies":"2"}"#, code: 1, ids: [],
            says: #"standard input:1: wrong type: key "copies" is a string; it must be"#),
        Case(
            what: "bad records skipped", input: "?\n" + good + "{\n", options: ["--skip-bad", "2"], code: 2,
            ids: ["a", "b"], says: "standard input:4: byte 1: found the end of the text; "),
        Case(
            what: "one bad record too many", input: "?\n" + good + "{\n" + #"{"id":"z"}"#,
            options: ["--skip-bad", "1"], code: 1, ids: ["a", "b"], says: "standard input:4"),
        Case(
            what: "bad by the stage, one of a batch", input: good + #"{"id":"c"}"#,
            options: ["--refuse", "b"],
            code: 1, ids: ["a"], says: "standard input:2: missing key"),
        Case(
            what: "thrown by the stage within a batch", input: good + #"{"id":"c"}"#,
            options: ["--plain", "--refuse", "b", "--skip-bad", "1"], code: 2, ids: ["a", "c"],
            says: "standard input:2: missing key: \"use\" isn't there; add it (skipped, 1 of 1)"),
        Case(
            what: "dropped by a rule", input: good, options: ["--drop", "a"], code: 0, ids: ["b"],
            says: "2 records in, 1 out; dropped 1: named by --drop 1"),
        Case(
            what: "limit", input: good + "?", options: ["--limit", "2"], code: 0, ids: ["a", "b"],
            says: "2 out"),
        Case(
            what: "out of order", input: good + #"{"id":"c"}"#, options: ["--backwards"], code: 0,
            ids: ["a", "b", "c"], says: "3 out"),
        Case(
            what: "no lines, two lines", input: #"{"id":"a","copies":0}"# + "\n" + #"{"id":"b","copies":2}"#,
            code: 0, ids: ["b", "b"], says: "2 records in, 2 out"),
        Case(
            what: "wrong usage", input: good, options: ["--nope"], code: 64, ids: [],
            says: "Unknown option '--nope'"),
        Case(
            what: "bad shard", input: good, options: ["--shard", "0/3"], code: 64, ids: [],
            says: "The value '0/3' is invalid"),
        Case(
            what: "no such file", input: "", options: ["no.jsonl"], code: 1, ids: [],
            says: "no.jsonl: can't open"),
        Case(
            what: "unwritable output", input: good, options: ["-o", "no/out"], code: 1, ids: [],
            says: "no/out.part.json: can't open or make it: No such file or directory; check the path"),
        Case(
            what: "full disk", input: good, options: ["-o", "/dev/full"], code: 1, ids: [],
            says: "/dev/full: can't write: No space left on device; free some disk space"),
        Case(
            what: "a stream can't be resumed", input: good, options: ["--resume", "-o", "out"], code: 64,
            ids: [],
            says: "--resume: a stream can't be read again"),
    ]

    @Test(arguments: cases) func inputGives(_ test: Case) throws {
        let folder = try Folder()
        let ended = try probe.run(
            test.options + ["--batch-size", "2", "--no-note"], in: folder, input: test.input)
        #expect(ended.code == test.code, "\(ended.errors)")
        #expect(
            test.says.isEmpty ? ended.errors.isEmpty : ended.errors.contains(test.says), "\(ended.errors)")
        #expect(!ended.errors.contains("stage-probe: \n"))
        let ids = ended.output.split(separator: "\n").map { String($0.dropFirst(7).prefix { $0 != "\"" }) }
        #expect(ids == test.ids)
    }

    @Test func errorsNameTheFileAndLinesCountFromEachFile() throws {
        let folder = try Folder()
        try folder.write(records(3), to: "one")
        try folder.write(#"{"id":"s"}"# + "\n" + #"{"id":"r2"}"#, to: "two")
        let ended = try probe.run(["-i", "one", "two"], in: folder)
        #expect(ended.code == 1)
        #expect(
            ended.errors.contains(#"stage-probe: two:2: wrong value: key "id" is "r2", which one:2 has too"#))
    }

    @Test func resultDoesNotDependOnTheBatch() throws {
        let folder = try Folder()
        try folder.write(records(25), to: "in")
        let outputs = try ["1", "3", "25", "100"].map {
            try probe.run(["in", "--batch-size", $0], in: folder).output
        }
        #expect(Set(outputs).count == 1)
        #expect(outputs[0].split(separator: "\n").count == 25)
    }

    @Test(arguments: [nil, 11] as [Int?]) func shardsArePartsOfTheWhole(limit: Int?) throws {
        let folder = try Folder()
        try folder.write(records(10), to: "one")
        try folder.write(records(20).split(separator: "\n").dropFirst(10).joined(separator: "\n"), to: "two")
        let options = ["one", "two"] + (limit.map { ["--limit", "\($0)"] } ?? [])
        let whole = try probe.run(options, in: folder).output.split(separator: "\n")
        #expect(whole.count == limit ?? 20)
        var parts: [[Substring]] = []
        for k in 1...3 {
            let ended = try probe.run(options + ["--shard", "\(k)/3"], in: folder)
            parts.append(Array(ended.output).split(separator: "\n").map { Substring(String($0)) })
        }
        for (i, line) in whole.enumerated() { #expect(parts[i % 3][i / 3] == line) }
        #expect(parts.map(\.count).reduce(0, +) == whole.count)
    }

    @Test func aClosedPipeIsSuccess() throws {
        let folder = try Folder()
        try folder.write(records(50_000), to: "in")
        let shell = Process()
        shell.executableURL = URL(fileURLWithPath: "/bin/bash")
        shell.arguments = ["-c", "'\(probe.path)' in --quiet 2>err | head -1; exit ${PIPESTATUS[0]}"]
        shell.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        let pipe = Pipe()
        shell.standardOutput = pipe
        try shell.run()
        let text = String(decoding: try pipe.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
        shell.waitUntilExit()
        #expect(shell.terminationStatus == 0)
        #expect(text == #"{"id":"r1","prompt":"p","x":1.0,"temperature":1.0}"# + "\n")
        #expect(try folder.read("err") == "")
    }

    @Test func dryRunWritesNothing() throws {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.file("runs"), withIntermediateDirectories: true)
        try folder.write(records(4) + "?\n", to: "in")
        let bad = try probe.run(["in", "-o", "out", "--dry-run", "--run", "x"], in: folder)
        #expect(bad.code == 1)
        #expect(bad.errors.contains("in:5: byte 0: found '?'"))
        let good = try probe.run(["in", "-o", "out", "--dry-run", "--limit", "4"], in: folder)
        #expect(good.code == 0)
        #expect(good.errors.contains("dry run: 4 records would go to out"))
        #expect(try folder.names == ["in", "runs"])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("runs")).isEmpty)
    }
}
