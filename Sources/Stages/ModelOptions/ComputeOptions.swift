import ArgumentParser
import Files
import Foundation
import Kernels
import Model
import StageKit

/// Options of programs that compute with models and draw nothing.
package struct ComputeOptions: ParsableArguments {
    @OptionGroup package var threads: ThreadOptions

    @Option(
        help:
            "Compute products in f32, of factors rounded to bf16 with sums in f32, or so over a decoder's weights rounded to int8, which can't be trained; bf16 by default for weights stored in two bytes, f32 for others."
    )
    package var compute: Compute?

    @Option(
        help: ArgumentHelp(
            "Memory to stay within, as 8G or 500M, MiB without a unit; nine tenths of the machine's, or of its control group's, by default.",
            valueName: "size"))
    package var memory: MemorySize?

    package init() {}

    package func prepare(_ run: StageRun) throws {
        try threads.prepare(run, compute: compute)
        run.memoryLimit = memoryLimit
    }

    /// What a program that decodes with `model` may take.
    ///
    /// - Returns: bytes for keys and values: all that the others leave, of which no more is taken than records need.
    /// - Throws: `StageError` where the model doesn't fit.
    package func planDecoding(_ model: VisionLanguageModel) throws -> Int { try decodingPlan(model).left }

    /// Says in a rehearsal what such a program will take.
    ///
    /// - Parameter slots: of keys and values that records fill at once; a token has one.
    package func sayPlan(_ model: VisionLanguageModel, slots: Int = 0, _ run: StageRun) throws {
        var plan = try decodingPlan(model)
        plan.add("keys and values", min(plan.left, slots * KeyValueCache.bytesPerSlot(model.decoder)))
        run.console.say("\(plan)")
    }

    private func decodingPlan(_ model: VisionLanguageModel) throws -> MemoryPlan {
        var plan = try MemoryPlan(drawingWith: model.family, limit: memoryLimit)
        plan.add("reading pictures", Footprint.decodingBytes)
        let int8 = model.decoder.head.compute == .int8 ? "" : ", --compute int8"
        try plan.check(remedy: "use a smaller model\(int8), or give it more")
        return plan
    }

    /// In bytes.
    package var memoryLimit: Int { memory?.bytes ?? MemorySize.machine.bytes / 10 * 9 }
}

extension ThreadOptions {
    /// Sets the engine's threads and arithmetic, and tells `run` what it computes on.
    package func prepare(_ run: StageRun, compute: Compute?) throws {
        Parallel.threads = threadCount
        Compute.preferred = compute
        run.setCore(GEMM.core)
    }
}

/// Options of programs that compute with models and draw at random.
package struct EngineOptions: ParsableArguments {
    @OptionGroup package var random: SeedOptions
    @OptionGroup package var computing: ComputeOptions

    package init() {}

    package var seed: UInt64 { random.seed }

    package func prepare(_ run: StageRun) throws { try computing.prepare(run) }

    /// The same for a program that trains.
    ///
    /// - Throws: `StageError` for `--compute int8`.
    package func prepareTraining(_ run: StageRun) throws {
        guard computing.compute != .int8 else {
            throw StageError.usage(
                "--compute int8: nothing is learned through weights rounded to int8, they are for drawing and scoring; "
                    + "give bf16 or f32")
        }
        try prepare(run)
    }
}

extension Compute: ExpressibleByArgument {}

/// `8G`: binary units, as memory has them; a bare number counts MiB.
package struct MemorySize: ExpressibleByArgument, CustomStringConvertible, Equatable, Sendable {
    package let bytes: Int

    package init(bytes: Int) { self.bytes = bytes }

    public init?(argument: String) {
        let units: [Character: Int] = ["K": 10, "M": 20, "G": 30, "T": 40]
        var digits = argument.uppercased()[...]
        if digits.hasSuffix("IB") {
            digits = digits.dropLast(2)
        } else if digits.hasSuffix("B") {
            digits = digits.dropLast()
        }
        var shift = 20
        if let unit = digits.last, let known = units[unit] {
            shift = known
            digits = digits.dropLast()
        }
        guard let number = Double(digits), number > 0, number < 1e6 else { return nil }
        bytes = Int(number * Double(1 << shift))
    }

    /// `12.5 GiB`
    package var description: String {
        bytes < 1 << 30
            ? "\(max(1, (bytes + (1 << 19)) >> 20)) MiB" : String(format: "%.1f GiB", Double(bytes) / 0x1p30)
    }

    public var defaultValueDescription: String { "\(bytes >> 20)M" }

    /// What this machine has, or the control group that the program runs in, if that is less.
    package static let machine: MemorySize = {
        var least = Int(ProcessInfo.processInfo.physicalMemory)
        for file in ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"] {
            guard let text = try? String(contentsOfFile: file, encoding: .utf8),
                let limit = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            else { continue }
            least = min(least, limit)
        }
        return MemorySize(bytes: least)
    }()
}
