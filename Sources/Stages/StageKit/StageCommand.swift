import ArgumentParser
import Foundation
import RunLedger

/// A program of the family. It declares its options and says what to do; configuration, ledger,
/// lock, signals, errors and exit codes are the same for all and come from `main()`:
///
///     @main struct Calibrate: StageCommand {
///         static let configuration = CommandConfiguration(commandName: "calibrate", abstract: "…")
///         @OptionGroup var options: StageOptions
///         var runOptions: RunOptions { options.run }
///         func run(in run: StageRun) throws { try run.transform(options, batch: 16) { … } }
///     }
package protocol StageCommand: ParsableCommand {
    var runOptions: RunOptions { get }
    /// Names of options, beyond those that all stages share, that change no byte of the result
    /// (batch size, cache size) and may differ when a run is resumed.
    static var immaterialOptions: Set<String> { get }
    /// Names of options whose values are kept out of the ledger.
    static var secretOptions: Set<String> { get }
    /// Refuses what was given and would do nothing beside the other options; known before anything is opened.
    func refuseIdle(_ given: GivenOptions) throws
    func run(in run: StageRun) throws
}

extension StageCommand {
    package static var immaterialOptions: Set<String> { [] }
    package static var secretOptions: Set<String> { [] }
    package func refuseIdle(_ given: GivenOptions) throws {}

    /// Errors of usage begin with the program's name, as all others do.
    package static var _errorPrefix: String { "\(_commandName): " }

    package static func main() { start(Array(CommandLine.arguments.dropFirst())) }

    /// Runs the stage with the words of its command line and ends the process; for a program that is more
    /// than one stage.
    package static func start(_ words: [String]) -> Never {
        Foundation.exit(Program.run(Self._commandName) { try runStage(words) })
    }

    private static func runStage(_ typed: [String]) throws -> Int32 {
        if typed == ["--version"] {
            try Program.put(sightlineVersionAndRevision + "\n")
            return 0
        }
        let name = Self._commandName
        let declared = try DeclaredOptions(Self.self, secrets: secretOptions)
        var words = typed
        var hasTable = true
        let configPath = declared.scan(typed).last { $0.key == "config" }?.value
        if let configPath, !typed.contains("--help"), !typed.contains("-h") {
            let file = try ConfigFile(path: configPath)
            let configured = try file.words(for: name, command: Self.self, declared: declared, typed: typed)
            hasTable = configured != nil
            words = (configured ?? []) + typed
        }
        let command = try Program.parse(Self.self) { try Self.parse(words) }
        let settings = declared.settings(of: words)
        try declared.checkRanges(of: settings)
        try command.refuseIdle(
            GivenOptions(names: declared.given(in: words), typed: declared.given(in: typed)))
        let options = command.runOptions
        if options.printConfig {
            let text = ConfigFile.rendered(settings, stage: name) { key in
                (try? command.refuseIdle(GivenOptions(names: [key], typed: []))) == nil
            }
            try ByteSink.standardOutput.write(Array(text.utf8))
            return 0
        }
        let console = Console(name: name, isQuiet: options.quiet)
        if let configPath, !hasTable {
            console.say("\(configPath) has no table [\(name)]; nothing taken from it")
        }
        Signals.hold()
        let run: StageRun
        do {
            run = try StageRun(
                stage: name, options: options, console: console, settings: settings,
                arguments: Secrets.masking(words, declared), immaterial: immaterialOptions)
        } catch {
            Signals.release()
            // What was waited for was given up because of the signal.
            if Signals.hasArrived { waitForTheEnd() }
            throw error
        }
        return try run.execute { try command.run(in: run) }
    }
}

/// What the `main` of every program shares, also of those that are no stages.
package enum Program {
    /// Help, or a complaint about the command line: `ArgumentParser` has written the text.
    private struct ParsingStopped: Error {
        let text: String
        let code: Int32
    }

    /// Runs `body` and prints what it throws in the one way: `name: where: what; what to do`.
    /// - Returns: the exit code.
    package static func run(_ name: String, _ body: () throws -> Int32) -> Int32 {
        do {
            try Signals.listen()
            return try body()
        } catch let stop as ParsingStopped {
            if stop.code != 0 {
                Console.write(stop.text.withoutControls + "\n")
                return stop.code
            }
            do { try put(stop.text + "\n") } catch { return failed(name, error) }
            return 0
        } catch {
            return failed(name, error)
        }
    }

    private static func failed(_ name: String, _ error: any Error) -> Int32 {
        let code = (error as? StageError)?.code ?? .failed
        if code != .closedPipe { Console(name: name, isQuiet: false).warn("\(error)") }
        return code.rawValue
    }

    /// Runs a command that is no stage, such as `ledger`.
    /// - Parameter words: its command line; that of the process, unless they are given.
    package static func main<Command: ParsableCommand>(
        _ command: Command.Type, name: String, _ words: [String]? = nil
    ) -> Never {
        Foundation.exit(
            run(name) {
                var parsed = try parse(command) { try command.parseAsRoot(words) }
                do { try parsed.run() } catch {
                    // Help is a command of its own that throws its text.
                    let code = command.exitCode(for: error)
                    guard code == .success || code == .validationFailure else { throw error }
                    throw ParsingStopped(text: command.fullMessage(for: error), code: code.rawValue)
                }
                return 0
            })
    }

    /// Turns what the parser throws into its text and exit code (0 for help, 64 for wrong usage).
    static func parse<Command: ParsableCommand, T>(_ command: Command.Type, _ body: () throws -> T) throws
        -> T
    {
        do { return try body() } catch {
            throw ParsingStopped(
                text: command.fullMessage(for: error), code: command.exitCode(for: error).rawValue)
        }
    }

    /// Becomes the command `words`, found on the search path; returns only by throwing.
    /// - Parameter remedy: what to do where it can't be run.
    package static func become(_ words: [String], orElse remedy: String) throws -> Never {
        // This program ignores SIGPIPE, and an ignored signal would stay ignored in the next.
        signal(SIGPIPE, SIG_DFL)
        var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
        arguments.append(nil)
        execvp(words[0], arguments)
        throw StageError.failed("\(words[0]): can't run it: \(String(cString: strerror(errno))); \(remedy)")
    }

    /// Writes text for people to standard output; a closed pipe ends the program in peace.
    package static func put(_ text: String) throws {
        try ByteSink.standardOutput.write(Array(text.withoutControls.utf8))
    }
}
