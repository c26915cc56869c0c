/// Recursive descent over the pieces of a template, binding as Jinja does: `or`, `and`, `not`, comparisons and tests,
/// `~`, sums, products, then filters, calls and members.
struct JinjaParser {
    typealias Node = JinjaTemplate.Node
    typealias Expression = JinjaTemplate.Expression

    private var pieces: ArraySlice<JinjaPiece>
    /// Of one tag.
    private var tokens: ArraySlice<JinjaToken> = []
    /// The word that ended the last block.
    private var ending = ""
    private var depth = 0

    /// Of blocks and brackets in each other, with all that stands between them.
    private static let largestDepth = 200
    /// A chain of sums is as deep as it is long.
    private static let mostTokens = 2000

    init(pieces: [JinjaPiece]) { self.pieces = pieces[...] }

    mutating func parseNodes(until ends: [String]) throws -> [Node] {
        try descend()
        defer { depth -= 1 }
        var nodes: [Node] = []
        while let piece = pieces.popFirst() {
            switch piece {
            case .text(let text): nodes.append(.text(text))
            case .output(let tokens):
                try begin(tokens)
                nodes.append(.output(try parseWhole()))
            case .statement(let tokens):
                try begin(tokens)
                let word = try takeWord()
                if ends.contains(word) {
                    ending = word
                    return nodes
                }
                nodes += try parseStatement(word)
            }
        }
        guard ends.isEmpty else { throw JinjaError(reason: "no \(ends[0])") }
        return nodes
    }

    private mutating func parseStatement(_ word: String) throws -> [Node] {
        switch word {
        case "if": return [try parseBranch()]
        case "for": return [try parseLoop()]
        case "set": return [try parseAssignment()]
        // marks what a model says; it shows nothing
        case "generation": return try parseNodes(until: ["endgeneration"])
        default: throw JinjaError(reason: "the statement \(word)")
        }
    }

    private mutating func parseBranch() throws -> Node {
        var cases: [(condition: Expression, body: [Node])] = []
        var otherwise: [Node] = []
        var condition = try parseWhole()
        while true {
            cases.append((condition, try parseNodes(until: ["elif", "else", "endif"])))
            guard ending == "elif" else { break }
            condition = try parseWhole()
        }
        if ending == "else" { otherwise = try parseNodes(until: ["endif"]) }
        return .branch(cases, otherwise: otherwise)
    }

    private mutating func parseLoop() throws -> Node {
        var names = [try takeWord()]
        while take(",") { names.append(try takeWord()) }
        guard try takeWord() == "in" else { throw JinjaError(reason: "for without in") }
        let over = try parseOr()
        let condition = take(word: "if") ? try parseOr() : nil
        try expectEnd()
        return .loop(
            names: names, over: over, condition: condition, body: try parseNodes(until: ["endfor"]))
    }

    private mutating func parseAssignment() throws -> Node {
        let name = try takeWord()
        let attribute = take(".") ? try takeWord() : nil
        guard take("=") else { throw JinjaError(reason: "set without a value") }
        return .assign(name: name, attribute: attribute, try parseWhole())
    }

    // MARK: Expressions

    private mutating func parseWhole() throws -> Expression {
        let value = try parseConditional()
        try expectEnd()
        return value
    }

    private func expectEnd() throws {
        if let token = tokens.first { throw JinjaError(reason: "\(token) where nothing is expected") }
    }

    private mutating func parseConditional() throws -> Expression {
        try descend()
        defer { depth -= 1 }
        let value = try parseOr()
        guard take(word: "if") else { return value }
        let condition = try parseOr()
        let otherwise = take(word: "else") ? try parseConditional() : nil
        return .conditional(value, condition: condition, otherwise: otherwise)
    }

    private mutating func parseOr() throws -> Expression {
        var value = try parseAnd()
        while take(word: "or") { value = .binary(value, "or", try parseAnd()) }
        return value
    }

    private mutating func parseAnd() throws -> Expression {
        var value = try parseNot()
        while take(word: "and") { value = .binary(value, "and", try parseNot()) }
        return value
    }

    private mutating func parseNot() throws -> Expression {
        try descend()
        defer { depth -= 1 }
        if take(word: "not") { return .not(try parseNot()) }
        var value = try parseConcatenation()
        while true {
            if let symbol = takeSymbol(["==", "!=", "<", ">", "<=", ">="]) {
                value = .binary(value, symbol, try parseConcatenation())
            } else if take(word: "in") {
                value = .binary(value, "in", try parseConcatenation())
            } else if tokens.starts(with: [.word("not"), .word("in")]) {
                tokens.removeFirst(2)
                value = .not(.binary(value, "in", try parseConcatenation()))
            } else {
                return value
            }
        }
    }

    private mutating func parseConcatenation() throws -> Expression {
        var value = try parseSum()
        while take("~") { value = .binary(value, "~", try parseSum()) }
        return value
    }

    private mutating func parseSum() throws -> Expression {
        var value = try parseProduct()
        while let symbol = takeSymbol(["+", "-"]) { value = .binary(value, symbol, try parseProduct()) }
        return value
    }

    private mutating func parseProduct() throws -> Expression {
        var value = try parseUnary()
        while let symbol = takeSymbol(["*", "//", "%"]) { value = .binary(value, symbol, try parseUnary()) }
        return value
    }

    private mutating func parseUnary() throws -> Expression {
        try descend()
        defer { depth -= 1 }
        if take("-") { return .binary(.literal(.int(0)), "-", try parseUnary()) }
        var value = try parsePostfix(try parsePrimary())
        while true {
            if take("|") {
                let name = try takeWord()
                value = .filter(value, name, take("(") ? try parseArguments() : [])
            } else if take(word: "is") {
                let negated = take(word: "not")
                let name = try takeWord()
                let argument = take("(") ? try parseArguments().first?.value : nil
                let test = Expression.test(value, name, argument)
                value = negated ? .not(test) : test
            } else {
                return value
            }
        }
    }

    private mutating func parsePostfix(_ start: Expression) throws -> Expression {
        var value = start
        while true {
            if take(".") {
                value = .member(value, .literal(.string(try takeWord())))
            } else if take("[") {
                value = try parseMember(of: value)
            } else if take("(") {
                value = .call(value, try parseArguments())
            } else {
                return value
            }
        }
    }

    private mutating func parseMember(of value: Expression) throws -> Expression {
        let from = tokens.first == .symbol(":") ? nil : try parseConditional()
        guard take(":") else {
            try expect("]")
            guard let from else { throw JinjaError(reason: "an empty index") }
            return .member(value, from)
        }
        let to = tokens.first == .symbol("]") ? nil : try parseConditional()
        try expect("]")
        return .slice(value, from: from, to: to)
    }

    private mutating func parseArguments() throws -> [JinjaTemplate.Argument] {
        var arguments: [JinjaTemplate.Argument] = []
        while !take(")") {
            var name: String?
            if case .word(let word)? = tokens.first, tokens.dropFirst().first == .symbol("=") {
                name = word
                tokens.removeFirst(2)
            }
            arguments.append(JinjaTemplate.Argument(name: name, value: try parseConditional()))
            if take(",") { continue }
            try expect(")")
            break
        }
        return arguments
    }

    private mutating func parsePrimary() throws -> Expression {
        guard let token = tokens.popFirst() else { throw JinjaError(reason: "an expression that ends early") }
        switch token {
        case .string(let text): return .literal(.string(text))
        case .number(let number): return .literal(.int(number))
        case .word("true"), .word("True"): return .literal(.bool(true))
        case .word("false"), .word("False"): return .literal(.bool(false))
        case .word("none"), .word("None"): return .literal(.none)
        case .word(let name): return .name(name)
        case .symbol("("):
            let value = try parseConditional()
            try expect(")")
            return value
        case .symbol("["):
            var items: [Expression] = []
            while !take("]") {
                items.append(try parseConditional())
                if !take(",") {
                    try expect("]")
                    break
                }
            }
            return .list(items)
        case .symbol("{"):
            var items: [(Expression, Expression)] = []
            while !take("}") {
                let key = try parseConditional()
                try expect(":")
                items.append((key, try parseConditional()))
                if !take(",") {
                    try expect("}")
                    break
                }
            }
            return .map(items)
        case .symbol(let symbol): throw JinjaError(reason: "\(symbol) where a value is expected")
        }
    }

    private mutating func begin(_ tokens: [JinjaToken]) throws {
        guard tokens.count <= Self.mostTokens else {
            throw JinjaError(reason: "a tag of \(tokens.count) words")
        }
        self.tokens = tokens[...]
    }

    private mutating func descend() throws {
        depth += 1
        guard depth <= Self.largestDepth else { throw JinjaError(reason: "it nests too deeply") }
    }

    // MARK: Tokens

    private mutating func take(_ symbol: String) -> Bool { takeSymbol([symbol]) != nil }

    private mutating func takeSymbol(_ symbols: [String]) -> String? {
        guard case .symbol(let symbol)? = tokens.first, symbols.contains(symbol) else { return nil }
        tokens.removeFirst()
        return symbol
    }

    private mutating func take(word: String) -> Bool {
        guard tokens.first == .word(word) else { return false }
        tokens.removeFirst()
        return true
    }

    private mutating func takeWord() throws -> String {
        guard case .word(let word)? = tokens.popFirst() else { throw JinjaError(reason: "a name is missing") }
        return word
    }

    private mutating func expect(_ symbol: String) throws {
        if !take(symbol) { throw JinjaError(reason: "no \(symbol)") }
    }
}
