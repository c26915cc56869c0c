import ArgumentParser
import Foundation
import JSON
import Records

/// The options that a command declares, read from its own description of itself, so that every
/// flag is stated once: in the command.
struct DeclaredOptions {
    enum Kind { case option, flag, positional }

    struct Declared {
        /// The long name; for positional arguments the name of the value.
        let key: String
        let kind: Kind
        /// Every spelling with its dashes.
        let spellings: [String]
        let isRepeating: Bool
        let takesSeveral: Bool
        let defaultValue: String?
        var isSecret = false
    }

    private(set) var all: [Declared]

    /// - Parameter secrets: long names of the options whose values must not be told.
    init(_ command: any ParsableCommand.Type, secrets: Set<String> = []) throws {
        let description = try JSONObject(parsing: command._dumpHelp())
        let arguments = try description.requiredObject("command").objects("arguments", Self.read) ?? []
        all = arguments.compactMap { $0 }
        for index in all.indices { all[index].isSecret = secrets.contains(all[index].key) }
    }

    private static func read(_ argument: JSONObject) throws -> Declared? {
        let names = try argument.objects("names") { name in
            (kind: try name.requiredString("kind"), name: try name.requiredString("name"))
        }
        let long = names?.first { $0.kind == "long" }?.name ?? names?.first?.name
        guard let key = try long ?? argument.string("valueName"), key != "help", key != "version" else {
            return nil
        }
        let kind: Kind =
            switch try argument.requiredString("kind") {
            case "flag": .flag
            case "positional": .positional
            default: .option
            }
        let strategy = try argument.string("parsingStrategy") ?? "default"
        return Declared(
            key: key, kind: kind, spellings: (names ?? []).map { ($0.kind == "long" ? "--" : "-") + $0.name },
            isRepeating: try argument.bool("isRepeating") ?? false,
            takesSeveral: strategy == "upToNextOption" || strategy == "allRemainingInput",
            defaultValue: try argument.string("defaultValue"))
    }

    func named(_ key: String) -> Declared? { all.first { $0.kind != .positional && $0.key == key } }

    func spelled(_ word: String) -> Declared? { all.first { $0.spellings.contains(word) } }

    /// What a command line sets, by key and in its order; flags have no value.
    /// The line may be wrong: this only groups words, `ArgumentParser` judges them.
    func scan(_ words: [String]) -> [(key: String, value: String?)] {
        var found: [(key: String, value: String?)] = []
        let positional = all.first { $0.kind == .positional }?.key
        var at = 0
        while at < words.count {
            let word = words[at]
            at += 1
            if word == "--" {
                if let positional { found += words[at...].map { (positional, $0) } }
                break
            }
            let (name, attached) = Self.split(word)
            guard let option = spelled(name) else {
                if let positional, !word.hasPrefix("-") || word == "-" { found.append((positional, word)) }
                continue
            }
            if option.kind == .flag {
                found.append((option.key, nil))
            } else if let attached {
                found.append((option.key, attached))
            } else if at < words.count {
                repeat {
                    found.append((option.key, words[at]))
                    at += 1
                } while option.takesSeveral && at < words.count && !words[at].hasPrefix("-")
            }
        }
        return found
    }

    /// `--name=value` into its two parts.
    private static func split(_ word: String) -> (name: String, value: String?) {
        guard word.hasPrefix("-"), let sign = word.firstIndex(of: "=") else { return (word, nil) }
        return (String(word[..<sign]), String(word[word.index(after: sign)...]))
    }

    func isOpposite(_ key: String) -> Bool {
        key.hasPrefix("no-") && named(String(key.dropFirst(3)))?.kind == .flag
    }

    /// The options that a command line sets; a flag's opposite goes by the flag's name.
    func given(in words: [String]) -> Set<String> {
        Set(scan(words).map { isOpposite($0.key) ? String($0.key.dropFirst(3)) : $0.key })
    }

    /// Refuses whole numbers that no machine could do anything with, before sums and products of them overflow.
    /// - Throws: `StageError.usage`.
    func checkRanges(of settings: [Setting]) throws {
        let whole = #/-?[0-9]+/#
        for setting in settings where setting.key != "seed" {
            guard case .text(let text) = setting.value, text.wholeMatch(of: whole) != nil,
                let usual = named(setting.key)?.defaultValue, usual.wholeMatch(of: whole) != nil
            else { continue }
            let limit =
                ["start", "memory", "feature-memory"].contains(setting.key) ? 1_000_000_000 : 1_000_000
            guard let number = Int(text), (0...limit).contains(number) else {
                throw StageError.usage("--\(setting.key) \(text): give a number from 0 to \(limit)")
            }
        }
    }

    /// Every option with its value in the order of declaration: typed, configured or default.
    /// Options without any value are left out.
    func settings(of words: [String]) -> [Setting] {
        let set = scan(words)
        return all.compactMap { option in
            let values = set.filter { $0.key == option.key }.map(\.value)
            switch option.kind {
            case .flag:
                // A flag and its opposite are one setting, under the name without "no-".
                if isOpposite(option.key) { return nil }
                let last = set.last { $0.key == option.key || $0.key == "no-\(option.key)" }
                let isOn = last.map { $0.key == option.key } ?? (option.defaultValue == "--\(option.key)")
                return Setting(key: option.key, value: .flag(isOn))
            case .option, .positional:
                if option.isRepeating {
                    return values.isEmpty
                        ? nil
                        : Setting(
                            key: option.key, value: .list(values.compactMap { $0 }),
                            isSecret: option.isSecret)
                }
                guard let value = values.last ?? option.defaultValue else { return nil }
                return Setting(key: option.key, value: .text(value), isSecret: option.isSecret)
            }
        }
    }
}

/// The options that were typed or configured.
package struct GivenOptions {
    let names: Set<String>
    private let typedNames: Set<String>

    init(names: Set<String>, typed: Set<String>) {
        self.names = names
        typedNames = typed
    }

    /// Those that were typed alone.
    package var typed: GivenOptions { GivenOptions(names: typedNames, typed: typedNames) }

    /// Refuses options that would do nothing beside the others.
    /// - Parameters:
    ///   - keys: long names without dashes.
    ///   - place: what they belong to, as "--mode tree".
    /// - Throws: `StageError.usage` where one was given.
    package func refuse(_ keys: [String], where isIdle: Bool, belongingTo place: String) throws {
        let idle = keys.filter(names.contains).map { "--\($0)" }
        guard isIdle, !idle.isEmpty else { return }
        throw StageError.usage(
            "\(idle.joined(separator: ", ")): \(idle.count == 1 ? "belongs" : "belong") to \(place); leave "
                + "\(idle.count == 1 ? "it" : "them") out")
    }
}

/// An option of a run with the value that it took.
package struct Setting: Sendable, Equatable {
    package enum Value: Sendable, Equatable {
        case flag(Bool)
        case text(String)
        case list([String])
    }

    package let key: String
    package let value: Value
    /// Whether its stage declares that it holds a secret.
    var isSecret = false

    var items: [String] { if case .list(let items) = value { items } else { [] } }

    /// Every value that was given.
    var words: [String] {
        switch value {
        case .flag: []
        case .text(let text): [text]
        case .list(let items): items
        }
    }

    package var text: String {
        switch value {
        case .flag(let isOn): isOn ? "true" : "false"
        case .text(let text): text
        case .list(let items): items.joined(separator: " ")
        }
    }
}

/// Keeps out of the ledger, and of all else that is written, what options hold that are declared secret, and
/// passwords in addresses. What an option is called says nothing: `--end-token` holds none.
enum Secrets {
    static let mask = "***"

    /// `https://user:password@host/` without its password.
    static func maskingURL(_ text: String) -> String {
        guard let scheme = text.range(of: "://") else { return text }
        let rest = text[scheme.upperBound...]
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        guard let at = authority.lastIndex(of: "@") else { return text }
        return text[..<scheme.upperBound] + mask + rest[at...]
    }

    static func masking(_ words: [String], _ declared: DeclaredOptions) -> [String] {
        var hidesNext = false
        return words.map { word in
            if hidesNext {
                hidesNext = false
                return mask
            }
            guard word.hasPrefix("-") else { return maskingURL(word) }
            let name = String(word.prefix { $0 != "=" })
            guard let option = declared.spelled(name), option.isSecret else { return maskingURL(word) }
            if name.count < word.count { return "\(name)=\(mask)" }
            hidesNext = option.kind != .flag
            return word
        }
    }

    /// What must not be told: values of secret options, and what stands before the host of an address.
    static func values(_ settings: [Setting]) -> [String] {
        let secret = settings.filter(\.isSecret).flatMap(\.words)
        let addresses = settings.flatMap(\.words).compactMap { word -> String? in
            guard maskingURL(word) != word, let start = word.range(of: "://")?.upperBound else { return nil }
            return word[start...].prefix { $0 != "/" && $0 != "?" }.split(separator: "@").first.map(
                String.init)
        }
        return (secret + addresses).filter { !$0.isEmpty }
    }

    static func masking(_ setting: Setting) -> (key: String, value: String) {
        (setting.key, setting.isSecret ? mask : maskingURL(setting.text))
    }

    /// The setting's value by which runs are told apart: the true one or, where that must not be told, its digest
    /// beside what may be.
    static func identity(of setting: Setting) -> JSON {
        let told = masking(setting).value
        guard told == setting.text else {
            return .string("\(told) (SHA-256 \(Digest.of(Array(setting.text.utf8)).prefix(16)))")
        }
        return if case .list(let items) = setting.value { .strings(items) } else { .string(setting.text) }
    }
}
