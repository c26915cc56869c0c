/// An object that a caption names.
package struct ObjectMention: Sendable, Hashable {
    /// The word or words as they stand in the caption, lower-cased.
    package var word: String
    /// The category that the word stands for.
    package var object: String

    package init(word: String, object: String) { (self.word, self.object) = (word, object) }
}

/// How invented mentions are counted for CHAIR_I.
package enum CHAIRCounting: String, Sendable, CaseIterable {
    /// Every invented mention counts (`LisaAnne/Hallucination`, `chair.py`).
    case original
    /// An invented word counts once per caption while every mention counts in the denominator, as in the
    /// copy that LURE and SIMA ship.
    case lure
}

/// What CHAIR sees in one caption.
package struct CaptionJudgement: Sendable, Equatable {
    package var image: String
    package var mentions: [ObjectMention]
    package var truth: Set<String>
    /// Words of the caption, cut at white space.
    package var words: Int
    /// Those that apply to the picture.
    package var habits: [AppliedHabit]
    /// Habits whose companions are told where the habit tells them.
    package var told: Set<AppliedHabit>

    /// - Parameter told: nil where every mention counts.
    package init(
        image: String, mentions: [ObjectMention], truth: Set<String>, words: Int,
        habits: [AppliedHabit] = [], told: Set<AppliedHabit>? = nil
    ) {
        (self.image, self.mentions, self.truth, self.words) = (image, mentions, truth, words)
        let named = Set(mentions.map(\.object))
        (self.habits, self.told) = (habits, told ?? Set(habits.filter { named.contains($0.companion) }))
    }

    /// Judges a caption with any way of finding objects in text.
    package init(
        image: String, caption: String, truth: Set<String>, habits: [AppliedHabit] = [],
        told: Set<AppliedHabit>? = nil, mentions: (String) throws -> [ObjectMention]
    ) rethrows {
        self.init(
            image: image, mentions: try mentions(caption), truth: truth,
            words: caption.split(whereSeparator: \.isWhitespace).count, habits: habits, told: told)
    }

    /// Mentions of objects that the picture does not show, in the order of the caption.
    package var invented: [ObjectMention] { mentions.filter { !truth.contains($0.object) } }

    /// Objects of the picture that the caption names.
    package var covered: Set<String> { truth.intersection(mentions.map(\.object)) }

    func inventedCount(_ counting: CHAIRCounting) -> Int {
        switch counting {
        case .original: invented.count
        case .lure: Set(invented.map(\.word)).count
        }
    }
}

/// CHAIR over captions (Rohrbach et al. 2018), with the two figures without which it says little: how many
/// of the true objects are named, and how long the captions are. All fractions, but `meanWords`.
package struct CHAIRScore: Sendable, Equatable {
    /// Share of captions that invent an object. An empty caption counts as a caption.
    package var sentence: Double
    /// Share of invented among all object mentions.
    package var instance: Double
    /// True objects named among true objects, over the corpus.
    package var objectRecall: Double
    package var meanWords: Double

    /// - Throws: `BenchmarksError.empty` without captions.
    package init(_ captions: [CaptionJudgement], counting: CHAIRCounting = .original) throws {
        guard !captions.isEmpty else { throw BenchmarksError.empty(where: "CHAIR") }
        var sums = CHAIRSums()
        for caption in captions { sums.add(caption, counting: counting) }
        self.init(sums)
    }

    init(_ sums: CHAIRSums) {
        sentence = ratio(sums.captionsWithInvention, sums.captions)
        instance = ratio(sums.inventedMentions, sums.mentions)
        objectRecall = ratio(sums.coveredObjects, sums.trueObjects)
        meanWords = ratio(sums.words, sums.captions)
    }
}

/// The sums of which every CHAIR figure is a ratio.
struct CHAIRSums: Sendable {
    var captions = 0.0
    var captionsWithInvention = 0.0
    var mentions = 0.0
    var inventedMentions = 0.0
    var trueObjects = 0.0
    var coveredObjects = 0.0
    var words = 0.0

    mutating func add(_ caption: CaptionJudgement, counting: CHAIRCounting) {
        captions += 1
        captionsWithInvention += caption.invented.isEmpty ? 0 : 1
        mentions += Double(caption.mentions.count)
        inventedMentions += Double(caption.inventedCount(counting))
        trueObjects += Double(caption.truth.count)
        coveredObjects += Double(caption.covered.count)
        words += Double(caption.words)
    }
}
