import ArgumentParser
import JSON
import PairFormats
import Records
import StageKit

/// Preference pairs as other trainers read them.
@main struct Export: StageCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Write preference pairs in another trainer's layout.",
        discussion: """
            Reads pairs and writes the trainer's rows: lines of JSON, for llava one JSON array. Lists at the end
            the keys that the rows have no place for, and in how many records they were.
              export pairs.jsonl --to trl -o rows.jsonl --report lost.json
            LLaMA-Factory needs an entry in its dataset_info.json:
              "pairs": {"file_name": "rows.jsonl", "formatting": "sharegpt", "ranking": true,
                "columns": {"messages": "conversations", "chosen": "chosen", "rejected": "rejected",
                  "images": "images"}}
            """)
    static let immaterialOptions: Set<String> = ["report"]

    @OptionGroup var options: StageOptions
    @Option(help: "Trainer whose layout to write.") var to: TrainerFormat
    @Option(help: ArgumentHelp("Also write to this file what the rows have no place for.", valueName: "file"))
    var report: String?

    var runOptions: RunOptions { options.run }

    func run(in run: StageRun) throws {
        if let report { try options.check(sideOutput: report, "--report") }
        var losses = LossReport(format: to)
        // Records that an earlier run has written count too.
        if options.resume, !run.isDryRun {
            try run.survey(options.input, from: .unnamed) { input in
                // A bad record is met again below and reported there.
                if let (_, lost) = try? to.row(for: input.record) { losses.note(lost) }
            }
        }
        try run.transform(
            options, from: .unnamed, to: to.isArray ? .array : .lines, batch: 1,
            check: { _ = try to.row(for: $0.record) }
        ) { batch in
            let (row, lost) = try to.row(for: batch[0].record)
            if !options.resume { losses.note(lost) }
            return [.record(row)]
        }
        run.sayPictures()
        if run.isDryRun { return }
        run.console.say(losses.description)
        if let report {
            try run.write(losses.json.bytes + [UInt8(ascii: "\n")], to: report, role: "report")
        }
    }
}

/// Which keys of how many records a format could not carry.
struct LossReport: CustomStringConvertible {
    let format: TrainerFormat
    private var records = 0
    private var lost: [String: Int] = [:]

    init(format: TrainerFormat) { self.format = format }

    mutating func note(_ keys: [String]) {
        records += 1
        for key in keys { lost[key, default: 0] += 1 }
    }

    private var sorted: [(key: String, value: Int)] {
        lost.sorted { ($1.value, $0.key) < ($0.value, $1.key) }
    }

    var description: String {
        if lost.isEmpty { return "\(format.rawValue) carries everything from \(records) records" }
        let list = sorted.map { "\($0.key) in \($0.value)" }.joined(separator: ", ")
        return "\(format.rawValue) has no place for: \(list); \(records) records"
    }

    var json: JSONObject {
        var keys = JSONObject()
        for (key, count) in sorted { keys.set(key, .int(count)) }
        var object = JSONObject()
        object.set("format", .string(format.rawValue))
        object.set("records", .int(records))
        object.set("not_carried", .object(keys))
        return object
    }
}

extension TrainerFormat: ExpressibleByArgument {}
