import ArgumentParser
import Foundation
import RunLedger
import StageKit
import Tables

/// Shows what was run, on what, and what came out.
@main struct LedgerProgram: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ledger", abstract: "Show what was run, on what, and what came out.",
        version: sightlineVersionAndRevision,
        subcommands: [
            List.self, Show.self, Lineage.self, CompareRuns.self, Metrics.self, Rounds.self, RecordRound.self,
            RunLocked.self, Sweep.self,
        ])

    static var _errorPrefix: String { "ledger: " }

    static func main() { Program.main(Self.self, name: "ledger") }
}

/// Which ledger a subcommand reads.
struct LedgerOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Ledger file; by default $SIGHTLINE_LEDGER, or runs/ledger.sqlite where runs/ exists.",
            valueName: "file"))
    var ledger: String?

    var console: Console { Console(name: "ledger", isQuiet: false) }

    func path() throws -> String {
        guard let path = StageRun.ledgerPath(ledger, ProcessInfo.processInfo.environment) else {
            throw StageError.failed("no ledger here; name one with --ledger or $SIGHTLINE_LEDGER")
        }
        return path
    }

    func open(_ access: Ledger.Access) throws -> Ledger { try Ledger(path: try path(), access: access) }
}

/// Lists runs, newest last.
struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List runs, newest last.")

    @OptionGroup var options: LedgerOptions
    @Option(help: "Only runs of this stage.") var stage: String?
    @Option(name: .customLong("run"), help: "Only runs of this name.") var runName: String?
    @Option(help: "Only runs with this outcome: \(Outcome.allCases.map(\.rawValue).joined(separator: ", ")).")
    var outcome: Outcome?
    @Option(help: "Maximum number of runs, newest first.") var limit = 50
    @Flag(help: "One JSON object per line.") var json = false

    func run() throws {
        let ledger = try options.open(.read)
        // The run of a process that died without a word still says "running".
        let told: [Outcome?] = outcome == .killed ? [.killed, .running] : [outcome]
        let runs = try told.flatMap { told in
            try ledger.runs(
                .init(stage: stage, runName: runName, outcome: told, limit: told == .running ? .max : limit)
            ).filter { outcome == nil || $0.currentOutcome == outcome }
        }.sorted { $0.id < $1.id }.suffix(limit)
        if json { return try Program.put(runs.map { try RunJSON.of($0).text + "\n" }.joined()) }
        let head = ["id", "stage", "run", "outcome", "started", "time", "in", "out", "dropped", "skipped"]
        let rows = runs.map { run in
            [
                "\(run.id)", run.stage, run.runName ?? "", run.currentOutcome.rawValue,
                Text.date(run.started),
                run.seconds.map(Text.seconds) ?? "", "\(run.counts.read)", "\(run.counts.written)",
                "\(run.counts.dropped)", "\(run.counts.skipped)",
            ]
        }
        try Program.put(TextTable([head] + rows, right: [0, 5, 6, 7, 8, 9]).plainText)
    }
}

/// Shows one run with its inputs, outputs and last metrics.
struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show one run.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "Number of the run, as `list` shows it.") var id: Int64
    @Flag(help: "One JSON object.") var json = false

    func run() throws {
        let ledger = try options.open(.read)
        let run = try ledger.run(id)
        let inputs = try ledger.inputs(of: id)
        let outputs = try ledger.outputs(of: id)
        let metrics = Metric.last(try ledger.metrics(of: id))
        if json {
            return try Program.put(
                try RunJSON.of(run, inputs: inputs, outputs: outputs, metrics: metrics).text + "\n")
        }
        let rows =
            try RunJSON.lines(run).map { [$0.name, $0.value] }
            + (inputs + outputs).map { [$0.role, Text.artefact($0.artefact)] }
            + metrics.map { [$0.name, Text.metric($0)] }
        try Program.put(TextTable(rows, right: []).plainText)
    }
}

/// Follows a file back to what nobody here has made.
struct Lineage: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Follow a file or model back to its prompts.",
        discussion: "Steps are connected by content, so renamed files and pipes are followed.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "A file or folder.") var file: String

    func run() throws {
        let ledger = try options.open(.read)
        let artefact = try Digest.artefact(file, kind: .file)
        guard let known = try ledger.artefacts(digest: artefact.digest).first else {
            throw StageError.failed(
                "\(file): no run has read or written this content; it was changed since, or made elsewhere")
        }
        for step in try ledger.lineage(
            of: Artefact(
                path: file, digest: known.digest, bytes: known.bytes, kind: known.kind))
        {
            let indent = String(repeating: "  ", count: step.depth)
            let role = step.role.isEmpty ? "" : "\(step.role): "
            let maker = step.run.map { "made by run \($0.id), \($0.stage), \(Text.date($0.started))" }
            try Program.put("\(indent)\(role)\(Text.artefact(step.artefact))  \(maker ?? "not made here")\n")
        }
    }
}

/// Two runs side by side.
struct CompareRuns: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Compare two runs: what differs in options, inputs and metrics.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "Number of a run.") var first: Int64
    @Argument(help: "Number of another.") var second: Int64
    @Flag(help: "Show also what is equal.") var all = false

    func run() throws {
        let ledger = try options.open(.read)
        let columns = try [first, second].map { id in try facts(ledger, id) }
        var names = columns[0].map(\.name)
        for entry in columns[1] where !names.contains(entry.name) { names.append(entry.name) }
        var rows = [["", "run \(first)", "run \(second)"]]
        for name in names {
            let values = columns.map { column in column.first { $0.name == name }?.value ?? "–" }
            if all || values[0] != values[1] { rows.append([name] + values) }
        }
        try Program.put(TextTable(rows, right: []).plainText)
    }

    private func facts(_ ledger: Ledger, _ id: Int64) throws -> [(name: String, value: String)] {
        let run = try ledger.run(id)
        var out = try RunJSON.lines(run).filter { !["id", "arguments", "pid"].contains($0.name) }
        out += try RunJSON.settings(run)
        for link in try ledger.inputs(of: id) { out.append((link.role, Text.artefact(link.artefact))) }
        for metric in Metric.last(try ledger.metrics(of: id)) {
            out.append((metric.name, Text.metric(metric)))
        }
        return out
    }
}

/// The metrics of a run, step by step.
struct Metrics: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the metrics of a run as tab-separated lines.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "Number of the run.") var id: Int64
    @Option(help: "Only metrics of this name.") var name: [String] = []

    func run() throws {
        let ledger = try options.open(.read)
        _ = try ledger.run(id)
        var out = "name\tstep\tvalue\n"
        for metric in try ledger.metrics(of: id) where name.isEmpty || name.contains(metric.name) {
            out += "\(metric.name)\t\(metric.step.map(String.init) ?? "")\t\(metric.value)\n"
        }
        try Program.put(out)
    }
}

extension Outcome: ExpressibleByArgument {}
