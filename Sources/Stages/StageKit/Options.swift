import ArgumentParser
import Files
import Foundation

/// Options of every program that does work.
package struct RunOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Read options from this TOML file; those typed on the command line win.", valueName: "file"))
    package var config: String?

    @Flag(help: "Print every option with its value as a configuration file and stop.")
    package var printConfig = false

    @Flag(help: "Check options and input, say what would be done and stop.")
    package var dryRun = false

    @Flag(help: "Print only warnings and errors.")
    package var quiet = false

    @Option(
        help: ArgumentHelp(
            "Ledger file; by default $SIGHTLINE_LEDGER, or runs/ledger.sqlite where runs/ exists.",
            valueName: "file"))
    package var ledger: String?

    @Flag(help: "Don't record this run in the ledger.")
    package var noLedger = false

    @Option(help: ArgumentHelp("Name of the run; locks runs/NAME/.lock while it lasts.", valueName: "name"))
    package var run: String?

    package init() {}
}

/// Options of every program that reads records.
package struct InputOptions: ParsableArguments {
    @Argument(help: "Files of records; standard input by default or for '-'.")
    package var files: [String] = []

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("A file of records, read before those above.", valueName: "file")
    )
    package var input: [String] = []

    @Option(help: ArgumentHelp("Read only the first n lines of the input.", valueName: "n"))
    package var limit: Int?

    @Option(
        help: ArgumentHelp("Read only part k of n (k from 1), by line number modulo n.", valueName: "k/n"))
    package var shard: Shard?

    @Option(help: ArgumentHelp("Skip up to n bad records instead of stopping at the first.", valueName: "n"))
    package var skipBad: Int = 0

    package init() {}

    /// Those of these files alone.
    package init(files: [String]) {
        (self.files, input, limit, shard, skipBad) = (files, [], nil, nil, 0)
    }

    package var paths: [String] { input + files }

    package func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit \(limit): give a number from 0") }
        if skipBad < 0 { throw ValidationError("--skip-bad \(skipBad): give a number from 0") }
        if paths.filter({ $0 == "-" }).count > 1 {
            throw ValidationError("'-' is given twice; standard input can be read only once")
        }
    }
}

/// Options of every program that turns records into records.
package struct StageOptions: ParsableArguments {
    @OptionGroup package var input: InputOptions

    @Option(
        name: [.short, .long],
        help: ArgumentHelp("File to write; standard output by default.", valueName: "file"))
    package var output: String?

    @Flag(help: "Continue the FILE.part that an interrupted run left.")
    package var resume = false

    @OptionGroup(title: "Run") package var run: RunOptions

    package init() {}

    package func validate() throws {
        if resume, output == nil || output == "-" {
            throw ValidationError("--resume needs --output: a stream can't be continued")
        }
        if output == "" { throw ValidationError("--output: an empty name; name a file") }
    }

    /// Refuses a file beside the records that is the output itself or one of the inputs.
    /// - Parameter option: that names it.
    /// - Throws: `StageError.usage`.
    package func check(sideOutput path: String, _ option: String) throws {
        for other in input.paths + [output].compactMap({ $0 })
        where !StageRun.isStream(other) && !StageRun.isStream(path)
            && OutputPlace.real(other) == OutputPlace.real(path)
        {
            throw StageError.usage("\(option) \(path): it would replace \(other); choose another file")
        }
    }
}

/// Options of programs that draw at random.
package struct SeedOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Seed of all random draws.", valueName: "n"))
    package var seed: UInt64 = 0

    package init() {}
}

/// Options of programs that work on several cores.
package struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Number of threads; all cores by default.", valueName: "n"))
    package var threads: Int?

    package init() {}

    package var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

    package func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads \(threads): give a number from 1") }
    }
}
