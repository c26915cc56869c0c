import ArgumentParser
import Exams
import Foundation
import Metrics
import Pairing
import Rewards
import StageKit
import Tables

/// Reward models side by side, by answers whose truth is known.
struct Rewards: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval rewards",
        abstract: "Check rewards against known scenes: accuracy on pairs, and what the best of n invents.",
        discussion: """
            Each is NAME=FILE, the same answers scored by calibrate; the others are compared with the first,
            with paired intervals over pictures. A pair is two answers of one length that differ in their
            number of false sentences.
              eval rewards facts=facts.jsonl plain=no-facts.jsonl --best-of 8
            """)

    @Argument(help: ArgumentHelp("What to compare.", valueName: "name=file")) var rewards: [String]
    @Option(help: "Name of the score.") var score = ScoreName.reward
    @Option(help: "Largest number of answers to take the best of; a power of 2.") var bestOf = 8
    @Option(help: "Maximum difference in words within a pair, as a share of the longer answer.")
    var wordTolerance = 0.1
    @Option(
        name: [.short, .long], help: ArgumentHelp("Write all intervals to this file.", valueName: "file"))
    var output: String?
    @Option(help: "Number of bootstrap resamples.") var resamples = 10_000
    @Option(help: "Seed of the bootstrap.") var seed: UInt64 = 20_240_522
    @OptionGroup(title: "Run") var runOptions: RunOptions

    func validate() throws {
        if bestOf < 1 || bestOf & (bestOf - 1) != 0 {
            throw ValidationError("--best-of \(bestOf): give a power of 2")
        }
    }

    func run(in run: StageRun) throws {
        let rule = try PairRule(wordTolerance: wordTolerance)
        let sheets = try rewards.map { word in
            let (name, file) = try NamedPath.split(word, such: "facts=runs/demo/facts.jsonl")
            let records = try run.records(paths: [file]).map(\.record)
            do {
                return try RewardSheet(name: name, records, score: score, rule: rule, bestOf: bestOf)
            } catch { throw StageError.failed("\(file): \(error)") }
        }
        let results = try PairedBootstrap(resamples: resamples, seed: seed).intervals(
            sheets.map { BootstrapSystem(name: $0.name, seeds: [$0.sums]) },
            estimators: RewardSheet.estimators(bestOf: bestOf))
        if let output, !run.isDryRun {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
            try run.write(try encoder.encode(results) + [UInt8(ascii: "\n")], to: output)
        }
        let counts = sheets.map { "\($0.name): \($0.pairs) pairs of \($0.records) pictures" }
        try Program.put(
            TextTable([head(sheets.map(\.name))] + results.map(row)).plainText
                + counts.joined(separator: "; ") + "\n")
    }

    private func head(_ names: [String]) -> [String] {
        [""] + names.prefix(1).flatMap { [$0, "95% interval"] }
            + names.dropFirst().flatMap { [$0, "Δ", "95% interval"] }
    }

    private func row(_ result: BootstrapResult) -> [String] {
        func text(_ value: Double) -> String { String(format: "%.2f", value) }
        func bounds(_ interval: Interval) -> String { "[\(text(interval.lower)), \(text(interval.upper))]" }
        return [result.name, text(result.values[0].estimate), bounds(result.values[0])]
            + zip(result.values.dropFirst(), result.differences).flatMap { value, difference in
                [text(value.estimate), text(difference.estimate), bounds(difference)]
            }
    }
}
