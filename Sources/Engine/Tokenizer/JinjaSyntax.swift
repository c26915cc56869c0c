/// A Jinja template as chat templates are written in it: text, output, `if`, `for`, `set`. What else there is (macros,
/// inheritance) is refused.
///
/// Source: Jinja's template documentation, with `trim_blocks` and `lstrip_blocks` on, as transformers renders.
struct JinjaTemplate: Sendable {
    indirect enum Node: Sendable {
        case text(String)
        case output(Expression)
        case branch([(condition: Expression, body: [Node])], otherwise: [Node])
        case loop(names: [String], over: Expression, condition: Expression?, body: [Node])
        case assign(name: String, attribute: String?, Expression)
    }

    indirect enum Expression: Sendable {
        case literal(JinjaValue)
        case name(String)
        case member(Expression, Expression)
        case slice(Expression, from: Expression?, to: Expression?)
        case call(Expression, [Argument])
        case filter(Expression, String, [Argument])
        case test(Expression, String, Expression?)
        case not(Expression)
        case binary(Expression, String, Expression)
        case conditional(Expression, condition: Expression, otherwise: Expression?)
        case list([Expression])
        case map([(Expression, Expression)])
    }

    struct Argument: Sendable {
        let name: String?
        let value: Expression
    }

    let nodes: [Node]

    /// A template has some thousand bytes.
    private static let largestByteCount = 1 << 20

    /// - Throws: `JinjaError` for what isn't understood.
    init(_ source: String) throws {
        guard source.utf8.count <= Self.largestByteCount else {
            throw JinjaError(reason: "it has \(source.utf8.count) bytes")
        }
        var parser = JinjaParser(pieces: try JinjaPiece.split(source))
        nodes = try parser.parseNodes(until: [])
    }
}

/// Why a template can't be read or rendered.
struct JinjaError: Error { let reason: String }

/// A stretch of a template: plain text, `{{ … }}` or `{% … %}`.
enum JinjaPiece {
    case text(String)
    case output([JinjaToken])
    case statement([JinjaToken])

    static func split(_ source: String) throws -> [JinjaPiece] {
        var rest = Array(source.unicodeScalars)[...]
        // One line break at the very end is not part of a template.
        if rest.last == "\n" { rest.removeLast() }
        var pieces: [JinjaPiece] = []
        var text: [Unicode.Scalar] = []
        var dropsSpace = false
        // Whether a line break stood before `text`, which tags may have taken away.
        var beginsLine = true
        func flush(strippingLine: Bool, strippingAll: Bool) {
            var kept = text[...]
            if strippingAll {
                while let last = kept.last, last.isSpace { kept.removeLast() }
            } else if strippingLine {
                let blank = kept.reversed().prefix { $0 == " " || $0 == "\t" }.count
                let before = kept.dropLast(blank)
                if before.isEmpty ? beginsLine : before.last == "\n" { kept = before }
            }
            if !kept.isEmpty { pieces.append(.text(String(String.UnicodeScalarView(kept)))) }
            text = []
        }
        while let first = rest.first {
            guard first == "{", let kind = rest.dropFirst().first, ["{", "%", "#"].contains(kind) else {
                rest.removeFirst()
                if dropsSpace && first.isSpace {
                    beginsLine = first == "\n"
                    continue
                }
                dropsSpace = false
                text.append(first)
                continue
            }
            rest.removeFirst(2)
            let sign = rest.first
            if sign == "-" || sign == "+" { rest.removeFirst() }
            flush(strippingLine: kind != "{" && sign != "+", strippingAll: sign == "-")
            let (body, trims) = try takeTag(&rest, closing: kind == "{" ? "}" : kind)
            switch kind {
            case "{": pieces.append(.output(try JinjaToken.split(body)))
            case "%": pieces.append(.statement(try JinjaToken.split(body)))
            default: break
            }
            dropsSpace = trims
            beginsLine = !trims && kind != "{" && rest.first == "\n"
            if beginsLine { rest.removeFirst() }
        }
        flush(strippingLine: false, strippingAll: false)
        return pieces
    }

    /// The inside of a tag up to `closing` and `}`, and whether `-` stood before them. Quotes hide both.
    private static func takeTag(
        _ rest: inout ArraySlice<Unicode.Scalar>, closing: Unicode.Scalar
    ) throws -> (body: [Unicode.Scalar], trims: Bool) {
        var body: [Unicode.Scalar] = []
        var quote: Unicode.Scalar?
        while let scalar = rest.popFirst() {
            if let open = quote {
                body.append(scalar)
                if scalar == "\\", let next = rest.popFirst() { body.append(next) }
                if scalar == open { quote = nil }
                continue
            }
            if scalar == closing, rest.first == "}" {
                rest.removeFirst()
                let trims = body.last == "-"
                if trims || body.last == "+" { body.removeLast() }
                return (body, trims)
            }
            if closing != "#", scalar == "'" || scalar == "\"" { quote = scalar }
            body.append(scalar)
        }
        throw JinjaError(reason: "a tag without end")
    }
}

enum JinjaToken: Equatable {
    case word(String)
    case string(String)
    case number(Int)
    case symbol(String)

    static func split(_ source: [Unicode.Scalar]) throws -> [JinjaToken] {
        var rest = source[...]
        var tokens: [JinjaToken] = []
        while let first = rest.first {
            if first.isSpace {
                rest.removeFirst()
            } else if first == "'" || first == "\"" {
                rest.removeFirst()
                tokens.append(.string(try takeString(&rest, quote: first)))
            } else if first.isWordCharacter {
                let run = rest.prefix { $0.isWordCharacter }
                rest.removeFirst(run.count)
                let word = String(String.UnicodeScalarView(run))
                tokens.append(Int(word).map { .number($0) } ?? .word(word))
            } else {
                let pair = String(String.UnicodeScalarView(rest.prefix(2)))
                let symbol = ["==", "!=", "<=", ">=", "//", "**"].contains(pair) ? pair : String(first)
                rest.removeFirst(symbol.unicodeScalars.count)
                tokens.append(.symbol(symbol))
            }
        }
        return tokens
    }

    private static func takeString(_ rest: inout ArraySlice<Unicode.Scalar>, quote: Unicode.Scalar) throws
        -> String
    {
        var text = String.UnicodeScalarView()
        while let scalar = rest.popFirst() {
            if scalar == quote { return String(text) }
            guard scalar == "\\", let escaped = rest.popFirst() else {
                text.append(scalar)
                continue
            }
            switch escaped {
            case "n": text.append("\n")
            case "t": text.append("\t")
            case "r": text.append("\r")
            case "\\", "'", "\"": text.append(escaped)
            default: throw JinjaError(reason: "the escape \\\(escaped)")
            }
        }
        throw JinjaError(reason: "a string without end")
    }
}
