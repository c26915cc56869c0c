import Checkpoint
import Files
import Foundation
import JSON
import Kernels
import Model

/// A checkpoint that another run made, or that is damaged.
package struct TrainingStateError: Error, CustomStringConvertible {
    package let path: String
    package let finding: String
    package let remedy: String

    package var description: String { "\(path): \(finding); \(remedy)" }
}

/// Parameters and moments in f32 in `DIR/checkpoint.safetensors`, metrics in `DIR/metrics.jsonl`.
struct TrainingState {
    let directory: URL
    let identity: String

    private var checkpoint: URL { Self.checkpoint(in: directory) }
    private var metrics: URL { directory.appendingPathComponent("metrics.jsonl") }

    func clear() throws {
        try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
        try Self.removeCheckpoint(in: directory)
        try AtomicFile.write("", to: metrics.path)
    }

    private static func checkpoint(in directory: URL) -> URL {
        directory.appendingPathComponent("checkpoint.safetensors")
    }

    static func removeCheckpoint(in directory: URL) throws {
        let file = checkpoint(in: directory)
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        try FileManager.default.removeItem(at: file)
    }

    func save(_ optimizer: AdamW) throws {
        let (step, first, second) = optimizer.moments
        func vector(_ name: String, _ matrix: Matrix) -> SafetensorsWriter.Tensor {
            SafetensorsWriter.Tensor(name, shape: [matrix.count], as: .f32, values: { matrix.values })
        }
        let values = optimizer.parameters.map { parameter in
            SafetensorsWriter.Tensor(
                "value." + parameter.name, shape: parameter.shape, as: .f32,
                values: { parameter.value.values })
        }
        try SafetensorsWriter.write(
            values + [vector("moment.first", first), vector("moment.second", second)], to: checkpoint,
            metadata: ["step": String(step), "identity": identity])
    }

    /// Steps behind the checkpoint; 0 where there is none that says so.
    var savedSteps: Int {
        get throws {
            guard FileManager.default.fileExists(atPath: checkpoint.path) else { return 0 }
            return try SafetensorsFile(checkpoint).metadata["step"].flatMap { Int($0) } ?? 0
        }
    }

    /// Puts the last checkpoint's values back and cuts the log to its step; without a checkpoint the run
    /// starts anew.
    func restore(_ optimizer: AdamW) throws {
        guard FileManager.default.fileExists(atPath: checkpoint.path) else { return try clear() }
        let file = try SafetensorsFile(checkpoint)
        guard file.metadata["identity"] == identity else {
            throw TrainingStateError(
                path: checkpoint.path, finding: "it belongs to a run with other arguments, data or model",
                remedy: "repeat the arguments of that run, or leave --resume out to start over")
        }
        guard let step = file.metadata["step"].flatMap({ Int($0) }) else {
            throw TrainingStateError(
                path: checkpoint.path, finding: "it doesn't say its step", remedy: "delete it and start over")
        }
        func read(_ name: String, into matrix: Matrix) throws {
            let view = try file.tensor(named: name)
            guard view.count == matrix.count else {
                throw TrainingStateError(
                    path: checkpoint.path, finding: "\(name) has \(view.count) elements, not \(matrix.count)",
                    remedy: "delete it and start over")
            }
            try view.read(into: UnsafeMutableBufferPointer(start: matrix.base, count: matrix.count))
        }
        for parameter in optimizer.parameters { try read("value." + parameter.name, into: parameter.value) }
        let moments = optimizer.moments
        try read("moment.first", into: moments.first)
        try read("moment.second", into: moments.second)
        optimizer.restore(step: step)
        try cutLog(to: step)
    }

    func log(step: Int, _ metrics: Metrics) throws {
        // Nine digits are what a Float needs; the line must not depend on how Double prints.
        var line = JSONObject()
        line.set("step", .int(step))
        for metric in metrics { line.set(metric.name, try .float(Float(metric.value))) }
        let handle = try FileHandle(forWritingTo: self.metrics)
        defer { try? handle.close() }
        try handle.seekToEnd()
        try handle.write(contentsOf: line.bytes + [UInt8(ascii: "\n")])
    }

    private func cutLog(to step: Int) throws {
        let lines = try String(contentsOf: metrics, encoding: .utf8).split(separator: "\n")
        guard lines.count >= step else {
            throw TrainingStateError(
                path: metrics.path,
                finding: "it holds \(lines.count) of the \(step) steps behind the checkpoint",
                remedy: "delete the checkpoint and start over")
        }
        let kept = lines.prefix(step).map { $0 + "\n" }.joined()
        try AtomicFile.write(kept, to: metrics.path)
    }
}
