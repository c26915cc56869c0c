import ArgumentParser
import Interchange
import Records
import StageKit

/// Preference pairs out of the files of other tools.
@main struct Import: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Read other tools' preference pairs into records.",
        discussion: """
            Reads lines of JSON or one JSON array and writes pairs {"id","image","prompt","chosen","rejected"}.
              import llava_7b_v1_preference.json -o pairs.jsonl
              import rows.jsonl --from trl -o pairs.jsonl
            The layout is told by each row's keys unless --from names it. What a row says beside the pair is kept.
            Rows of one id become id, id#2, …; a row without one is named by its number.
            """)

    @OptionGroup var options: StageOptions
    @Option(help: "Layout of the rows; else what their keys tell.") var from: PairLayout?

    var runOptions: RunOptions { options.run }

    func run(in run: StageRun) throws {
        func pair(_ input: InputRecord) throws -> Record {
            try (from ?? PairLayout(of: input.record)).pair(input.record, id: input.id)
        }
        try run.transform(options, from: .rows, batch: 1, check: { _ = try pair($0) }) { batch in
            try batch.map { .record(try pair($0)) }
        }
    }
}

extension PairLayout: ExpressibleByArgument {}
