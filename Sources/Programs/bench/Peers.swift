import Foundation
import JSON
import Kernels

/// TRL with PEFT, transformers' `generate` or llama.cpp, in a process of its own (Tests/Benchmarks/peers.py --serve) that
/// takes one turn whenever it is asked, so that turns of both sides alternate.
final class Peer {
    enum Work: String { case train, sample, products, decode }

    private let process = Process()
    private let input = Pipe()
    private let output: FileHandle
    private let place: String
    private var pending = Data()
    /// What it says of itself: versions, the batch size that did best, what was tried.
    private(set) var introduction = Data()

    /// - Throws: `BenchError` when the script can't be started or fails.
    init(
        _ script: String, _ python: String, _ work: Work, _ compute: Compute, _ folder: String, threads: Int,
        _ more: [String]
    ) throws {
        place = script
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [
                python, "-B", script, "--serve", work.rawValue, "--dtype", compute.rawValue, folder,
                "--threads", String(threads),
            ] + more
        let pipe = Pipe()
        process.standardOutput = pipe
        process.standardInput = input
        output = pipe.fileHandleForReading
        do { try process.run() } catch {
            throw BenchError(
                place: python, finding: "it can't be started: \(error)", remedy: "check --python")
        }
        introduction = try line()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    /// One turn. What comes back is work per second, of a product seconds.
    func turn(_ words: String = "go") throws -> Double {
        try input.fileHandleForWriting.write(contentsOf: Data((words + "\n").utf8))
        guard let number = Double(String(decoding: try line(), as: UTF8.self)) else { throw ended }
        return number
    }

    private var ended: BenchError {
        BenchError(place: place, finding: "it ended early", remedy: "read what it says above")
    }

    private func line() throws -> Data {
        while true {
            if let end = pending.firstIndex(of: UInt8(ascii: "\n")) {
                defer { pending = Data(pending[(end + 1)...]) }
                return Data(pending[..<end])
            }
            let more = output.availableData
            guard !more.isEmpty else { throw ended }
            pending += more
        }
    }
}
