import Foundation
import TOMLKit

/// A TOML file with a table per stage. Where it begins with `base = "other.toml"`, a file beside it, it's that one with
/// its own keys in the place of the other's; an empty array takes a key back.
package struct Recipe {
    private static let baseKey = "base"

    package let path: String
    let table: TOMLTable
    /// As it was written, where it has no base.
    private let written: String?

    /// - Throws: `StageError` where it or its base can't be read, isn't TOML, or where bases go in a circle.
    package init(path: String) throws { try self.init(path: path, above: []) }

    private init(path: String, above: [String]) throws {
        self.path = path
        var bytes: [UInt8] = []
        try ByteSource(path: path).readAll { bytes += $0 }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw StageError.failed("\(path): not valid UTF-8; convert the file")
        }
        if let place = TOMLHeaders.fault(in: bytes) {
            throw StageError.failed("\(path):\(place): a table without a name; fix the TOML")
        }
        let own: TOMLTable
        do {
            own = try TOMLTable(string: text)
        } catch let error as TOMLParseError {
            let place = "\(error.source.begin.line):\(error.source.begin.column)"
            throw StageError.failed("\(path):\(place): \(error.description); fix the TOML")
        }
        guard let base = own[Self.baseKey] else {
            (table, written) = (own, text)
            return
        }
        guard let name = base.string, !name.isEmpty else {
            throw StageError.failed("\(path): base is not a file name; name the recipe that this one changes")
        }
        let file =
            name.hasPrefix("/")
            ? name
            : URL(fileURLWithPath: path).deletingLastPathComponent().appendingPathComponent(name).relativePath
        guard !above.contains(file), file != path else {
            throw StageError.failed("\(path): base \"\(name)\" is itself based on this file; choose another")
        }
        own.remove(at: Self.baseKey)
        if let stray = own.keys.first(where: { own[$0]?.table == nil }) {
            throw StageError.failed(
                "\(path): key \"\(stray)\" is outside any table; put it under its program's")
        }
        let below = try Recipe(path: file, above: above + [path])
        (table, written) = (Self.laid(own, over: below.table), nil)
    }

    private static func laid(_ own: TOMLTable, over base: TOMLTable) -> TOMLTable {
        let whole = TOMLTable()
        for name in base.keys { whole[name] = base[name] }
        for name in own.keys {
            if let changed = own[name]?.table, let table = whole[name]?.table {
                for key in changed.keys {
                    table[key] = changed[key]
                    if changed[key]?.array?.isEmpty == true { table.remove(at: key) }
                }
            } else {
                whole[name] = own[name]
            }
        }
        return whole
    }

    /// The whole in one file, with comments where it was one.
    ///
    /// - Parameter changes: each gives a key a value, as TOML writes it: `table.key=value`, or `key=value` for every
    ///   table that has the key.
    /// - Throws: `StageError`: of usage where a change is no such words or no table has the key, else where a value is
    ///   of a kind that no option takes.
    package func text(changes: [String]) throws -> String {
        if changes.isEmpty, let written { return written }
        for change in changes { try set(change) }
        return try table.keys.map { name in
            guard let stage = table[name]?.table else {
                return "\(name) = \(try literal(table[name], of: name))\n"
            }
            let lines = try stage.keys.map { "\($0) = \(try literal(stage[$0], of: "[\(name)] \($0)"))\n" }
            return "[\(name)]\n" + lines.joined()
        }.joined(separator: "\n")
    }

    /// The parser itself would write a number to its last bit, 0.10000000000000001.
    private func literal(_ value: TOMLValueConvertible?, of key: String) throws -> String {
        if let text = value?.string { return Self.quoted(text) }
        if let flag = value?.bool { return "\(flag)" }
        if let number = value?.int { return "\(number)" }
        if let number = value?.double { return "\(number)" }
        if let items = value?.array {
            return "[" + (try items.map { try literal($0, of: key) }).joined(separator: ", ") + "]"
        }
        throw StageError.failed(
            "\(path): \(key): \(value.map { "\($0.type)" } ?? "nothing"); a recipe holds texts, numbers, flags, arrays"
        )
    }

    /// A basic string.
    static func quoted(_ text: String) -> String {
        var out = "\""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"", "\\": out += "\\\(scalar)"
            case "\0"..<" ", "\u{7F}": out += "\\u" + String(format: "%04X", scalar.value)
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out + "\""
    }

    private func set(_ word: String) throws {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(
            String.init)
        let place = parts[0].split(separator: ".", omittingEmptySubsequences: false)
            .map { $0.trimmingCharacters(in: .whitespaces) }
        guard parts.count == 2, let value = Self.value(parts[1]), place.count <= 2,
            place.allSatisfy({ $0.wholeMatch(of: /[A-Za-z0-9-]+/) != nil }), let key = place.last
        else {
            throw StageError.usage(
                "--set \(word): write table.key=value, or key=value for all tables that have it; the value as TOML has it"
            )
        }
        let names = place.count == 2 ? [place[0]] : table.keys.filter { table[$0]?.table?[key] != nil }
        guard !names.isEmpty else { throw StageError.usage("--set \(word): no table of \(path) has \(key)") }
        if let stranger = names.first(where: { !ProgramNames.tables.contains($0) }) {
            throw StageError.usage("--set \(word): no program has a table [\(stranger)]")
        }
        for name in names {
            if table[name]?.table == nil { table[name] = TOMLTable() }
            table[name]?.table?[key] = value
        }
    }

    private static func value(_ text: String) -> TOMLValueConvertible? {
        guard !text.contains(where: \.isNewline) else { return nil }
        return try? TOMLTable(string: "value = \(text)")["value"]
    }
}
