import ArgumentParser
import Foundation
import StageKit

/// `sightline NAME …` runs the program NAME of the family. On a search path of their own names they would
/// clash: `eval` is a word of every shell.
@main enum Sightline {
    static func main() {
        let words = Array(CommandLine.arguments.dropFirst())
        let rest = words.first == "help" ? ["--help"] : Array(words.dropFirst())
        switch words.first == "help" ? words.dropFirst().first : words.first {
        case "run": Program.main(RunGraph.self, name: "sightline run", rest)
        case "recipe": Program.main(PrintRecipe.self, name: "sightline recipe", rest)
        case "--experimental-dump-help": Manual.main(words)
        default: break
        }
        exit(Program.run("sightline") { try run(words) })
    }

    private static func run(_ words: [String]) throws -> Int32 {
        let family = try Family()
        switch words.first {
        case nil, "--help", "-h": try Program.put(try help(family))
        case "--version": try Program.put(sightlineVersionAndRevision + "\n")
        case "--completion":
            let graphs = try Graphs(family).names
            try Program.put(
                try Completion.script(
                    for: words.dropFirst().first ?? "", programs: family.present, graphs: graphs))
        case "help" where words.count > 1: try family.run(words[1], ["--help"])
        case "help": try Program.put(try help(family))
        case let name?: try family.run(name, Array(words.dropFirst()))
        }
        return 0
    }

    private static func help(_ family: Family) throws -> String {
        """
        OVERVIEW: Align a vision-language model with its own images.

        USAGE: sightline PROGRAM [OPTIONS] [FILES] | sightline run GRAPH [OPTIONS] | sightline recipe FILE
        \(try family.overview())
        "sightline run" runs them in order, round after round; "sightline help run" lists the graphs.
        "sightline recipe" prints a complete recipe, with options changed.
        "sightline help PROGRAM" explains one; "--version" prints the version.
        "source <(sightline --completion bash)" lets a shell complete names and options.

        """
    }
}

/// The front door as the parser's generator of man pages reads it.
private struct Manual: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sightline", abstract: "Align a vision-language model with its own images.",
        discussion: "Every program has its own page: sightline-sample(1) and so on.",
        subcommands: [RunGraph.self, PrintRecipe.self])
}
