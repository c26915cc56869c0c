import ArgumentParser
import Foundation
import StageKit

/// Prints a recipe in one file, with what it takes from its base and what is set.
struct PrintRecipe: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recipe", _superCommandName: "sightline",
        abstract: "Print a complete recipe, with options changed.",
        discussion: """
            A recipe that begins with base = "other.toml" holds its changes to that one; an empty array unsets a key. \
            A run keeps what is printed here.

              sightline recipe default.toml --set lambda=0.5 --set dpo-train.epochs=1 >mine.toml
            """, version: sightlineVersionAndRevision)

    static var _errorPrefix: String { "sightline recipe: " }

    @Argument(help: "The recipe.") var file: String

    @Option(
        help: ArgumentHelp(
            "Set an option; without a table, in every table that has it. May be repeated.",
            valueName: "table.key=value"))
    var set: [String] = []

    func run() throws {
        try Program.put(try Recipe(path: place()).text(changes: set))
    }

    /// The file, or that of a recipe of this name that comes with this copy.
    private func place() throws -> String {
        guard !file.contains("/"), !FileManager.default.fileExists(atPath: file) else { return file }
        let own =
            try Graphs(Family()).folder + "/recipes/" + (file.hasSuffix(".toml") ? file : file + ".toml")
        return FileManager.default.fileExists(atPath: own) ? own : file
    }
}
