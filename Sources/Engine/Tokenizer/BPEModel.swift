import JSON
import Synchronization

/// Byte pair encoding (Sennrich et al. 2016) with the options of the `tokenizers` library's BPE model:
/// end-of-word suffix, continuing prefix, byte fallback, fused unknowns, whole words before merges.
final class BPEModel: TokenModel {
    struct Merge: Sendable {
        var rank: Int32
        var id: Int32
    }

    struct Rule {
        let left: Int32
        let right: Int32
        let merge: Merge
    }

    let vocabulary: [Bytes: Int32]
    /// Left and right of each merge, by rank.
    let rules: [Int32]
    let unknown: Int32?
    let suffix: Bytes?
    private let merges: [UInt64: Merge]
    private let prefix: Bytes?
    private let fusesUnknown: Bool
    private let ignoresMerges: Bool
    /// Ids of `<0x00>` to `<0xFF>`, each nil where the vocabulary lacks it; nil without byte fallback.
    private let byteIDs: [Int32?]?
    private let cache = Mutex<[Bytes: [Int32]]>([:])

    /// Words longer than this are rare enough not to be worth remembering.
    private static let longestCachedWord = 256
    private static let cacheCapacity = 20_000

    /// Reads tokenizer.json's `model`. Throws on another model, a malformed vocabulary, missing merges, or a
    /// merge whose parts or result the vocabulary lacks.
    init(_ json: JSON, file: String) throws {
        // Files from before the library named its models have no type; theirs are told by their merges.
        let type = json["type"]?.asText ?? (json["merges"] == nil ? "none" : "BPE")
        guard type == "BPE" else { throw TokenizerError.unknownModel(file: file, type: type) }
        vocabulary = try Self.readVocabulary(json["vocab"], file: file)
        suffix = json["end_of_word_suffix"]?.asBytes.flatMap { $0.count > 0 ? $0 : nil }
        prefix = json["continuing_subword_prefix"]?.asBytes.flatMap { $0.count > 0 ? $0 : nil }
        fusesUnknown = json["fuse_unk"]?.flag ?? false
        ignoresMerges = json["ignore_merges"]?.flag ?? false
        if let token = json["unk_token"]?.asBytes {
            guard let id = vocabulary[token] else {
                throw TokenizerError.malformed(
                    file: file, reason: "unk_token \(token.text) is not in the vocabulary")
            }
            unknown = id
        } else {
            unknown = nil
        }
        if json["byte_fallback"]?.flag ?? false {
            byteIDs = Self.byteIDs(vocabulary)
        } else {
            byteIDs = nil
        }
        (rules, merges) = try Self.readMerges(
            json["merges"], vocabulary: vocabulary, prefixCount: prefix?.count ?? 0, file: file)
    }

    /// With fused unknowns and no marks at the ends of words.
    init(vocabulary: [Bytes: Int32], merges: [Rule], unknown: Int32, fallsBackToBytes: Bool) {
        self.vocabulary = vocabulary
        rules = merges.flatMap { [$0.left, $0.right] }
        self.merges = Dictionary(
            merges.map { (Self.pair($0.left, $0.right), $0.merge) }, uniquingKeysWith: { first, _ in first })
        self.unknown = unknown
        (suffix, prefix) = (nil, nil)
        (fusesUnknown, ignoresMerges) = (true, false)
        byteIDs = fallsBackToBytes ? Self.byteIDs(vocabulary) : nil
    }

    private static func readVocabulary(_ json: JSON?, file: String) throws -> [Bytes: Int32] {
        guard let entries = json?.entries, !entries.isEmpty else {
            throw TokenizerError.malformed(
                file: file, reason: "the model has no vocabulary of tokens and ids")
        }
        var vocabulary = [Bytes: Int32](minimumCapacity: entries.count)
        for (token, value) in entries {
            guard let id = value.id else {
                throw TokenizerError.malformed(
                    file: file, reason: "vocabulary entry \"\(token)\" has no whole number as its id")
            }
            vocabulary[Bytes(token)] = id
        }
        return vocabulary
    }

    private static func readMerges(
        _ json: JSON?, vocabulary: [Bytes: Int32], prefixCount: Int, file: String
    ) throws -> ([Int32], [UInt64: Merge]) {
        guard let items = json?.items, !items.isEmpty else { throw TokenizerError.withoutMerges(file: file) }
        var rules: [Int32] = []
        var merges = [UInt64: Merge](minimumCapacity: items.count)
        for (rank, item) in items.enumerated() {
            let parts = try mergeParts(item, rank: rank, file: file)
            let whole = parts.0 + Bytes(Array(parts.1.storage.dropFirst(prefixCount)))
            guard let left = vocabulary[parts.0], let right = vocabulary[parts.1], let id = vocabulary[whole]
            else {
                throw TokenizerError.malformed(
                    file: file,
                    reason: "merge \(rank) (\(parts.0.text) \(parts.1.text)) uses tokens the vocabulary lacks"
                )
            }
            rules += [left, right]
            merges[pair(left, right)] = Merge(rank: Int32(rank), id: id)
        }
        return (rules, merges)
    }

    /// A merge is `["a", "b"]`, or `"a b"` in older files.
    private static func mergeParts(_ json: JSON, rank: Int, file: String) throws -> (Bytes, Bytes) {
        if let items = json.items, items.count == 2,
            let left = items[0].asBytes, let right = items[1].asBytes
        {
            return (left, right)
        }
        if let text = json.asBytes {
            let parts = text.storage.split(separator: 0x20, omittingEmptySubsequences: false)
            if parts.count == 2 { return (Bytes(Array(parts[0])), Bytes(Array(parts[1]))) }
        }
        throw TokenizerError.malformed(file: file, reason: "merge \(rank) is not a pair of tokens")
    }

    private static func pair(_ left: Int32, _ right: Int32) -> UInt64 {
        UInt64(UInt32(bitPattern: left)) << 32 | UInt64(UInt32(bitPattern: right))
    }

    /// The ids of one pre-tokenized word.
    func encode(_ word: [Unicode.Scalar]) -> [Int32] {
        guard !word.isEmpty else { return [] }
        let key = Bytes(scalars: word)
        if ignoresMerges, let id = vocabulary[key] { return [id] }
        if let known = cache.withLock({ $0[key] }) { return known }
        var symbols = MergeChain(symbols(of: word))
        symbols.merge { [merges] left, right in merges[Self.pair(left, right)] }
        let ids = symbols.ids
        if key.count <= Self.longestCachedWord {
            cache.withLock {
                if $0.count >= Self.cacheCapacity { $0.removeAll(keepingCapacity: true) }
                $0[key] = ids
            }
        }
        return ids
    }

    /// One id per character, or per byte of a character that the vocabulary lacks.
    private func symbols(of word: [Unicode.Scalar]) -> [Int32] {
        var ids: [Int32] = []
        ids.reserveCapacity(word.count)
        // An unknown waits for the next known character before it is written, bytes overtake it: so does the
        // reference, and the order of ids must be its own.
        var waiting = false
        for (i, scalar) in word.enumerated() {
            var token = Bytes(scalars: CollectionOfOne(scalar))
            if i > 0, let prefix { token = prefix + token }
            if i == word.count - 1, let suffix { token = token + suffix }
            if let id = vocabulary[token] {
                if waiting, let unknown { ids.append(unknown) }
                waiting = false
                ids.append(id)
                continue
            }
            if let byteIDs {
                let bytes = token.storage.compactMap { byteIDs[Int($0)] }
                if bytes.count == token.count {
                    ids += bytes
                    continue
                }
            }
            if let unknown {
                if waiting, !fusesUnknown { ids.append(unknown) }
                waiting = true
            }
        }
        if waiting, let unknown { ids.append(unknown) }
        return ids
    }
}

/// The tokens `<0x00>` to `<0xFF>` that stand for single bytes.
enum ByteToken {
    static func name(_ byte: UInt8) -> String {
        let digits = String(byte, radix: 16, uppercase: true)
        return "<0x\(digits.count == 1 ? "0" : "")\(digits)>"
    }

    static func byte(_ token: [UInt8]) -> UInt8? {
        guard token.count == 6, token.starts(with: "<0x".utf8), token[5] == UInt8(ascii: ">") else {
            return nil
        }
        return UInt8(String(decoding: token[3..<5], as: UTF8.self), radix: 16)
    }
}

/// A word's symbols as a linked list, merged by rank with a heap: O(n log n) for a line of any length.
struct MergeChain {
    private var symbols: [Int32]
    private var previous: [Int32]
    private var next: [Int32]

    private static let removed: Int32 = -1

    init(_ ids: [Int32]) {
        symbols = ids
        previous = ids.indices.map { Int32($0) - 1 }
        next = ids.indices.map { Int32($0) + 1 }
    }

    var ids: [Int32] { symbols.filter { $0 != Self.removed } }

    /// Merges until no pair is left, the lowest rank first and of equal ranks the leftmost.
    mutating func merge(_ find: (Int32, Int32) -> BPEModel.Merge?) {
        var queue = MergeQueue()
        for i in symbols.indices.dropLast() {
            if let merge = find(symbols[i], symbols[i + 1]) { queue.insert(merge, at: i) }
        }
        while let (position, id) = queue.popFirst() {
            guard symbols[position] != Self.removed else { continue }
            let right = Int(next[position])
            // An entry whose pair has changed since is stale unless the new pair makes the same token.
            guard right < symbols.count, find(symbols[position], symbols[right])?.id == id else { continue }
            symbols[position] = id
            symbols[right] = Self.removed
            next[position] = next[right]
            let after = Int(next[position])
            if after < symbols.count {
                previous[after] = Int32(position)
                if let merge = find(id, symbols[after]) { queue.insert(merge, at: position) }
            }
            let before = Int(previous[position])
            if before >= 0, let merge = find(symbols[before], id) { queue.insert(merge, at: before) }
        }
    }
}

/// A binary heap of possible merges, ordered by rank, then position.
private struct MergeQueue {
    private var entries: [(order: UInt64, id: Int32)] = []

    mutating func insert(_ merge: BPEModel.Merge, at position: Int) {
        entries.append((UInt64(merge.rank) << 32 | UInt64(position), merge.id))
        var child = entries.count - 1
        while child > 0 {
            let parent = (child - 1) / 2
            guard entries[child].order < entries[parent].order else { break }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    mutating func popFirst() -> (position: Int, id: Int32)? {
        guard let first = entries.first else { return nil }
        let last = entries.removeLast()
        if !entries.isEmpty {
            entries[0] = last
            var parent = 0
            while true {
                var child = 2 * parent + 1
                guard child < entries.count else { break }
                if child + 1 < entries.count, entries[child + 1].order < entries[child].order { child += 1 }
                guard entries[child].order < entries[parent].order else { break }
                entries.swapAt(child, parent)
                parent = child
            }
        }
        return (Int(first.order & 0xFFFF_FFFF), first.id)
    }
}
