import Foundation
import Testing

/// A folder that goes with the test.
final class Folder {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/stagekit-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    /// A folder with `runs/`, where a ledger comes about, and three records in `in`.
    static func home() throws -> Folder {
        let folder = try Folder()
        try FileManager.default.createDirectory(
            atPath: folder.file("runs"), withIntermediateDirectories: true)
        try folder.write(records(3), to: "in")
        return folder
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws { try write(Array(text.utf8), to: name) }

    func write(_ bytes: [UInt8], to name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: file(name)))
    }

    func read(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func bytes(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: file(name))))
    }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    var names: [String] { get throws { try FileManager.default.contentsOfDirectory(atPath: path).sorted() } }
}

struct Ended {
    let code: Int32
    let output: String
    let errors: String
}

/// A program that was built beside the tests, or stands elsewhere.
struct Built {
    let path: String

    init(name: String) { path = "\(Self.folder)/\(name)" }

    init(path: String) { self.path = path }

    private static let folder: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().path
    }()

    /// Starts the program in `folder`; its output goes to files there, so that no pipe can fill up.
    func start(
        _ arguments: [String], in folder: Folder, input: String? = nil, environment: [String: String] = [:]
    ) throws -> Running {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder.path)
        var variables = ProcessInfo.processInfo.environment
        for name in ["SIGHTLINE_LEDGER", "SIGHTLINE_RUN"] { variables[name] = nil }
        process.environment = variables.merging(environment) { $1 }
        let tag = UUID().uuidString
        let streams = try ["in", "out", "err"].map { stream -> FileHandle in
            let path = FileManager.default.temporaryDirectory.path + "/\(tag).\(stream)"
            try Data((stream == "in" ? input ?? "" : "").utf8).write(to: URL(fileURLWithPath: path))
            defer { unlink(path) }
            return try #require(FileHandle(forUpdatingAtPath: path))
        }
        process.standardInput = streams[0]
        process.standardOutput = streams[1]
        process.standardError = streams[2]
        try process.run()
        return Running(process: process, output: streams[1], errors: streams[2])
    }

    func run(
        _ arguments: [String], in folder: Folder, input: String? = nil, environment: [String: String] = [:]
    ) throws -> Ended {
        try start(arguments, in: folder, input: input, environment: environment).wait()
    }
}

struct Running {
    let process: Process
    let output: FileHandle
    let errors: FileHandle

    func wait() throws -> Ended {
        process.waitUntilExit()
        func text(_ handle: FileHandle) throws -> String {
            try handle.seek(toOffset: 0)
            return String(decoding: try handle.readToEnd() ?? Data(), as: UTF8.self)
        }
        return Ended(code: process.terminationStatus, output: try text(output), errors: try text(errors))
    }

    func kill(_ signal: Int32) { Foundation.kill(process.processIdentifier, signal) }
}

let probe = Built(name: "stage-probe")
let ledgerProgram = Built(name: "ledger")

/// Waits until `condition` holds.
func eventually(seconds: Int = 10, _ condition: () throws -> Bool) throws {
    for _ in 0..<100 * seconds {
        if try condition() { return }
        usleep(10_000)
    }
    Issue.record("did not happen in \(seconds) seconds")
}

/// `count` records with ids r1, r2, ….
func records(_ count: Int) -> String {
    (1...count).map { #"{"id":"r\#($0)","prompt":"p","x":1.0}"# + "\n" }.joined()
}
