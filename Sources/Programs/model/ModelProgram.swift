import ArgumentParser
import Checkpoint
import Foundation
import Kernels
import Model
import ModelOptions
import StageKit

/// `model random`: words are those of a stage of its own.
@main enum ModelProgram {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        switch words.first {
        case "random": RandomModel.start(Array(words.dropFirst()))
        default: Program.main(Overview.self, name: "model", words)
        }
    }

    private struct Overview: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "model",
            abstract: "Make models without training: random ones of any family and size.",
            version: sightlineVersionAndRevision, subcommands: [RandomModel.self])

        static var _errorPrefix: String { "model: " }
    }
}

/// A checkpoint of random weights, for benchmarks and tests.
struct RandomModel: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "model random",
        abstract: "Write a checkpoint of random weights in the shape of a family's model.",
        discussion: """
            Weights are normal, of the deviation that training starts from, and depend on the seed and their tensor's
            name alone; they are written tensor after tensor, so that memory holds the largest one. The tokenizer knows
            bytes and the family's own tokens.
            \(NamedShape.table)
              model random llava --size 7b -o random-7b
              model random smolvlm --size 256m --dtype f32 -o random-256m
            """)

    @Argument(help: "Family: \(NamedShape.families.joined(separator: ", ")).") var family: String
    @Option(help: "Size of the model, as listed above.") var size: String
    @Option(help: "Element type of the weights.") var dtype = ElementType.bf16
    @Option(name: [.short, .long], help: ArgumentHelp("Folder to write the model to.", valueName: "folder"))
    var output: String
    @OptionGroup var random: SeedOptions
    @OptionGroup var threads: ThreadOptions
    @OptionGroup(title: "Run") var runOptions: RunOptions

    /// Bytes of a file of weights, about.
    private static let shardBytes = 4 << 30

    func run(in run: StageRun) throws {
        try threads.prepare(run, compute: .f32)
        let shape = try NamedShape(family: family, size: size)
        let target = try AtomicFolder(output)
        let plan = StartingPoints()
        var config = try shape.config()
        config.elementType = dtype
        let parameters = try config.family(plan, path: output).parameters
        let count = parameters.reduce(0) { $0 + $1.count }
        let summary =
            "\(count) parameters in \(parameters.count) tensors, "
            + "\((count * dtype.byteCount) >> 20) MiB"
        if run.isDryRun { return run.console.say("dry run: \(summary) would go to \(output)") }

        let part = URL(fileURLWithPath: try target.prepare(keeping: false))
        try config.write(to: part.appendingPathComponent("config.json"))
        try shape.writeCompanions(to: part)
        let progress = run.progress(total: parameters.count, unit: "tensors")
        try write(parameters, plan, to: part) { progress.advance(by: 1) }
        progress.finish()
        try target.publish()
        try run.addOutput(output, kind: .model)
        run.console.say(summary)
    }

    private func write(
        _ parameters: [Parameter], _ plan: StartingPoints, to folder: URL, _ advance: @escaping () -> Void
    ) throws {
        var shards: [[Parameter]] = []
        var bytes = Int.max
        for parameter in parameters {
            let size = parameter.count * dtype.byteCount
            if bytes > Self.shardBytes - size {
                shards.append([])
                bytes = 0
            }
            shards[shards.count - 1].append(parameter)
            bytes += size
        }
        var index: [String: String] = [:]
        for (number, shard) in shards.enumerated() {
            let name =
                shards.count == 1
                ? "model.safetensors"
                : String(format: "model-%05d-of-%05d.safetensors", number + 1, shards.count)
            let tensors = shard.map { parameter in
                SafetensorsWriter.Tensor(
                    TensorNames.canonical(parameter.name), shape: parameter.shape, as: dtype,
                    values: {
                        advance()
                        return plan.values(of: parameter, seed: random.seed)
                    })
            }
            try SafetensorsWriter.write(tensors, to: folder.appendingPathComponent(name))
            for tensor in tensors { index[tensor.name] = name }
        }
        if shards.count > 1 { try CheckpointDirectory.writeIndex(index, to: folder) }
    }
}
