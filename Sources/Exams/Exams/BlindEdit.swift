import Foundation

/// "Take out every sentence of this pattern."
package struct BlindRule: Sendable, Equatable, Encodable {
    package enum Action: String, Sendable, Encodable {
        case drop
        /// By what such captions close with; dropped where that is said already.
        case replace
    }

    package let pattern: String
    package let grain: PatternGrain
    package let condition: BlindCondition
    package let action: Action

    private enum CodingKeys: String, CodingKey { case pattern, grain, condition, action }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: CodingKeys.self)
        try container.encode(pattern, forKey: .pattern)
        try container.encode(grain, forKey: .grain)
        try container.encode(condition.words, forKey: .condition)
        try container.encode(action, forKey: .action)
    }
}

/// The best rewriting of captions that doesn't look at their pictures: what hallucination can be cured of by
/// never saying certain sentences. Rules are learned from captions of pictures whose truth is known, and applied
/// to captions of others, by their words alone. A method has learned to look as far as it does better.
package struct BlindEdit: Sendable {
    package struct Score: Sendable, Equatable, Encodable {
        /// Fractions.
        package let chairS: Double
        package let objectRecall: Double
        package let meanWords: Double
    }

    package struct Step: Sendable, Encodable {
        package let rule: BlindRule
        /// Sentences that it took out of the captions that it was learned from.
        package let sentences: Int
        /// Of the captions that it was learned from, after this rule and those before it.
        package let learned: Score
        /// Of the captions that it is applied to.
        package let applied: Score
    }

    /// Captions with the objects that their pictures show.
    package typealias Told = (text: String, truth: Set<String>)

    /// Before any rule.
    package let base: (learned: Score, applied: Score)
    /// What captions of a kind close with, as learned.
    package let closings: [String]
    /// The rules that together lose no more recall than allowed, where they were learned.
    package let rules: [Step]
    /// Rules without that limit, until nothing can be won by any.
    package let curve: [Step]
    /// The captions after `rules`, in their order.
    package let texts: [String]

    /// - Parameters:
    ///   - recallLoss: share of the true objects that may go unnamed, from 0 to 1.
    ///   - support: sentences that a rule must take out, and captions that must hold a closing sentence.
    package init(
        learning: [Told], applying: [Told], recallLoss: Double, support: Int, _ finder: ObjectFinder
    ) {
        let (known, others) = (Self.cut(learning, finder), Self.cut(applying, finder))
        let closings = ClosingSentences(known.map(\.caption), support: support)
        let (stock, target) = (CaptionStock(known, closings), CaptionStock(others, closings))
        let search = BlindSearch(stock, closings: closings.texts, support: support)
        (rules, texts) = Self.steps(search.rules(recallLoss: recallLoss), stock, target)
        (curve, _) = Self.steps(search.rules(recallLoss: 1), stock, target)
        base = (stock.score, target.score)
        self.closings = closings.texts
    }

    private static func cut(
        _ told: [Told], _ finder: ObjectFinder
    ) -> [(caption: BlindCaption, truth: Set<String>)] {
        told.map { (BlindCaption($0.text, finder), $0.truth) }
    }

    /// Applies rules one after the other to both kinds of captions.
    private static func steps(
        _ rules: [BlindRule], _ stock: CaptionStock, _ target: CaptionStock
    ) -> (steps: [Step], texts: [String]) {
        var (stock, target) = (stock, target)
        let steps = rules.map { rule in
            let taken = stock.take(stock.places(of: rule), replacing: rule.action == .replace)
            _ = target.take(target.places(of: rule), replacing: rule.action == .replace)
            return Step(rule: rule, sentences: taken, learned: stock.score, applied: target.score)
        }
        return (steps, target.captions.map(\.text))
    }
}

/// Finds rules greedily: each time the one that wins the most for the objects that go unnamed with it.
struct BlindSearch {
    private struct Candidate {
        let rule: BlindRule
        /// Those of a caption side by side.
        let places: [SentencePlace]
        let captions: [Range<Int>]
    }

    private let stock: CaptionStock
    /// The more general ones first; of equally good ones the first is taken.
    private let candidates: [Candidate]
    private let support: Int

    init(_ stock: CaptionStock, closings: [String], support: Int) {
        let sentences = stock.sentences
        let counts = stock.captions.flatMap(\.original.objects).reduce(into: [String: Int]()) {
            $0[$1, default: 0] += 1
        }
        let objects = counts.filter { $0.value >= support }.keys.sorted()
        let conditions: [BlindCondition] =
            [.always, .toldElsewhere(true), .toldElsewhere(false), .last(true), .last(false)]
            + closings.map(BlindCondition.closing) + objects.map(BlindCondition.with)
            + objects.map(BlindCondition.without)
        let patterns = PatternGrain.allCases.map { grain in
            Dictionary(grouping: sentences) { $0.view.sentence.patterns[grain] ?? "" }
                .filter { $0.value.count >= support }.sorted { $0.key < $1.key }
        }
        var seen: Set<[SentencePlace]> = []
        candidates = conditions.flatMap { condition in
            zip(PatternGrain.allCases, patterns).flatMap { grain, patterns in
                patterns.compactMap { pattern, sentences in
                    let places = sentences.filter { $0.view.holds(condition) }.map(\.place)
                    // A few sentences fewer are no rule of their own.
                    let others = sentences.count - places.count
                    guard places.count >= support, others == 0 || others >= support,
                        seen.insert(places).inserted
                    else { return nil }
                    return Candidate(
                        rule: BlindRule(pattern: pattern, grain: grain, condition: condition, action: .drop),
                        places: places, captions: Self.runs(places))
                }
            }
        }
        (self.stock, self.support) = (stock, support)
    }

    private static func runs(_ places: [SentencePlace]) -> [Range<Int>] {
        var runs: [Range<Int>] = []
        for (index, place) in places.enumerated() {
            if let last = runs.last, places[last.lowerBound].caption == place.caption {
                runs[runs.count - 1] = last.lowerBound..<(index + 1)
            } else {
                runs.append(index..<(index + 1))
            }
        }
        return runs
    }

    /// - Parameter recallLoss: share of the true objects that may go unnamed by all rules together.
    func rules(recallLoss: Double) -> [BlindRule] {
        var stock = stock
        let typical = typical
        var left = Int(recallLoss * Double(stock.captions.reduce(0) { $0 + $1.trueObjects }))
        var active = candidates
        var rules: [BlindRule] = []
        while true {
            var best: (candidate: Candidate, worth: Double, objects: Int)?
            active.removeAll { candidate in
                let (gain, objects) = effect(of: candidate, on: &stock)
                guard gain > 0 else { return true }
                let worth = (gain + typical.gain) / (Double(objects) + typical.objects)
                if objects <= left, worth > best?.worth ?? 0 { best = (candidate, worth, objects) }
                return false
            }
            guard let best else { return rules }
            let places = best.candidate.places
            let action: BlindRule.Action = stock.canClose(places) ? .replace : .drop
            _ = stock.take(places, replacing: action == .replace)
            left -= best.objects
            let rule = best.candidate.rule
            rules.append(
                BlindRule(pattern: rule.pattern, grain: rule.grain, condition: rule.condition, action: action)
            )
        }
    }

    /// What so many sentences as they come win and lose. Added to what a rule was seen to do, or one that was
    /// seldom tried would often stand above the others by chance.
    private var typical: (gain: Double, objects: Double) {
        var stock = stock
        let sentences = stock.sentences.map(\.place)
        let each = sentences.map { stock.losing([$0][...]) }
        let scale = Self.typicalSentences / Double(max(sentences.count, 1))
        return (
            scale * Double(each.reduce(0) { $0 + $1.false }),
            scale * Double(each.reduce(0) { $0 + $1.objects })
        )
    }

    /// On development captions of the picture world, 5 to 100 gave the same.
    private static let typicalSentences = 20.0

    /// What is won, in captions that become true; the first of two false sentences counts half of the second, or
    /// no rule would begin where several are false. Nothing is won by a rule that has too little left to take.
    private func effect(of candidate: Candidate, on stock: inout CaptionStock) -> (gain: Double, objects: Int)
    {
        var (gain, sentences, objects) = (0.0, 0, 0)
        for run in candidate.captions {
            let places = candidate.places[run]
            let lost = stock.losing(places)
            sentences += lost.sentences
            objects += lost.objects
            if lost.false > 0 {
                let before = stock.captions[places[run.lowerBound].caption].falseSentences
                gain += exp2(Double(1 - before + lost.false)) - exp2(Double(1 - before))
            }
        }
        return sentences < support ? (0, 0) : (gain, objects)
    }
}
