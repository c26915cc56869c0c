import Foundation
import StageKit

/// The stage graphs of the copy that this program belongs to: those of `PREFIX/share/sightline` beside `PREFIX/bin`,
/// else of the tree in which it was built.
struct Graphs {
    /// What graphs include.
    private static let parts: Set = ["settings", "rounds", "grading"]

    /// Their folder. The tree's own, where it is the current folder, is called `pipelines` as its make calls it, so that
    /// runs of both keep the same names of models.
    let folder: String

    init(_ family: Family) throws {
        var places = [family.bin.deletingLastPathComponent().appendingPathComponent("share/sightline")]
        var above = family.bin
        while above.path != "/" {
            above.deleteLastPathComponent()
            places.append(above)
        }
        let home = places.map(\.path).first {
            FileManager.default.fileExists(atPath: "\($0)/pipelines/rounds.mk")
        }
        guard let home else {
            throw StageError.failed("\(places[0].path): no pipelines there; build or install Sightline again")
        }
        let isHere = home == FileManager.default.currentDirectoryPath
        let odd = home.first { !$0.isLetter && !$0.isNumber && !"/._-+,@~".contains($0) }
        if let odd, !isHere {
            throw StageError.failed(
                "\(home): make can't read a path with \"\(odd)\"; put Sightline into another folder")
        }
        folder = isHere ? "pipelines" : "\(home)/pipelines"
    }

    /// What they are called.
    var names: [String] {
        get throws {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".mk") }
                .map { String($0.dropLast(3)) }.filter { !Self.parts.contains($0) }.sorted()
        }
    }

    /// The file of the graph `name`.
    func path(of name: String) throws -> String {
        let names = try names
        if names.contains(name) { return "\(folder)/\(name).mk" }
        let near = nearest(to: name, among: names).map { "did you mean \"\($0)\"?" }
        throw StageError.usage(
            "\(name): no such graph; \(near ?? "there are \(names.joined(separator: ", "))")")
    }

    /// Each graph with what its first line says of it, up to a colon.
    func overview() throws -> String {
        let names = try names
        let width = (names.map(\.count).max() ?? 0) + 2
        return try names.map { name in
            let text = try String(contentsOfFile: "\(folder)/\(name).mk", encoding: .utf8)
            let line = text.prefix { $0 != ":" && $0 != "\n" }.drop { $0 == "#" || $0 == " " }
            return "  " + name.padding(toLength: width, withPad: " ", startingAt: 0) + line
        }.joined(separator: "\n")
    }
}
