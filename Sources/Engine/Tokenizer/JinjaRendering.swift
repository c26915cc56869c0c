import Foundation

/// What a template reckons with.
enum JinjaValue: Sendable, Equatable {
    case undefined, none
    case bool(Bool)
    case int(Int)
    case string(String)
    case list([JinjaValue])
    case map([String: JinjaValue])

    var isTrue: Bool {
        switch self {
        case .undefined, .none: false
        case .bool(let value): value
        case .int(let value): value != 0
        case .string(let value): !value.isEmpty
        case .list(let items): !items.isEmpty
        case .map(let items): !items.isEmpty
        }
    }

    /// As output shows it.
    ///
    /// - Throws: `JinjaError` for a list or a map, which Python would show in its own way.
    func text() throws -> String {
        switch self {
        case .string(let text): text
        case .int(let number): String(number)
        case .undefined: ""
        case .none: "None"
        case .bool(let value): value ? "True" : "False"
        case .list, .map: throw JinjaError(reason: "a list as text")
        }
    }

    /// What Jinja finds under a name or index; what isn't there is undefined.
    func member(_ key: JinjaValue) throws -> JinjaValue {
        switch (self, key) {
        case (.undefined, _): throw JinjaError(reason: "a member of what isn't defined")
        case (.map(let items), .string(let name)): return items[name] ?? .undefined
        case (.list(let items), .int(let index)):
            let index = index < 0 ? items.count + index : index
            return items.indices.contains(index) ? items[index] : .undefined
        case (.string(let text), .int(let index)):
            let scalars = Array(text.unicodeScalars)
            let index = index < 0 ? scalars.count + index : index
            return scalars.indices.contains(index) ? .string(String(scalars[index])) : .undefined
        default: return .undefined
        }
    }
}

extension JinjaTemplate {
    /// - Throws: `JinjaError` for what isn't understood, and for what the template itself refuses.
    func render(_ variables: [String: JinjaValue]) throws -> String {
        var renderer = JinjaRenderer(variables: variables)
        try renderer.run(nodes)
        return renderer.result
    }
}

private struct JinjaRenderer {
    var variables: [String: JinjaValue]
    var result = ""
    private var steps = 0

    /// Nodes and turns of loops in a dialogue, far more than any needs.
    private static let mostSteps = 100_000
    private static let longestText = 1 << 20

    init(variables: [String: JinjaValue]) { self.variables = variables }

    mutating func run(_ nodes: [JinjaTemplate.Node]) throws {
        for node in nodes {
            try step()
            switch node {
            case .text(let text): try show(text)
            case .output(let expression): try show(value(expression).text())
            case .branch(let cases, let otherwise):
                let body = try cases.first { try value($0.condition).isTrue }?.body
                try run(body ?? otherwise)
            case .loop(let names, let over, let condition, let body):
                try loop(names, try value(over), condition, body)
            case .assign(let name, let attribute?, let expression):
                guard case .map(var items)? = variables[name] else {
                    throw JinjaError(reason: "\(name) is no namespace")
                }
                items[attribute] = try value(expression)
                variables[name] = .map(items)
            case .assign(let name, nil, let expression): variables[name] = try value(expression)
            }
        }
    }

    private mutating func show(_ text: String) throws {
        result += text
        guard result.utf8.count <= Self.longestText else { throw JinjaError(reason: "a text without end") }
    }

    private mutating func step() throws {
        steps += 1
        guard steps <= Self.mostSteps else { throw JinjaError(reason: "loops without end") }
    }

    /// What a loop sets is gone after each turn, but for what it sets in a namespace.
    private mutating func loop(
        _ names: [String], _ over: JinjaValue, _ condition: JinjaTemplate.Expression?,
        _ body: [JinjaTemplate.Node]
    ) throws {
        var items: [JinjaValue] = []
        switch over {
        case .list(let list): items = list
        case .undefined: break
        default: throw JinjaError(reason: "a loop over what is no list")
        }
        guard names.count == 1 else { throw JinjaError(reason: "a loop over pairs") }
        let outer = variables
        if let condition {
            items = try items.filter {
                variables[names[0]] = $0
                return try value(condition).isTrue
            }
        }
        for (index, item) in items.enumerated() {
            try step()
            let namespaces = variables.filter { outer[$0.key]?.isNamespace ?? false }
            variables = outer.merging(namespaces) { $1 }
            variables[names[0]] = item
            variables["loop"] = .map([
                "index": .int(index + 1), "index0": .int(index), "first": .bool(index == 0),
                "last": .bool(index == items.count - 1), "length": .int(items.count),
                "previtem": index > 0 ? items[index - 1] : .undefined,
                "nextitem": index + 1 < items.count ? items[index + 1] : .undefined,
            ])
            try run(body)
        }
        let namespaces = variables.filter { outer[$0.key]?.isNamespace ?? false }
        variables = outer.merging(namespaces) { $1 }
    }

    private func value(_ expression: JinjaTemplate.Expression) throws -> JinjaValue {
        switch expression {
        case .literal(let value): return value
        case .name(let name): return variables[name] ?? .undefined
        case .member(let base, let key): return try value(base).member(value(key))
        case .slice(let base, let from, let to):
            guard case .list(let items) = try value(base) else {
                throw JinjaError(reason: "a part of what is no list")
            }
            func bound(_ expression: JinjaTemplate.Expression?, _ fallback: Int) throws -> Int {
                guard let expression, case .int(let index) = try value(expression) else { return fallback }
                return min(max(index < 0 ? items.count + index : index, 0), items.count)
            }
            let start = try bound(from, 0)
            return .list(Array(items[start..<max(start, try bound(to, items.count))]))
        case .call(.name(let name), let arguments): return try call(name, arguments)
        case .call(.member(let base, .literal(.string(let name))), let arguments):
            return try transform(
                value(base), name, arguments.map { try value($0.value) }, as: "the method")
        case .call: throw JinjaError(reason: "a call of a value")
        case .filter(let base, let name, let arguments):
            let given = try arguments.map { try value($0.value) }
            return try transform(value(base), name, given, as: "the filter")
        case .test(let base, let name, let argument):
            return .bool(try test(value(base), name, argument.map { try value($0) }))
        case .not(let base): return .bool(!(try value(base).isTrue))
        case .binary(let left, let symbol, let right): return try combine(left, symbol, right)
        case .conditional(let base, let condition, let otherwise):
            if try value(condition).isTrue { return try value(base) }
            return try otherwise.map { try value($0) } ?? .undefined
        case .list(let items): return .list(try items.map { try value($0) })
        case .map(let items):
            return .map(
                try items.reduce(into: [:]) { $0[try value($1.0).text()] = try value($1.1) })
        }
    }

    private func call(_ name: String, _ arguments: [JinjaTemplate.Argument]) throws -> JinjaValue {
        switch name {
        case "namespace":
            var items = [JinjaValue.namespaceMark: JinjaValue.none]
            for argument in arguments { items[argument.name ?? ""] = try value(argument.value) }
            return .map(items)
        case "raise_exception":
            throw JinjaError(reason: try arguments.first.map { try value($0.value).text() } ?? "")
        default: throw JinjaError(reason: "the function \(name)")
        }
    }

    private func whole(_ result: (partialValue: Int, overflow: Bool)) throws -> JinjaValue {
        if result.overflow { throw JinjaError(reason: "a number beyond 64 bits") }
        return .int(result.partialValue)
    }

    private func joined(_ a: String, _ b: String) throws -> String {
        guard a.utf8.count + b.utf8.count <= Self.longestText else {
            throw JinjaError(reason: "a text without end")
        }
        return a + b
    }

    private func combine(
        _ left: JinjaTemplate.Expression, _ symbol: String, _ right: JinjaTemplate.Expression
    ) throws -> JinjaValue {
        let a = try value(left)
        if symbol == "and" { return a.isTrue ? try value(right) : a }
        if symbol == "or" { return a.isTrue ? a : try value(right) }
        let b = try value(right)
        switch (symbol, a, b) {
        case ("==", _, _): return .bool(a == b)
        case ("!=", _, _): return .bool(a != b)
        case ("~", _, _): return .string(try joined(a.text(), b.text()))
        case ("in", .string(let part), .string(let text)): return .bool(part.isEmpty || text.contains(part))
        case ("in", _, .list(let items)): return .bool(items.contains(a))
        case ("in", .string(let name), .map(let items)): return .bool(items[name] != nil)
        case ("+", .string(let a), .string(let b)): return .string(try joined(a, b))
        case ("+", .list(let a), .list(let b)) where a.count + b.count <= Self.mostSteps: return .list(a + b)
        case ("+", .int(let a), .int(let b)): return try whole(a.addingReportingOverflow(b))
        case ("-", .int(let a), .int(let b)): return try whole(a.subtractingReportingOverflow(b))
        case ("*", .int(let a), .int(let b)): return try whole(a.multipliedReportingOverflow(by: b))
        // of the divisor's sign, as Python's
        case ("%", .int(let a), .int(let b)) where b != 0:
            let rest = a.remainderReportingOverflow(dividingBy: b).partialValue
            return .int(rest != 0 && (rest < 0) != (b < 0) ? rest + b : rest)
        case ("<", .int(let a), .int(let b)): return .bool(a < b)
        case (">", .int(let a), .int(let b)): return .bool(a > b)
        case ("<=", .int(let a), .int(let b)): return .bool(a <= b)
        case (">=", .int(let a), .int(let b)): return .bool(a >= b)
        default: throw JinjaError(reason: "\(symbol) of such values")
        }
    }

    private func test(_ value: JinjaValue, _ name: String, _ argument: JinjaValue?) throws -> Bool {
        switch (name, value) {
        case ("defined", _): return value != .undefined
        case ("undefined", _): return value == .undefined
        case ("none", _): return value == .none
        case ("string", .string), ("mapping", .map), ("number", .int), ("boolean", .bool): return true
        case ("iterable", .string), ("iterable", .list), ("iterable", .map): return true
        case ("sequence", .string), ("sequence", .list), ("sequence", .map): return true
        case ("true", _): return value == .bool(true)
        case ("false", _): return value == .bool(false)
        case ("equalto", _), ("eq", _): return value == argument
        case ("ne", _): return value != argument
        case ("string", _), ("mapping", _), ("number", _), ("boolean", _), ("iterable", _), ("sequence", _):
            return false
        default: throw JinjaError(reason: "the test \(name)")
        }
    }

    /// Filters and methods alike: Jinja's of one name do the same.
    private func transform(
        _ value: JinjaValue, _ name: String, _ arguments: [JinjaValue], as kind: String
    ) throws -> JinjaValue {
        switch (name, value) {
        case ("upper", .string(let text)): return .string(text.uppercased())
        case ("lower", .string(let text)): return .string(text.lowercased())
        case ("capitalize", .string(let text)):
            return .string(text.prefix(1).uppercased() + text.dropFirst().lowercased())
        case ("title", .string(let text)): return .string(text.capitalized)
        case ("trim", .string(let text)), ("strip", .string(let text)):
            guard arguments.isEmpty else { break }
            return .string(text.trimmingCharacters(in: .whitespacesAndNewlines))
        case ("startswith", .string(let text)):
            if case .string(let start)? = arguments.first { return .bool(text.hasPrefix(start)) }
        case ("endswith", .string(let text)):
            if case .string(let end)? = arguments.first { return .bool(text.hasSuffix(end)) }
        case ("replace", .string(let text)):
            if arguments.count == 2, case .string(let old) = arguments[0],
                case .string(let new) = arguments[1]
            {
                return .string(text.replacingOccurrences(of: old, with: new))
            }
        case ("split", .string(let text)):
            if case .string(let mark)? = arguments.first {
                return .list(text.components(separatedBy: mark).map { .string($0) })
            }
        case ("length", .list(let items)), ("count", .list(let items)): return .int(items.count)
        case ("length", .string(let text)): return .int(text.unicodeScalars.count)
        case ("list", .list), ("string", .string), ("safe", .string): return value
        case ("first", .list(let items)): return items.first ?? .undefined
        case ("last", .list(let items)): return items.last ?? .undefined
        case ("join", .list(let items)):
            return .string(try items.map { try $0.text() }.joined(separator: arguments.first?.text() ?? ""))
        case ("default", _): return value == .undefined ? arguments.first ?? .string("") : value
        case ("get", .map(let items)):
            if let key = try arguments.first?.text() {
                return items[key] ?? arguments.dropFirst().first ?? .none
            }
        case ("selectattr", .list(let items)), ("rejectattr", .list(let items)):
            guard let key = arguments.first else { break }
            return .list(
                try items.filter { item in
                    let member = try item.member(key)
                    let holds =
                        arguments.count > 1
                        ? try test(member, arguments[1].text(), arguments.dropFirst(2).first) : member.isTrue
                    return holds == (name == "selectattr")
                })
        default: break
        }
        throw JinjaError(reason: "\(kind) \(name) of such a value")
    }
}

extension JinjaValue {
    /// The key by which a namespace is told from a map of the template's own.
    fileprivate static let namespaceMark = ""

    fileprivate var isNamespace: Bool {
        if case .map(let items) = self { items[Self.namespaceMark] != nil } else { false }
    }
}
