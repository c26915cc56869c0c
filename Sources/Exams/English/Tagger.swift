import CEnglish

/// Parts of speech by NLTK's averaged perceptron (`averaged_perceptron_tagger`, M. Honnibal), which goes from left to
/// right and looks at words, their endings and the two tags before.
package final class Tagger: Sendable {
    package static let shared = Tagger()

    /// The Penn Treebank's tags, sorted.
    private let classes: [String]
    /// Words that have one tag only.
    private let known: [String: UInt8]
    /// By a feature's hash, where its weights stand.
    private let features: [UInt64: Range<Int>]
    private let weights: [Double]
    private let labels: [UInt8]

    private init() {
        var reader = TableReader(bytes: tableBytes(english_perceptron))
        classes = (0..<reader.integer(UInt32.self)).map { _ in reader.text() }
        var known: [String: UInt8] = [:]
        for _ in 0..<reader.integer(UInt32.self) {
            let word = reader.text()
            known[word] = reader.integer(UInt8.self)
        }
        self.known = known
        let (count, total) = (Int(reader.integer(UInt32.self)), Int(reader.integer(UInt32.self)))
        let hashes = (0..<count).map { _ in reader.integer(UInt64.self) }
        let ends = (0..<count).map { _ in Int(reader.integer(UInt32.self)) }
        features = Dictionary(
            uniqueKeysWithValues: zip(hashes, zip([0] + ends, ends).map { $0..<$1 }))
        weights = (0..<total).map { _ in Double(reader.integer(Int32.self)) / 1000 }
        labels = (0..<total).map { _ in reader.integer(UInt8.self) }
    }

    /// - Returns: a tag per word.
    package func tags(of words: [String]) -> [String] {
        let start = [Word(normal: "-START-"), Word(normal: "-START2-")]
        let context = start + words.map { Word($0) } + [Word(normal: "-END-"), Word(normal: "-END2-")]
        var (previous, beforeThat) = ("-START-", "-START2-")
        return words.indices.map { index in
            let tag =
                known[words[index]].map { classes[Int($0)] }
                ?? predicted(context[index...(index + 4)], previous, beforeThat)
            (previous, beforeThat) = (tag, previous)
            return tag
        }
    }

    /// A word as features have it.
    private struct Word {
        let normal: String
        var suffix = ""
        var first = ""
        let normalSuffix: String

        init(normal: String) { (self.normal, normalSuffix) = (normal, Self.ending(normal)) }

        init(_ word: String) {
            self.init(normal: Self.normalized(word))
            suffix = Self.ending(word)
            first = word.unicodeScalars.prefix(1).string
        }

        private static func ending(_ word: String) -> String { word.unicodeScalars.suffix(3).string }

        private static func normalized(_ word: String) -> String {
            let scalars = word.unicodeScalars
            guard let first = scalars.first else { return word }
            if first != "-", scalars.contains("-") { return "!HYPHEN" }
            if scalars.count == 4, scalars.allSatisfy(\.isDigit) { return "!YEAR" }
            return first.isDigit ? "!DIGITS" : word.lowercased()
        }
    }

    /// - Parameter context: two words, the word, two words.
    private func predicted(_ context: ArraySlice<Word>, _ previous: String, _ beforeThat: String) -> String {
        let (i, word) = (context.startIndex, context[context.startIndex + 2])
        var scores = Array(repeating: 0.0, count: classes.count)
        func add(_ parts: String...) {
            var hash: UInt64 = 0xCBF2_9CE4_8422_2325
            for (index, part) in parts.enumerated() {
                if index > 0 { hash = (hash ^ 0x20) &* 0x100_0000_01B3 }
                for byte in part.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
            }
            // In this order sums are those of NLTK to the bit, and so are ties.
            for at in features[hash] ?? 0..<0 { scores[Int(labels[at])] += weights[at] }
        }
        add("bias")
        add("i suffix", word.suffix)
        add("i pref1", word.first)
        add("i-1 tag", previous)
        add("i-2 tag", beforeThat)
        add("i tag+i-2 tag", previous, beforeThat)
        add("i word", word.normal)
        add("i-1 tag+i word", previous, word.normal)
        add("i-1 word", context[i + 1].normal)
        add("i-1 suffix", context[i + 1].normalSuffix)
        add("i-2 word", context[i].normal)
        add("i+1 word", context[i + 3].normal)
        add("i+1 suffix", context[i + 3].normalSuffix)
        add("i+2 word", context[i + 4].normal)
        var best = 0
        for label in scores.indices where scores[label] >= scores[best] { best = label }
        return classes[best]
    }
}

/// Numbers and texts of a table one after the other, little-endian.
private struct TableReader {
    let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

    mutating func integer<I: FixedWidthInteger & BitwiseCopyable>(_: I.Type) -> I {
        defer { at += MemoryLayout<I>.size }
        return I(littleEndian: bytes.loadUnaligned(fromByteOffset: at, as: I.self))
    }

    mutating func text() -> String {
        let count = Int(integer(UInt8.self))
        defer { at += count }
        return String(decoding: bytes[at..<at + count], as: UTF8.self)
    }
}
