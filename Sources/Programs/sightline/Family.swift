import Foundation
import StageKit

/// The programs of the family, where they lie and what each says of itself.
struct Family {
    private static var names: [String] { ProgramNames.all }

    /// Folder of this program, `PREFIX/bin` or that of a build.
    let bin: URL
    /// Folder of the programs.
    let folder: String

    /// `PREFIX/libexec/sightline` beside `PREFIX/bin`, else the folder of this program, as in a build.
    init() throws {
        let link = "/proc/self/exe"
        let own: String
        do { own = try FileManager.default.destinationOfSymbolicLink(atPath: link) } catch {
            throw StageError.failed("\(link): can't read it (\(error)); /proc must be mounted")
        }
        bin = URL(fileURLWithPath: own).deletingLastPathComponent()
        let installed = bin.deletingLastPathComponent().appendingPathComponent("libexec/sightline").path
        folder = FileManager.default.fileExists(atPath: installed) ? installed : bin.path
    }

    private func path(_ name: String) -> String { "\(folder)/\(name)" }

    private func has(_ name: String) -> Bool { FileManager.default.isExecutableFile(atPath: path(name)) }

    /// The programs that are there.
    var present: [String] { Self.names.filter(has) }

    /// Becomes the program `name`; returns only by throwing.
    func run(_ name: String, _ arguments: [String]) throws -> Never {
        guard Self.names.contains(name), has(name) else { throw StageError.usage(complaint(name)) }
        try Program.become([path(name)] + arguments, orElse: "build or install it again")
    }

    private func complaint(_ name: String) -> String {
        if Self.names.contains(name) { return "\(path(name)): not there; build or install it again" }
        if let near = nearest(to: name, among: Self.names + ["run", "recipe"]) {
            return "\(name): no such program; did you mean \"\(near)\"?"
        }
        return "\(name): no such program; \"sightline\" alone lists them"
    }

    /// The programs that are there, each with the line that it says of itself.
    func overview() throws -> String {
        let width = (Self.names.map(\.count).max() ?? 0) + 2
        return try ProgramNames.sections.map { title, names in
            let lines = try names.filter(has).map { name in
                "  " + name.padding(toLength: width, withPad: " ", startingAt: 0) + (try line(of: name))
                    + "\n"
            }
            return "\n\(title)\n" + lines.joined()
        }.joined()
    }

    /// What the program's own help says first.
    private func line(of name: String) throws -> String {
        let process = Process()
        let pipe = Pipe()
        process.executableURL = URL(fileURLWithPath: path(name))
        process.arguments = ["--help"]
        process.standardOutput = pipe
        do { try process.run() } catch { throw StageError.failed("\(path(name)): \(error); build it again") }
        let help = String(decoding: pipe.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        // The parser wraps it at the width of a terminal; an empty line ends it.
        let words = help.components(separatedBy: "\n\n")[0].split { $0 == " " || $0 == "\n" }
        return words.dropFirst(words.first == "OVERVIEW:" ? 1 : 0).joined(separator: " ")
    }
}
