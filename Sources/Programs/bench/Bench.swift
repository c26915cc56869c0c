import ArgumentParser
import Files
import Foundation
import Kernels

/// Measures training and sampling on a LLaVA of about 100 M parameters in f32 and bf16, the matrix products inside a
/// training step against a library alone, the decoding of one stream against a plain read of its weights, SmolVLM-256M's
/// shape, and, where Python is at hand, the same work by TRL, transformers and llama.cpp, turn by turn.
@main struct Bench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bench",
        abstract: "Measure the engine's speed, optionally next to its peers'.",
        discussion: """
            Without a folder, model and pictures are generated, in the sizes that
            Tests/Benchmarks/peers.py --make writes. OPENBLAS_… variables are unset first.
              bench -o bench.json
              bench runs/bench --peers Tests/Benchmarks/peers.py --python venv/bin/python -o bench.json
            llama.cpp is measured where --llama-bench names its program.
            """)

    @Argument(help: "Folder with model/, prompts.jsonl, pairs.jsonl and images/, written by peers.py --make.")
    var folder: String?
    @Option(
        help: ArgumentHelp("Measure the peers too, with this script, on the same folder.", valueName: "file"))
    var peers: String?
    @Option(help: ArgumentHelp("Python that has the peers.", valueName: "file")) var python = "python3"
    @Option(help: ArgumentHelp("llama.cpp's llama-bench, to be measured too.", valueName: "file"))
    var llamaBench: String?
    /// A part of what is measured.
    enum Part: String, CaseIterable, ExpressibleByArgument { case decode, train, sample, pictures }

    @Option(parsing: .upToNextOption, help: "Measure only these parts.") var only = Part.allCases
    @Option(help: "Threads of everything that is measured.") var threads = 2
    @Option(help: "Turns of each side.") var rounds = 5
    @Flag(help: "One small batch of each, to see that it runs; the figures mean nothing.") var quick = false
    @Option(name: [.short, .long], help: ArgumentHelp("Figures as JSON.", valueName: "file"))
    var output = "bench.json"

    func validate() throws {
        for (name, value) in [("threads", threads), ("rounds", rounds)] where value < 1 {
            throw ValidationError("--\(name) \(value): give a number from 1")
        }
        if llamaBench != nil && peers == nil {
            throw ValidationError("--llama-bench: it is run by the script of --peers; give that too")
        }
        if peers != nil && folder == nil {
            throw ValidationError(
                "--peers: give the folder that it wrote with --make; both sides need one model")
        }
    }

    func run() throws {
        try Environment.withoutOpenBLASVariables()
        Parallel.threads = threads
        var report = BenchReport(threads: threads, isQuick: quick, model: folder ?? "made")
        // What was measured stands on disk, also where the rest takes longer than somebody waits.
        func keep() throws { try AtomicFile.write(try report.json(), to: output) }
        if !quick, only.contains(.decode) {
            for compute in Compute.compared {
                talk("one stream of 1.1 B parameters, \(compute.rawValue)")
                let other = try llamaBench.flatMap { try peer(.decode, compute, ["--llama-bench", $0]) }
                report.decoding[compute] = try DecodeBench.measure(compute, rounds: rounds, peer: other)
                try keep()
            }
        }
        if only.contains(.train) { try train(&report) }
        try keep()
        if only.contains(.sample) { try sample(&report) }
        try keep()
        if !quick, only.contains(.pictures) {
            let scratch = try Scratch()
            for compute in Compute.compared {
                talk("SmolVLM-256M's shape, \(compute.rawValue)")
                report.tiled[compute] = try TiledBench.measure(compute, in: scratch.folder, rounds: rounds)
            }
            try keep()
        }
        print(report.table)
    }

    /// Ours, its peer, ours, its peer, …: rates of all.
    private func inTurns(
        _ sides: [(compute: Compute, rate: () throws -> Double, peer: Peer?)]
    ) throws -> BenchReport.Work {
        let turns = quick ? 1 : rounds
        var own: [Compute: [Double]] = [:]
        var others: [Compute: [Double]] = [:]
        for turn in 1...turns {
            for side in sides {
                own[side.compute, default: []].append(try side.rate())
                if let peer = side.peer { others[side.compute, default: []].append(try peer.turn()) }
            }
            talk("  turn \(turn) of \(turns): \(BenchReport.Work(own, others, []).latest)")
        }
        return BenchReport.Work(own, others, sides.compactMap(\.peer))
    }

    private func workload(_ compute: Compute) throws -> (Workload, scratch: Scratch?) {
        if let folder { return (try Workload(folder: URL(fileURLWithPath: folder), compute), nil) }
        let scratch = try Scratch()
        return (try Workload.made(in: scratch.folder, compute), scratch)
    }

    private func peer(_ work: Peer.Work, _ compute: Compute, _ more: [String] = []) throws -> Peer? {
        try peers.map {
            if work == .train || work == .sample {
                let name = work == .train ? "TRL + PEFT" : "generate"
                talk("\(name), \(compute.rawValue): which batch size does best?")
            }
            return try Peer(
                $0, python, work, compute, folder!, threads: threads, quick ? more + ["--quick"] : more)
        }
    }

    private func train(_ report: inout BenchReport) throws {
        var sides: [(compute: Compute, bench: TrainingBench, size: Int, peer: Peer?, kept: Scratch?)] = []
        for compute in Compute.compared {
            let (workload, scratch) = try workload(compute)
            talk("dpo-train, \(compute.rawValue): \(workload.parameterCount / 1_000_000) M parameters")
            let bench = TrainingBench(workload)
            let size = try bench.climb(quick ? [1] : [2, 4, 8, 16])
            sides.append((compute, bench, size, try peer(.train, compute), scratch))
        }
        report.training = try inTurns(
            sides.map { side in (side.compute, { try side.bench.turn(batchSize: side.size) }, side.peer) })
        for side in sides {
            talk("matrix products of a training step, \(side.compute.rawValue)")
            let library = try side.compute == .bf16 ? peer(.products, .bf16) : nil
            if side.compute == .bf16, library == nil { continue }
            report.products[side.compute] = try ProductBench(threads: threads, library: library).measure {
                try side.bench.step(batchSize: side.size, first: 0)
            }
        }
    }

    private func sample(_ report: inout BenchReport) throws {
        var sides: [(compute: Compute, bench: SamplingBench, peer: Peer?, kept: Scratch?)] = []
        for compute in Compute.compared {
            talk("sample, \(compute.rawValue)")
            let (workload, scratch) = try workload(compute)
            let bench = SamplingBench(workload, prompts: quick ? 2 : 32)
            _ = try bench.turn()
            sides.append((compute, bench, try peer(.sample, compute), scratch))
        }
        report.sampling = try inTurns(sides.map { ($0.compute, $0.bench.turn, $0.peer) })
    }
}

/// A folder for as long as somebody has it.
final class Scratch {
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("bench-\(UUID().uuidString)")
    init() throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    }
    deinit { try? FileManager.default.removeItem(at: folder) }
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
