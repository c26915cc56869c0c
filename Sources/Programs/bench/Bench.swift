import ArgumentParser
import Files
import Foundation
import Kernels

/// Measures training and sampling on a LLaVA of about 100 M parameters, the matrix products inside a training
/// step against OpenBLAS alone, and, where Python is at hand, the same work by TRL and transformers.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the engine's speed, optionally next to its peers'.",
        discussion: """
            Without a folder, model and pictures are generated, in the sizes that
            Tests/Benchmarks/peers.py --make writes. OPENBLAS_… variables are unset first.
              bench -o bench.json
              bench runs/bench --peers Tests/Benchmarks/peers.py --python venv/bin/python -o bench.json
            """)

    @Argument(help: "Folder with model/, prompts.jsonl, pairs.jsonl and images/, written by peers.py --make.")
    var folder: String?
    @Option(
        help: ArgumentHelp("Measure the peers too, with this script, on the same folder.", valueName: "file"))
    var peers: String?
    @Option(help: ArgumentHelp("Python that has the peers.", valueName: "file")) var python = "python3"
    @Option(help: "Threads of everything that is measured.") var threads = 2
    @Flag(help: "One small batch of each, to see that it runs; the figures mean nothing.") var quick = false
    @Option(name: [.short, .long], help: ArgumentHelp("Figures as JSON.", valueName: "file"))
    var output = "bench.json"

    func validate() throws {
        if threads < 1 { throw ValidationError("--threads \(threads): give a number from 1") }
        if peers != nil && folder == nil {
            throw ValidationError(
                "--peers: give the folder that it wrote with --make; both sides need one model")
        }
    }

    func run() throws {
        try Environment.withoutOpenBLASVariables()
        Parallel.threads = threads
        let scratch = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(getpid())")
        defer { try? FileManager.default.removeItem(at: scratch) }
        let workload =
            try folder.map { try Workload(folder: URL(fileURLWithPath: $0)) } ?? Workload.made(in: scratch)
        talk("dpo-train: \(workload.parameterCount / 1_000_000) M parameters")
        let (training, products) = try train(workload)
        talk("sample")
        let sampling = try SamplingBench(workload, prompts: quick ? 2 : 32).measure(quick ? 1 : 3)
        let peers = try self.peers.map {
            try Peers(script: $0, python: python).measure(folder!, threads: threads, quick: quick)
        }
        let report = BenchReport(
            training: training, sampling: sampling, products: products, peers: peers, threads: threads,
            isQuick: quick, model: folder ?? "made")
        try AtomicFile.write(try report.json(), to: output)
        print(report.table)
    }

    private func train(_ workload: Workload) throws -> (Rate, ProductBench.Report) {
        let bench = TrainingBench(workload)
        let rate = try bench.measure(batchSizes: quick ? [1] : [2, 4, 8, 16], quick ? 1 : 3)
        talk("matrix products of a training step")
        return (
            rate,
            try ProductBench(threads: threads).measure { try bench.step(batchSize: rate.batchSize, first: 0) }
        )
    }
}

func talk(_ words: String) { FileHandle.standardError.write(Data((words + "\n").utf8)) }

/// What stands in the way of a measurement.
struct BenchError: Error, CustomStringConvertible {
    let place: String
    let finding: String
    let remedy: String

    var description: String { "\(place): \(finding); \(remedy)" }
}

enum Environment {
    /// OpenBLAS reads its variables when it is loaded, so the program starts again without them.
    static func withoutOpenBLASVariables() throws {
        let names = ProcessInfo.processInfo.environment.keys.filter { $0.hasPrefix("OPENBLAS_") }
        guard !names.isEmpty else { return }
        names.forEach { unsetenv($0) }
        execv("/proc/self/exe", CommandLine.unsafeArgv)
        throw BenchError(
            place: names.joined(separator: ", "),
            finding: "starting again without: \(String(cString: strerror(errno)))",
            remedy: "unset them and repeat the command")
    }

    static var processor: String {
        let lines =
            (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8))?.split(separator: "\n") ?? []
        let name = lines.first { $0.hasPrefix("model name") }?.split(separator: ":").last
        return name?.trimmingCharacters(in: .whitespaces) ?? "unknown"
    }
}
