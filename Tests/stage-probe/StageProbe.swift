import ArgumentParser
import Foundation
import Records
import RunLedger
import StageKit

/// A stage without a model, for the tests of what all stages share.
@main struct StageProbe: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "stage-probe", abstract: "Copy records, in the ways that tests need.")

    static var immaterialOptions: Set<String> { ["batch-size", "pause"] }

    static var secretOptions: Set<String> { ["api-key"] }

    @OptionGroup var options: StageOptions
    @OptionGroup var random: SeedOptions
    @OptionGroup var threads: ThreadOptions

    @Option(help: "Lines that a record gives; its \"copies\" says otherwise.")
    var copies = 1

    @Option(help: "Records at a time.")
    var batchSize = 4

    @Option(help: "Milliseconds that a batch takes.")
    var pause = 0

    @Option(help: "A number that is written into each record.")
    var temperature = 1.0

    @Option(help: "Records with this id are dropped by a rule.")
    var drop: [String] = []

    @Option(help: "Records with this id can't be used.")
    var refuse: [String] = []

    @Option(help: "A folder that is taken for a model.")
    var model: String?

    @Option(help: "A secret.")
    var apiKey: String?

    @Option(help: "No secret, whatever it is called.")
    var endToken: String?

    @Flag(inversion: .prefixedNo, help: "Write the temperature.")
    var note = true

    @Flag(help: "Use the stage's plain form, which throws what it refuses.")
    var plain = false

    @Flag(help: "Finish the records of a batch from last to first.")
    var backwards = false

    var runOptions: RunOptions { options.run }

    func run(in run: StageRun) throws {
        run.setCore("Probe")
        if let model { try run.addModel(model, role: "policy") }
        run.addMetric("temperature", temperature)
        if plain {
            return try run.transform(options, batch: batchSize) { batch in
                try batch.map { input in
                    if refuse.contains(input.id) { throw RecordError.missing(key: "use") }
                    return result(for: input)
                }
            }
        }
        try run.stream(options) { stream in
            while case let batch = try stream.next(batchSize), !batch.isEmpty {
                if pause > 0 { usleep(UInt32(pause) * 1000) }
                for input in backwards ? batch.reversed() : batch {
                    try stream.finish(input, result(for: input))
                }
            }
        }
    }

    private func result(for input: InputRecord) -> RecordResult {
        if drop.contains(input.id) { return .dropped("named by --drop") }
        if refuse.contains(input.id) { return .bad(RecordError.missing(key: "use")) }
        do {
            let count = try input.record.int("copies") ?? copies
            return .records(
                try (0..<count).map { copy in
                    var record = input.record
                    if count > 1 { record.set("copy", .int(copy)) }
                    if note { record.set("temperature", try .double(temperature)) }
                    return record
                })
        } catch { return .bad(error) }
    }
}
