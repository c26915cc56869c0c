import ArgumentParser
import JSON
import PairFormats
import Records
import StageKit

/// Records out of the files of other tools.
@main struct Import: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Turn other tools' preference pairs, prompts and lessons into records.",
        discussion: """
            Reads lines of JSON or one JSON array and writes pairs {"id","image","prompt","chosen","rejected"}.
              import llava_7b_v1_preference.json -o pairs.jsonl
              import rows.jsonl --from trl -o pairs.jsonl
            Rows with one answer to each question become prompts for sample or lessons for sft-train:
              import detail_23k.json --to prompts -o prompts.jsonl
              import detail_23k.json --to lessons -o lessons.jsonl
            Each row's keys tell its layout unless --from does. A row's other keys are kept. Rows with the same id
            become id, id#2, …; a row without one is named by its number.
            """)

    enum Kind: String, ExpressibleByArgument, CaseIterable { case pairs, prompts, lessons }

    @OptionGroup var options: StageOptions
    @Option(help: "What to turn the rows into.") var to = Kind.pairs
    @Option(help: "Layout of the rows; by default each row's keys tell.") var from: PairLayout?
    @Option(help: "What to do with a system turn: refuse it, drop it, or put it before the first question.")
    var system = SystemRule.refuse

    var runOptions: RunOptions { options.run }

    func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(["from"], where: to != .pairs, belongingTo: "--to pairs")
    }

    func run(in run: StageRun) throws {
        try run.transform(options, from: .rows, batch: 1, check: { _ = try record($0) }) { batch in
            try batch.map { .record(try record($0)) }
        }
    }

    private func record(_ input: InputRecord) throws -> Record {
        let row = input.record
        return switch to {
        case .pairs: try (from ?? PairLayout(of: row)).pair(row, id: input.id, system: system)
        case .prompts: try InstructionRow(row, system: system).prompt(id: input.id)
        case .lessons: try InstructionRow(row, system: system).lesson(id: input.id)
        }
    }
}

extension PairLayout: ExpressibleByArgument {}
extension SystemRule: ExpressibleByArgument {}
