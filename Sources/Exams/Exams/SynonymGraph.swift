/// Which words Mementos takes for which others: the pickle of a Python object with a dictionary `graph`, from a word to the
/// word behind it, which may be empty, to those that both together stand for.
struct SynonymGraph: Sendable {
    private let graph: [String: [String: [String]]]

    /// - Throws: `EvaluationError` for a file that is no such pickle.
    init(file: String) throws {
        var reader = PickleReader(bytes: try EvaluationError.reading(file))
        guard case .dictionary(let members)? = reader.value(), let graph = members["graph"]?.graph else {
            throw EvaluationError(
                "\(file): no pickled graph of synonyms; give the benchmark's own, of sym_graphs")
        }
        self.graph = graph
    }

    private func stands(_ word: String, _ next: String = "", for goal: String) -> Bool {
        graph[word]?[next]?.contains(goal) ?? false
    }

    /// `words` with those replaced that stand for one of `goals`, each of which is used once.
    ///
    /// - Parameter joiningPairs: whether two words in a row may stand for one.
    /// - Returns: nothing of what comes behind the last goal's word, but whether there is such a rest.
    func rewritten(
        _ words: [String], as goals: [String], joiningPairs: Bool
    ) -> (words: [String], hasRest: Bool) {
        var (open, found, at) = (goals, [String](), 0)
        while at < words.count, !open.isEmpty {
            let next = joiningPairs && at + 1 < words.count ? words[at + 1] : nil
            let place = open.firstIndex { goal in
                stands(words[at], for: goal) || next.map { stands(words[at], $0, for: goal) } ?? false
            }
            guard let place else {
                found.append(words[at])
                at += 1
                continue
            }
            at += stands(words[at], for: open[place]) ? 1 : 2
            found.append(open.remove(at: place))
        }
        return (found, at < words.count)
    }
}

/// Reads what Python pickled of strings, lists, dictionaries and one object around them (protocol 4). Nothing is called or
/// made by name.
private struct PickleReader {
    indirect enum Value {
        case text(String)
        case list([Value])
        case dictionary([String: Value])
        /// An object before it has members, or what one is made of.
        case nothing
        case mark

        /// As `SynonymGraph` has it.
        var graph: [String: [String: [String]]]? {
            guard case .dictionary(let words) = self else { return nil }
            var graph: [String: [String: [String]]] = [:]
            for (word, behind) in words {
                guard case .dictionary(let behind) = behind else { return nil }
                for (next, goals) in behind {
                    guard case .list(let goals) = goals else { return nil }
                    let texts = goals.compactMap(\.text)
                    guard texts.count == goals.count else { return nil }
                    graph[word, default: [:]][next] = texts
                }
            }
            return graph
        }

        var text: String? { if case .text(let text) = self { text } else { nil } }
    }

    let bytes: [UInt8]
    private var at = 0
    private var stack: [Value] = []
    private var memo: [Value] = []

    init(bytes: [UInt8]) { self.bytes = bytes }

    /// nil for what isn't whole, or has more than that.
    mutating func value() -> Value? {
        while let code = byte() {
            if code == UInt8(ascii: ".") { return stack.count == 1 ? stack[0] : nil }
            guard step(code) else { return nil }
        }
        return nil
    }

    private mutating func step(_ code: UInt8) -> Bool {
        switch code {
        case 0x80: return take(1) != nil  // PROTO
        case 0x95: return take(8) != nil  // FRAME
        case 0x8C: return push(byte().flatMap { text(Int($0)) })  // SHORT_BINUNICODE
        case UInt8(ascii: "X"): return push(number(4).flatMap { text($0) })
        case 0x94:  // MEMOIZE
            guard let last = stack.last else { return false }
            memo.append(last.text == nil ? .nothing : last)
            return true
        case UInt8(ascii: "h"): return push(known(number(1)))
        case UInt8(ascii: "j"): return push(known(number(4)))
        case UInt8(ascii: "}"): return push(.dictionary([:]))
        case UInt8(ascii: "]"): return push(.list([]))
        case UInt8(ascii: ")"): return push(.nothing)
        case UInt8(ascii: "("): return push(.mark)
        case 0x93, 0x81: return pop(2) != nil && push(.nothing)  // STACK_GLOBAL, NEWOBJ
        case UInt8(ascii: "b"): return push(pop(2)?.last)  // BUILD
        case UInt8(ascii: "s"): return set(pop(2))
        case UInt8(ascii: "u"): return set(popToMark())
        case UInt8(ascii: "a"): return append(pop(1))
        case UInt8(ascii: "e"): return append(popToMark())
        default: return false
        }
    }

    private mutating func byte() -> UInt8? { take(1)?.first }

    private mutating func take(_ count: Int) -> ArraySlice<UInt8>? {
        guard count <= bytes.count - at else { return nil }
        at += count
        return bytes[at - count..<at]
    }

    private mutating func number(_ count: Int) -> Int? {
        take(count).map { $0.reversed().reduce(0) { $0 << 8 | Int($1) } }
    }

    private mutating func text(_ count: Int) -> Value? {
        take(count).flatMap { String(validating: $0, as: UTF8.self) }.map { .text($0) }
    }

    /// Texts alone are written a second time by their number.
    private func known(_ index: Int?) -> Value? {
        guard let index, memo.indices.contains(index), case .text = memo[index] else { return nil }
        return memo[index]
    }

    private mutating func push(_ value: Value?) -> Bool {
        guard let value else { return false }
        stack.append(value)
        return true
    }

    private mutating func pop(_ count: Int) -> [Value]? {
        guard stack.count >= count else { return nil }
        defer { stack.removeLast(count) }
        return stack.suffix(count)
    }

    private mutating func popToMark() -> [Value]? {
        let mark = stack.lastIndex { if case .mark = $0 { true } else { false } }
        guard let mark, let values = pop(stack.count - mark) else { return nil }
        return Array(values.dropFirst())
    }

    private mutating func set(_ values: [Value]?) -> Bool {
        guard let values, values.count.isMultiple(of: 2),
            case .dictionary(var members)? = stack.popLast()
        else { return false }
        for index in stride(from: 0, to: values.count, by: 2) {
            guard let key = values[index].text else { return false }
            members[key] = values[index + 1]
        }
        return push(.dictionary(members))
    }

    private mutating func append(_ values: [Value]?) -> Bool {
        guard let values, case .list(let items)? = stack.popLast() else { return false }
        return push(.list(items + values))
    }
}
