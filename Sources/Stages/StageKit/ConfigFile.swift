import ArgumentParser
import Foundation
import TOMLKit

/// A recipe as a stage reads it: the keys of its table are the long names of its flags.
struct ConfigFile {
    /// Only the command line can say these.
    private static let refused: Set<String> = ["config", "print-config", "help", "version"]

    let path: String
    private let table: TOMLTable

    /// - Throws: what `Recipe` throws.
    init(path: String) throws {
        self.path = path
        table = try Recipe(path: path).table
    }

    /// The words that the stage's table stands for, without those keys that `typed` sets itself.
    /// - Throws: `StageError` (usage) that lists every fault of the table, and every table that is no program's:
    ///   under a misspelt one a program would run on its defaults.
    func words(
        for stage: String, command: any ParsableCommand.Type, declared: DeclaredOptions, typed: [String]
    ) throws -> [String]? {
        var faults = table.keys.filter { table[$0]?.table == nil }.map {
            "key \"\($0)\" is outside any table; put it under [\(stage)]"
        }
        faults += table.keys.filter { table[$0]?.table != nil }.compactMap { Self.strayTable($0, stage) }
        let typedKeys = Set(declared.scan(typed).map(\.key))
        var words: [String] = []
        let own = table[stage]?.table
        for key in own?.keys ?? [] {
            do {
                let added = try Self.words(key, own?[key], stage, declared)
                if let fault = Self.invalidValue(added, command) { throw Fault(text: fault) }
                if !typedKeys.contains(key), !Self.isCovered(key, by: typedKeys) { words += added }
            } catch let fault as Fault {
                faults.append("[\(stage)] \(fault.text)")
            }
        }
        if !faults.isEmpty { throw StageError.usage(faults.map { "\(path): \($0)" }.joined(separator: "\n")) }
        return own == nil ? nil : words
    }

    private struct Fault: Error { let text: String }

    /// Files typed as positional arguments take the place of configured ones; `--no-x` of `--x`.
    private static func isCovered(_ key: String, by typed: Set<String>) -> Bool {
        (key == "input" && typed.contains("files")) || typed.contains("no-\(key)")
            || (key.hasPrefix("no-") && typed.contains(String(key.dropFirst(3))))
    }

    private static func words(
        _ key: String, _ value: TOMLValueConvertible?, _ stage: String, _ declared: DeclaredOptions
    ) throws -> [String] {
        guard let option = declared.named(key), !refused.contains(key) else {
            throw Fault(text: "\(key): \(unknown(key, declared))")
        }
        guard let value else { throw Fault(text: "\(key): no value; give one") }
        if option.kind == .flag {
            guard let isOn = value.bool else {
                throw Fault(text: "\(key): \(value.type); it must be true or false")
            }
            if isOn { return ["--\(key)"] }
            return declared.named("no-\(key)") == nil ? [] : ["--no-\(key)"]
        }
        if let array = value.array {
            guard option.isRepeating else { throw Fault(text: "\(key): an array; it takes one value") }
            return try array.flatMap { ["--\(key)=\(try scalar($0, key))"] }
        }
        return ["--\(key)=\(try scalar(value, key))"]
    }

    private static func scalar(_ value: TOMLValueConvertible, _ key: String) throws -> String {
        if let text = value.string { return text }
        if let number = value.int { return String(number) }
        if let number = value.double, number.isFinite { return number.description }
        throw Fault(text: "\(key): \(value.type); it must be a string or a finite number")
    }

    private static func unknown(_ key: String, _ declared: DeclaredOptions) -> String {
        if refused.contains(key) { return "this belongs on the command line; remove it" }
        if let near = nearest(to: key, among: declared.all.filter { $0.kind != .positional }.map(\.key)) {
            return "no such option; did you mean \"\(near)\"?"
        }
        return "no such option; --help lists the options"
    }

    private static func strayTable(_ name: String, _ stage: String) -> String? {
        let known = ProgramNames.tables + [stage]
        if known.contains(name) { return nil }
        let near = known.map { (name: $0, distance: editDistance($0, name)) }.min {
            $0.distance < $1.distance
        }
        let remedy =
            near.flatMap { $0.distance <= max(2, $0.name.count / 3) ? "did you mean [\($0.name)]?" : nil }
            ?? "tables are those of \(ProgramNames.tables.joined(separator: ", "))"
        return "table [\(name)]: no such program; \(remedy)"
    }

    /// What the parser says about the value alone. Its other complaints (something is missing)
    /// belong to the whole command line.
    private static func invalidValue(_ words: [String], _ command: any ParsableCommand.Type) -> String? {
        guard !words.isEmpty else { return nil }
        do {
            _ = try command.parseAsRoot(words)
            return nil
        } catch {
            let message = command.message(for: error)
            return message.hasPrefix("The value") ? message : nil
        }
    }

    // MARK: - Printing

    /// The settings as a table that reads back to the same.
    ///
    /// - Parameter isIdle: whether a setting would be refused, since it does nothing beside the others: it is a comment.
    static func rendered(
        _ settings: [Setting], stage: String, isIdle: (String) -> Bool = { _ in false }
    ) -> String {
        var out = "[\(stage.contains(" ") ? Recipe.quoted(stage) : stage)]\n"
        let files = settings.filter { $0.key == "input" || $0.key == "files" }.flatMap(\.items)
        if !files.isEmpty { out += "input = [\(files.map(literal).joined(separator: ", "))]\n" }
        // What is named by a pattern, as name=folder, can only be typed.
        for setting in settings
        where !refused.union(["input", "files"]).contains(setting.key) && !setting.key.contains("=") {
            if isIdle(setting.key) { out += "# " }
            switch setting.value {
            case .flag(let isOn): out += "\(setting.key) = \(isOn)\n"
            case .text(let text): out += "\(setting.key) = \(literal(text))\n"
            case .list(let items):
                out += "\(setting.key) = [\(items.map(literal).joined(separator: ", "))]\n"
            }
        }
        return out
    }

    /// A number bare where TOML reads it as one, anything else in quotes.
    private static func literal(_ text: String) -> String {
        if text.wholeMatch(of: /[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?/) != nil { return text }
        return Recipe.quoted(text)
    }
}

/// The name that was probably meant by one that there isn't, at most two letters away.
package func nearest(to name: String, among names: [String]) -> String? {
    let near = names.map { (name: $0, distance: editDistance($0, name)) }.min { $0.distance < $1.distance }
    return near.flatMap { $0.distance <= 2 ? $0.name : nil }
}

/// Levenshtein's distance.
func editDistance(_ a: String, _ b: String) -> Int {
    let b = Array(b.utf8)
    var row = Array(0...b.count)
    for (i, letter) in a.utf8.enumerated() {
        var diagonal = row[0]
        row[0] = i + 1
        for j in b.indices {
            let replaced = diagonal + (letter == b[j] ? 0 : 1)
            diagonal = row[j + 1]
            row[j + 1] = min(replaced, row[j] + 1, row[j + 1] + 1)
        }
    }
    return row[b.count]
}
