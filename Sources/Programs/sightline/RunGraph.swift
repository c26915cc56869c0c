import ArgumentParser
import Foundation
import StageKit

/// Runs a graph of this copy in the current folder by make, as the one holder of the run's name.
struct RunGraph: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", _superCommandName: "sightline",
        abstract: "Run a stage graph, round after round; a stopped run continues.",
        discussion: """
            The run is in runs/NAME of the current folder and keeps the options that it began with. It needs make. \
            Exit code 75: another process is working on the run. 2: a stage failed and said why.

            \((try? Graphs(Family()).overview()) ?? "")
            """, version: sightlineVersionAndRevision)

    static var _errorPrefix: String { "sightline run: " }

    @Argument(help: "One of the graphs above.") var graph: String

    @Option(
        name: .customLong("run"),
        help: ArgumentHelp("Name of the run; the graph's by default.", valueName: "name"))
    var runName: String?

    @Option(help: ArgumentHelp("Total number of rounds, or next: one more than there are.", valueName: "n"))
    var rounds: String?

    @Option(
        help: ArgumentHelp(
            "Recipe: a file, or the name of one that comes with Sightline.", valueName: "recipe"))
    var recipe: String?

    @Option(help: ArgumentHelp("Prompts per round.", valueName: "n")) var prompts: String?

    @Option(help: ArgumentHelp("Number of test pictures to draw.", valueName: "n")) var test: String?

    @Option(help: ArgumentHelp("Model to start from.", valueName: "folder")) var model: String?

    @Option(help: ArgumentHelp("eval-all: a PEFT adapter over the model.", valueName: "folder"))
    var adapter: String?

    @Option(
        help: ArgumentHelp(
            "CLIP model that scores how well a sentence fits the picture.", valueName: "folder"))
    var relevance: String?

    @Option(help: ArgumentHelp("Prompts about your own pictures.", valueName: "file")) var data: String?

    @Option(
        help: ArgumentHelp("Folder of your pictures; by default that of the prompts.", valueName: "folder"))
    var images: String?

    @Option(
        help: ArgumentHelp(
            "A test on your own pictures. May be repeated.", valueName: "captions=file|pope=file|mme=file"))
    var exam: [String] = []

    @Option(help: ArgumentHelp("A control: other-picture or random-pairs.", valueName: "kind"))
    var control: String?

    @Option(help: ArgumentHelp("csr: pictures whose mean relevance is subtracted.", valueName: "file"))
    var baseline: String?

    @Option(help: ArgumentHelp("sima: text that asks the critic.", valueName: "file")) var critic: String?

    @Option(help: ArgumentHelp("sima: an adapter that has learned to judge.", valueName: "folder"))
    var criticAdapter: String?

    @Option(help: ArgumentHelp("factual: facts or no-facts.", valueName: "kind")) var reward: String?

    @Option(help: ArgumentHelp("factual, reward: text that asks for a grade.", valueName: "file"))
    var grade: String?

    @Option(
        help: ArgumentHelp("factual, reward: number of pictures whose answers are compared.", valueName: "n"))
    var comparisons: String?

    @Flag(help: "Print the commands that would run; write nothing.") var dryRun = false

    /// The graph's variables that were given.
    private var variables: [(name: String, value: String)] {
        let all = [
            ("ROUNDS", rounds), ("RECIPE", recipe), ("PROMPTS", prompts), ("TEST", test), ("MODEL", model),
            ("ADAPTER", adapter),
            ("RELEVANCE", relevance), ("DATA", data), ("IMAGES", images),
            ("EXAM", exam.isEmpty ? nil : exam.joined(separator: " ")), ("CONTROL", control),
            ("BASELINE", baseline), ("CRITIC", critic), ("CRITIC_ADAPTER", criticAdapter), ("REWARD", reward),
            ("GRADE", grade), ("COMPARISONS", comparisons),
        ]
        return all.compactMap { name, value in value.map { (name, $0) } }
    }

    func run() throws {
        let family = try Family()
        let name = runName ?? graph
        try RunLock.check(run: name)
        var words = ["make", "--no-print-directory", "-f", try Graphs(family).path(of: graph), "RUN=\(name)"]
        // To make a dollar begins a variable; doubled it is one, which the graph then refuses.
        words += variables.map { "\($0.name)=\($0.value.replacing("$", with: "$$"))" }
        // The graph calls the programs of this copy.
        let path = ProcessInfo.processInfo.environment["PATH"] ?? "/usr/local/bin:/usr/bin:/bin"
        setenv("PATH", "\(family.bin.path):\(path)", 1)
        let remedy = "install it (on Debian: apt-get install make)"
        if dryRun { words.insert("-n", at: 1) }
        if dryRun || isRehearsed { try Program.become(words, orElse: remedy) }
        try RunLock.become(words, run: name, orElse: remedy)
    }

    /// Whether a make above only says what it would do. The letters of its flags come first in what it passes on.
    private var isRehearsed: Bool {
        ProcessInfo.processInfo.environment["MAKEFLAGS"]?.prefix { $0 != " " }.contains("n") ?? false
    }
}
