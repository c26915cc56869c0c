import Foundation
import Testing

/// A folder of its own for a test, in which lines of shell run the built programs as a user would:
/// `sightline sample …`. `$LLAVA`, `$TIED`, `$CLIP`, `$ADAPTER` are the tiny random models of the oracle,
/// `$FIXTURES` is the folder of all fixtures. The folder goes with the object.
final class Workshop {
    struct Ended {
        let code: Int32
        let output: String
        let errors: String
    }

    let path: String

    static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fixtures").path

    /// The programs were built beside the tests.
    static let programs: String = {
        let own = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? ""
        return URL(fileURLWithPath: own).deletingLastPathComponent().path
    }()

    /// - Parameter prompts: how many prompts about the oracle's four pictures lie in `prompts.jsonl`.
    init(prompts count: Int = 0) throws {
        path = FileManager.default.temporaryDirectory.path + "/stages-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: "\(Self.fixtures)/oracle/pictures", toPath: file("pictures"))
        let lines = (0..<count).map { number in
            #"{"id":"p\#(number)","image":"pictures/picture-\#(number % 4).png","#
                + #""prompt":"What is in picture \#(number)?"}"# + "\n"
        }
        try write(lines.joined(), to: "prompts.jsonl")
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    func write(_ text: String, to name: String) throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: file(name)))
    }

    func bytes(_ name: String) throws -> Data { try Data(contentsOf: URL(fileURLWithPath: file(name))) }

    func read(_ name: String) throws -> String { String(decoding: try bytes(name), as: UTF8.self) }

    func lines(_ name: String) throws -> [String] {
        try read(name).split(separator: "\n").map(String.init)
    }

    func has(_ name: String) -> Bool { FileManager.default.fileExists(atPath: file(name)) }

    /// Starts a line of bash; output goes to files, so that no pipe can fill up.
    func start(_ line: String) throws -> Process {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/bin/bash")
        process.arguments = ["-o", "pipefail", "-c", line]
        process.currentDirectoryURL = URL(fileURLWithPath: path)
        var variables = ProcessInfo.processInfo.environment
        let oracle = "\(Self.fixtures)/oracle"
        variables["PATH"] = "\(Self.programs):\(variables["PATH"] ?? "/usr/bin:/bin")"
        variables["FIXTURES"] = Self.fixtures
        variables["LLAVA"] = "\(oracle)/llava-grouped"
        variables["TIED"] = "\(oracle)/llava-tied"
        variables["CLIP"] = "\(oracle)/clip-first-eos"
        variables["ADAPTER"] = "\(oracle)/adapter-grouped"
        for name in ["SIGHTLINE_LEDGER", "SIGHTLINE_RUN"] { variables[name] = nil }
        process.environment = variables
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = try emptied(".out")
        process.standardError = try emptied(".err")
        try process.run()
        return process
    }

    private func emptied(_ name: String) throws -> FileHandle {
        try write("", to: name)
        return try #require(FileHandle(forWritingAtPath: file(name)))
    }

    @discardableResult
    func run(_ line: String) throws -> Ended {
        let process = try start(line)
        process.waitUntilExit()
        return Ended(code: process.terminationStatus, output: try read(".out"), errors: try read(".err"))
    }

    /// Runs a line that must succeed.
    @discardableResult
    func succeed(_ line: String, _ place: SourceLocation = #_sourceLocation) throws -> Ended {
        let ended = try run(line)
        try #require(ended.code == 0, "\(line)\n\(ended.errors)", sourceLocation: place)
        return ended
    }
}
