/// Trains a small tokenizer on lines of text: byte pair encoding by frequency, the same lines always giving the
/// same tokenizer.
package struct BPETrainer {
    package enum Family: Sendable {
        /// Characters and byte fallback behind Metaspace; ids 0–4 are `<unk> <s> </s> <image> <pad>`, then the
        /// 256 bytes. Merges stay within a word with the space before it, so that a frequent word is one token;
        /// digits and punctuation stay single.
        case llama
        /// Lower-cased bytes with `</w>` at a word's end; the last two ids are `<|startoftext|>` and
        /// `<|endoftext|>`.
        case clip
    }

    package var family: Family
    package var vocabularySize: Int
    /// Pairs seen less often are never merged, so the vocabulary may stay smaller than asked for.
    package var minimumCount: Int

    package init(family: Family, vocabularySize: Int, minimumCount: Int = 2) {
        self.family = family
        self.vocabularySize = vocabularySize
        self.minimumCount = minimumCount
    }

    /// Throws ``TokenizerError/vocabularyTooSmall(asked:needed:)`` when special tokens and alphabet alone are more
    /// than `vocabularySize`.
    package func train(_ lines: some Sequence<String>) throws -> TrainedTokenizer {
        var counts: [Bytes: Int] = [:]
        for line in lines {
            for word in words(of: line) { counts[Bytes(scalars: word), default: 0] += 1 }
        }
        let leading =
            family == .llama
            ? TrainedTokenizer.llamaSpecials + (UInt8.min...UInt8.max).map(ByteToken.name) : []
        let trailing = family == .clip ? TrainedTokenizer.clipSpecials : []
        let alphabet = alphabet(of: counts.keys)
        let needed = leading.count + alphabet.count + trailing.count
        guard needed <= vocabularySize else {
            throw TokenizerError.vocabularyTooSmall(asked: vocabularySize, needed: needed)
        }

        var symbols = PairCounts(alphabet: alphabet)
        for (word, count) in counts.sorted(by: { $0.key < $1.key }) {
            symbols.insert(spell(word), count: count)
        }
        while leading.count + symbols.tokens.count + trailing.count < vocabularySize,
            symbols.mergeMostFrequent(atLeast: minimumCount)
        {}
        return TrainedTokenizer(
            family: family,
            vocabulary: leading.map { Bytes($0) } + symbols.tokens + trailing.map { Bytes($0) },
            merges: symbols.merges.map { (symbols.tokens[$0.left], symbols.tokens[$0.right]) })
    }

    /// A word's first symbols: characters, for CLIP the last one with its suffix.
    private func spell(_ word: Bytes) -> [Bytes] {
        var spelling = word.scalars.map { Bytes(scalars: CollectionOfOne($0)) }
        if family == .clip, let last = spelling.popLast() {
            spelling.append(last + Bytes(TrainedTokenizer.wordEnd))
        }
        return spelling
    }

    private func alphabet(of words: some Sequence<Bytes>) -> [Bytes] {
        switch family {
        case .llama:
            // Printable ASCII is there whether seen or not, so that any question is written in characters.
            var scalars = Set((0x21...0x7E).map { Unicode.Scalar(UInt8($0)) })
            scalars.insert(TrainedTokenizer.mark)
            for word in words { scalars.formUnion(word.scalars) }
            return scalars.sorted().map { Bytes(scalars: CollectionOfOne($0)) }
        case .clip:
            let bytes = ByteAlphabet.scalars.map { Bytes(scalars: CollectionOfOne($0)) }
            return bytes + bytes.map { $0 + Bytes(TrainedTokenizer.wordEnd) }
        }
    }

    /// The words among which pairs are counted; merges never reach across them.
    private func words(of line: String) -> [[Unicode.Scalar]] {
        switch family {
        case .llama:
            var plain = Bytes(line).storage
            for special in TrainedTokenizer.llamaSpecials {
                plain = plain.replacing(bytes: Array(special.utf8), with: [0x20])
            }
            return Self.metaspaceWords(Bytes(plain).scalars)
        case .clip:
            let normalized = TrainedTokenizer.clipNormalizer.normalize(Array(line.unicodeScalars))
            return SplitPattern.clip(specials: []).matches(in: normalized).map { range in
                Bytes(scalars: normalized[range]).storage.map { ByteAlphabet.scalars[Int($0)] }
            }
        }
    }

    /// Runs of letters, each with the mark of one space before it, and every other character by itself.
    private static func metaspaceWords(_ line: [Unicode.Scalar]) -> [[Unicode.Scalar]] {
        var words: [[Unicode.Scalar]] = []
        var opens = true
        for scalar in line {
            if scalar == " " {
                words.append([TrainedTokenizer.mark])
                opens = true
            } else if scalar.isLetter {
                if opens, words.isEmpty { words.append([TrainedTokenizer.mark]) }
                if opens || words.last?.last?.isLetter == true {
                    words[words.count - 1].append(scalar)
                } else {
                    words.append([scalar])
                }
                opens = false
            } else {
                words.append([scalar])
                opens = false
            }
        }
        return words
    }
}

/// Words as symbols, with the number of times that each neighbouring pair occurs, kept up to date by merging.
private struct PairCounts {
    struct Pair: Hashable {
        var left: Int
        var right: Int
    }

    private(set) var tokens: [Bytes]
    private(set) var merges: [Pair] = []
    private var index: [Bytes: Int]
    private var words: [(symbols: [Int], count: Int)] = []
    private var counts: [Pair: Int] = [:]
    /// Words in which a pair has occurred; some may have lost it since.
    private var places: [Pair: Set<Int>] = [:]

    init(alphabet: [Bytes]) {
        tokens = alphabet
        index = Dictionary(uniqueKeysWithValues: alphabet.enumerated().map { ($1, $0) })
    }

    /// Adds a word. Its spelling must come from the alphabet.
    mutating func insert(_ spelling: [Bytes], count: Int) {
        words.append((spelling.compactMap { index[$0] }, count))
        tally(words.count - 1, sign: 1)
    }

    private mutating func tally(_ word: Int, sign: Int) {
        let (symbols, count) = words[word]
        for (left, right) in zip(symbols, symbols.dropFirst()) {
            let pair = Pair(left: left, right: right)
            counts[pair, default: 0] += sign * count
            if sign > 0 { places[pair, default: []].insert(word) }
        }
    }

    /// Merges the most frequent pair, of equals the one with the smallest ids. False when none is frequent
    /// enough.
    mutating func mergeMostFrequent(atLeast minimum: Int) -> Bool {
        let best = counts.max { a, b in
            (a.value, b.key.left, b.key.right) < (b.value, a.key.left, a.key.right)
        }
        guard let (pair, count) = best, count >= max(minimum, 1) else { return false }
        let token = tokens[pair.left] + tokens[pair.right]
        // Two pairs can spell one token; it keeps its first id, and both merges lead to it.
        let id = index[token] ?? tokens.count
        if id == tokens.count {
            tokens.append(token)
            index[token] = id
        }
        merges.append(pair)
        for word in places.removeValue(forKey: pair) ?? [] {
            tally(word, sign: -1)
            words[word].symbols = Self.merged(words[word].symbols, pair, into: id)
            tally(word, sign: 1)
        }
        counts[pair] = nil
        return true
    }

    private static func merged(_ symbols: [Int], _ pair: Pair, into id: Int) -> [Int] {
        var result: [Int] = []
        var i = 0
        while i < symbols.count {
            if i + 1 < symbols.count, symbols[i] == pair.left, symbols[i + 1] == pair.right {
                result.append(id)
                i += 2
            } else {
                result.append(symbols[i])
                i += 1
            }
        }
        return result
    }
}
