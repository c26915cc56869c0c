import ArgumentParser
import Foundation

/// Options of every program that does work.
package struct RunOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Take options from this TOML file, under those typed.", valueName: "file"))
    package var config: String?

    @Flag(help: "Print every option with its value as a configuration file, and stop.")
    package var printConfig = false

    @Flag(help: "Check options and input, say what would be done, and stop.")
    package var dryRun = false

    @Flag(help: "Say nothing but warnings and errors.")
    package var quiet = false

    @Option(
        help: ArgumentHelp(
            "The ledger; else $SIGHTLINE_LEDGER, else runs/ledger.sqlite where runs/ stands.",
            valueName: "file"))
    package var ledger: String?

    @Flag(help: "Keep this run out of the ledger.")
    package var noLedger = false

    @Option(help: ArgumentHelp("Name of the run; locks runs/NAME/.lock.", valueName: "name"))
    package var run: String?

    package init() {}
}

/// Options of every program that reads records.
package struct InputOptions: ParsableArguments {
    @Argument(help: "Files of records; standard input where there are none, or for '-'.")
    package var files: [String] = []

    @Option(
        name: [.short, .long], help: ArgumentHelp("A file of records, before those above.", valueName: "file")
    )
    package var input: [String] = []

    @Option(help: ArgumentHelp("Read only the first lines of the input.", valueName: "n"))
    package var limit: Int?

    @Option(help: ArgumentHelp("Read part k of n, from 1/n, by line number modulo n.", valueName: "k/n"))
    package var shard: Shard?

    @Option(help: ArgumentHelp("Leave out up to n bad records instead of stopping.", valueName: "n"))
    package var skipBad: Int = 0

    package init() {}

    package var paths: [String] { input + files }

    package func validate() throws {
        if let limit, limit < 0 { throw ValidationError("--limit \(limit): give a number from 0") }
        if skipBad < 0 { throw ValidationError("--skip-bad \(skipBad): give a number from 0") }
        if paths.filter({ $0 == "-" }).count > 1 {
            throw ValidationError("'-' stands twice: standard input can be read once")
        }
    }
}

/// Options of every program that turns records into records.
package struct StageOptions: ParsableArguments {
    @OptionGroup package var input: InputOptions

    @Option(
        name: [.short, .long], help: ArgumentHelp("Write here; else to standard output.", valueName: "file"))
    package var output: String?

    @Flag(help: "Go on with FILE.part where an earlier run stopped.")
    package var resume = false

    @OptionGroup(title: "Run") package var run: RunOptions

    package init() {}

    package func validate() throws {
        if resume, output == nil || output == "-" {
            throw ValidationError("--resume needs --output: a stream can't be continued")
        }
    }
}

/// Options of programs that draw at random and compute on several cores.
package struct EngineOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Seed of every draw.", valueName: "n"))
    package var seed: UInt64 = 0

    @OptionGroup package var computing: ThreadOptions

    package init() {}

    package var threadCount: Int { computing.threadCount }
}

/// Options of programs that compute on several cores and draw nothing.
package struct ThreadOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Threads to compute with; all cores by default.", valueName: "n"))
    package var threads: Int?

    package init() {}

    package var threadCount: Int { threads ?? ProcessInfo.processInfo.activeProcessorCount }

    package func validate() throws {
        if let threads, threads < 1 { throw ValidationError("--threads \(threads): give a number from 1") }
    }
}

/// Options of programs that open the images of records.
package struct ImageOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Folder that image paths start from and stay inside.", valueName: "folder"))
    package var imageRoot: String = "."

    package init() {}

    /// The file of an image path: inside the root after every symbolic link is followed.
    /// - Throws: `ImagePathError` where there is none or it lies elsewhere, which is the fault of a
    ///   record; `StageError` where the root itself is missing.
    package func resolve(_ image: String) throws -> String {
        try Self.resolve(image, in: imageRoot, option: "--image-root")
    }

    /// The same under the root that another option names.
    package static func resolve(_ image: String, in folder: String, option: String) throws -> String {
        guard let root = realPath(folder) else {
            throw StageError.failed("\(option) \(folder): no such folder; check the path")
        }
        let joined = image.hasPrefix("/") ? image : "\(root)/\(image)"
        guard let file = realPath(joined) else {
            throw ImagePathError.missing(image: image, root: folder, option: option)
        }
        guard file.hasPrefix(root == "/" ? "/" : root + "/") else {
            throw ImagePathError.outside(image: image, root: folder, option: option)
        }
        return file
    }

    private static func realPath(_ path: String) -> String? {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        return String(cString: real)
    }
}

/// Why a record's image can't be opened.
package enum ImagePathError: Error, Equatable, CustomStringConvertible {
    case missing(image: String, root: String, option: String = "--image-root")
    case outside(image: String, root: String, option: String = "--image-root")

    package var description: String {
        switch self {
        case .missing(let image, let root, let option):
            "image \(image): not there under \(option) \(root); check the path"
        case .outside(let image, let root, let option):
            "image \(image): it lies outside of \(option) \(root); move it or widen the root"
        }
    }
}
