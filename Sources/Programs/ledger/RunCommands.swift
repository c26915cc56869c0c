import ArgumentParser
import Foundation
import RunLedger
import StageKit
import Tables

/// The models that the rounds of a run ended with.
struct Rounds: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the rounds of a run and their models.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "Name of the run; all runs by default.") var name: String?

    func run() throws {
        let rows = try options.open(.read).rounds(of: name).map { round in
            [
                round.runName, "\(round.k)", round.modelPath, String(round.modelDigest.prefix(12)),
                Text.date(round.recorded),
            ]
        }
        let head = ["run", "round", "model", "digest", "recorded"]
        try Program.put(TextTable([head] + rows, right: [1]).plainText)
    }
}

/// Notes the model of a round.
struct RecordRound: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "round",
        abstract: "Record the model that a round ended with; round 0 is the initial model.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "Name of the run.") var name: String
    @Argument(help: "Number of the round.") var k: Int
    @Argument(help: "Folder of the model or adapter.") var model: String

    func validate() throws {
        if k < 0 { throw ValidationError("\(k): rounds count from 0") }
    }

    func run() throws {
        let artefact = try Digest.artefact(model, kind: .model)
        let round = Round(runName: name, k: k, modelDigest: artefact.digest, modelPath: model)
        do { try options.open(.write).setRound(round) } catch let error as LedgerError where error.mayPass {
            // A graph notes the round once, behind its work; that must not be undone for it.
            let path = try options.path()
            let file = try WaitingRows(ledger: path, [.round(round)]).write(beside: [model, path])
            options.console.warn("\(error); the round waits in \(file), and the next run will enter it")
        }
    }
}

/// Runs a command as the one holder of a run's name.
struct RunLocked: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a command while holding the lock runs/NAME/.lock.",
        discussion: """
            The stages that the command starts belong to the run NAME. A second caller gets exit code 75. \
            The kernel releases the lock when the command and everything it started have ended.
            """)

    @Argument(help: "Name of the run.") var name: String
    @Argument(parsing: .captureForPassthrough, help: "The command with its arguments.") var command: [String]

    func validate() throws {
        if words.isEmpty { throw ValidationError("a command must follow the name") }
    }

    private var words: [String] { Array(command.first == "--" ? command.dropFirst() : command[...]) }

    func run() throws {
        try RunLock.become(words, run: name, orElse: "check the command")
    }
}

/// Marks killed runs.
struct Sweep: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Mark the runs whose process has died; every run does this when it starts.")

    @OptionGroup var options: LedgerOptions
    @Argument(help: "Folders with entries that runs left behind when the ledger was locked or full.")
    var folders: [String] = []

    func run() throws {
        // Opening for writing has marked them already; what is left is to say so.
        let ledger = try options.open(.write)
        let places = folders.map { "\($0)/." } + [ledger.path]
        try WaitingRows.bringIn(to: ledger, beside: places, options.console)
        let killed = try ledger.runs(.init(outcome: .killed, limit: .max)).count
        try Program.put("\(killed) killed runs in the ledger\n")
    }
}
