import Rewards

/// Two candidates of one record, the better one first.
package struct ChosenPair: Sendable, Equatable {
    package var chosen: ScoredCandidate
    package var rejected: ScoredCandidate
    /// `chosen.score − rejected.score`, not negative.
    package var margin: Double
    /// Sentences that both paths share from the start.
    package var sharedSentences: Int
}

/// Why a record gave no pair.
package enum PairDrop: String, Sendable, CaseIterable {
    case fewerThanTwo = "fewer than two candidates"
    case identicalTexts = "all candidates say the same"
    case sentenceCounts = "no two different answers of the same sentence count"
    case wordCounts = "no two answers of nearly the same length"
    case margin = "margin too small"
    case unfit = "nothing that may be chosen"
}

/// What pairing made of one record: pairs, or the reason for none.
package struct PairSelection: Sendable, Equatable {
    package var pairs: [ChosenPair]
    package var dropped: PairDrop?

    package init(pairs: [ChosenPair], dropped: PairDrop?) {
        (self.pairs, self.dropped) = (pairs, dropped)
    }
}

/// Chooses the better and the worse answer of a record from scored candidates: best against worst, within
/// bounds that keep length out of the preference.
package struct PairRule: Sendable, Equatable {
    /// Only answers of the same sentence count are paired.
    package var equalSentences: Bool
    /// Greatest difference of the word counts, as a share of the longer; nil for no bound.
    package var wordTolerance: Double?
    /// Share of the largest margin that may be given up for a longer shared beginning: 0 takes the largest
    /// margin, 1 takes the longest shared path whatever its margin.
    package var prefixSlack: Double
    /// Minimum margin: the two scores must differ by more than this.
    package var minimumMargin: Double
    /// Whether candidates of equal score make a pair, as in the released code of CSR; then the first path
    /// in depth-first order is chosen and the last rejected.
    package var allowsTies: Bool
    /// Pairs per record at most; no candidate stands in two of them.
    package var pairsPerRecord: Int
    /// One pair for every record with two different answers: bounds that would leave none are lifted, the
    /// words' first, then the sentences'; margins don't count.
    package var keepAll: Bool

    /// - Throws: `PreferenceError.badValue` for a value outside its range.
    package init(
        equalSentences: Bool = true, wordTolerance: Double? = 0.15, prefixSlack: Double = 0,
        minimumMargin: Double = 0, allowsTies: Bool = false, pairsPerRecord: Int = 1, keepAll: Bool = false
    ) throws {
        func require(_ holds: Bool, _ option: String, _ found: String, _ remedy: String) throws {
            guard holds else { throw PreferenceError.badValue(option, found: found, remedy: remedy) }
        }
        if let wordTolerance {
            try require(
                (0...1).contains(wordTolerance), "word-tolerance", "\(wordTolerance)",
                "give a share between 0 and 1")
        }
        try require(
            (0...1).contains(prefixSlack), "prefix-slack", "\(prefixSlack)", "give a share between 0 and 1")
        try require(
            minimumMargin >= 0 && minimumMargin.isFinite, "min-margin", "\(minimumMargin)",
            "give a margin that is not negative")
        try require(pairsPerRecord > 0, "pairs", "\(pairsPerRecord)", "give at least 1")
        self.equalSentences = equalSentences
        self.wordTolerance = wordTolerance
        self.prefixSlack = prefixSlack
        self.minimumMargin = minimumMargin
        self.allowsTies = allowsTies
        self.pairsPerRecord = pairsPerRecord
        self.keepAll = keepAll
    }

    /// The pairs of one record, the first found first.
    ///
    /// Ties fall by order: the earlier path in depth-first order is chosen, the later one rejected.
    ///
    /// - Throws: `PreferenceError.notFinite` for a score that can't be compared.
    package func pairs(from candidates: [ScoredCandidate]) throws -> PairSelection {
        try PreferenceError.requireFinite(candidates.map(\.score), where: "pair")
        var free = candidates.enumerated()
            .sorted { Self.isBefore($0.element.path, $0.offset, $1.element.path, $1.offset) }
            .map { Entry($0.element) }
        var found: [ChosenPair] = []
        while found.count < pairsPerRecord {
            switch bestPair(of: free) {
            case .failure(let reason):
                return PairSelection(pairs: found, dropped: found.isEmpty ? reason.drop : nil)
            case .success(let pair):
                let (chosen, rejected) = (free[pair.chosen].candidate, free[pair.rejected].candidate)
                found.append(
                    ChosenPair(
                        chosen: chosen, rejected: rejected, margin: pair.margin, sharedSentences: pair.shared)
                )
                free = free.enumerated()
                    .filter { $0.offset != pair.chosen && $0.offset != pair.rejected }
                    .map(\.element)
            }
        }
        return PairSelection(pairs: found, dropped: nil)
    }

    /// Depth-first order of paths; candidates without paths keep their order.
    private static func isBefore(_ a: [Int], _ i: Int, _ b: [Int], _ j: Int) -> Bool {
        a == b ? i < j : a.lexicographicallyPrecedes(b)
    }
}

/// A candidate with what comparisons ask again and again.
private struct Entry {
    var candidate: ScoredCandidate
    var folded: [UInt8]
    var sentences: Int
    var words: Int

    init(_ candidate: ScoredCandidate) {
        self.candidate = candidate
        folded = candidate.folded
        sentences = candidate.sentences
        words = candidate.words
    }
}

/// Two entries by their place in depth-first order.
private struct Possible {
    var chosen: Int
    var rejected: Int
    var margin: Double
    var shared: Int
}

private struct NoPair: Error {
    var drop: PairDrop
}

extension PairRule {
    private func bestPair(of entries: [Entry]) -> Result<Possible, NoPair> {
        guard entries.count > 1 else { return .failure(NoPair(drop: .fewerThanTwo)) }
        let different = allPairs(of: entries)
        if different.isEmpty { return .failure(NoPair(drop: .identicalTexts)) }

        var bounded = different.filter { entries[$0.chosen].candidate.canBeChosen }
        if bounded.isEmpty { return .failure(NoPair(drop: .unfit)) }
        if equalSentences {
            let equal = bounded.filter { entries[$0.chosen].sentences == entries[$0.rejected].sentences }
            if equal.isEmpty, !keepAll { return .failure(NoPair(drop: .sentenceCounts)) }
            if !equal.isEmpty { bounded = equal }
        }
        let near = bounded.filter { isNear(entries[$0.chosen].words, entries[$0.rejected].words) }
        if near.isEmpty, !keepAll { return .failure(NoPair(drop: .wordCounts)) }
        if !near.isEmpty { bounded = near }
        if !keepAll {
            bounded.removeAll { $0.margin < minimumMargin || ($0.margin == minimumMargin && !allowsTies) }
        }
        guard let pair = preferred(bounded) else { return .failure(NoPair(drop: .margin)) }
        return .success(pair)
    }

    /// Why two answers make no pair whatever their scores, as for a critic's preference; nil where they do.
    package func objection(to a: ScoredCandidate, _ b: ScoredCandidate) -> PairDrop? {
        if a.folded == b.folded { return .identicalTexts }
        if keepAll { return nil }
        if equalSentences, a.sentences != b.sentences { return .sentenceCounts }
        return isNear(a.words, b.words) ? nil : .wordCounts
    }

    private func isNear(_ a: Int, _ b: Int) -> Bool {
        guard let wordTolerance else { return true }
        return Double(abs(a - b)) <= wordTolerance * Double(max(a, b))
    }

    /// All pairs of different text, better first.
    private func allPairs(of entries: [Entry]) -> [Possible] {
        var pairs: [Possible] = []
        for i in entries.indices {
            for j in entries.indices where j > i && entries[i].folded != entries[j].folded {
                let (a, b) = (entries[i].candidate, entries[j].candidate)
                let shared = zip(a.path, b.path).prefix { $0 == $1 }.count
                let margin = a.score - b.score
                pairs.append(
                    margin >= 0
                        ? Possible(chosen: i, rejected: j, margin: margin, shared: shared)
                        : Possible(chosen: j, rejected: i, margin: -margin, shared: shared))
            }
        }
        return pairs
    }

    /// The longest shared path among margins that the slack allows, then the largest margin, then the
    /// earliest chosen and the latest rejected.
    private func preferred(_ pairs: [Possible]) -> Possible? {
        guard let largest = pairs.map(\.margin).max() else { return nil }
        let weighsPrefix = prefixSlack > 0
        return pairs.filter { $0.margin >= (1 - prefixSlack) * largest }
            .max { a, b in
                if weighsPrefix, a.shared != b.shared { return a.shared < b.shared }
                if a.margin != b.margin { return a.margin < b.margin }
                if a.chosen != b.chosen { return a.chosen > b.chosen }
                return a.rejected < b.rejected
            }
    }

    /// Which pairs of a whole file stay when only the share of the largest margins is kept. At least one
    /// of a file that isn't empty stays; of equal margins the earlier.
    ///
    /// - Throws: `PreferenceError.badValue` for a fraction outside 0…1, `.notFinite`.
    package static func keepsLargest(_ margins: [Double], fraction: Double) throws -> [Bool] {
        guard fraction > 0, fraction <= 1 else {
            throw PreferenceError.badValue(
                "keep-fraction", found: "\(fraction)", remedy: "give a share above 0 and at most 1")
        }
        try PreferenceError.requireFinite(margins, where: "margin")
        // Rounded up, with room for products such as 0.1 · 30 that land just above a whole number.
        let count = Int((fraction * Double(margins.count) - 1e-9).rounded(.up))
        var keeps = [Bool](repeating: false, count: margins.count)
        for index in descendingOrder(margins).prefix(count) { keeps[index] = true }
        return keeps
    }
}
