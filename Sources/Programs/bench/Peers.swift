import Foundation

/// TRL with PEFT and transformers' `generate`, measured by Tests/Benchmarks/peers.py.
struct Peers {
    struct Training: Codable {
        let batchSize: Int
        let pairsPerSecond: Double
    }

    struct Sampling: Codable {
        let batchSize: Int
        let newTokensPerSecond: Double
    }

    /// What of the script's report is compared; `raw` keeps all of it.
    struct Report: Decodable {
        let dpoTrain: [String: Training]
        let sample: [String: Sampling]
    }

    let script: String
    let python: String

    /// - Throws: `BenchError` when the script can't be started or fails.
    func measure(_ folder: String, threads: Int, quick: Bool) throws -> (report: Report, raw: Data) {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments =
            [python, "-B", script, "--measure", folder, "--threads", String(threads)]
            + (quick ? ["--quick"] : [])
        let pipe = Pipe()
        process.standardOutput = pipe
        do { try process.run() } catch {
            throw BenchError(
                place: python, finding: "it can't be started: \(error)", remedy: "check --python")
        }
        let raw = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw BenchError(
                place: script, finding: "it ended with status \(process.terminationStatus)",
                remedy: "read what it says above")
        }
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        return (try decoder.decode(Report.self, from: raw), raw)
    }
}
