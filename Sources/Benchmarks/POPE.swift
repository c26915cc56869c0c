/// POPE's three ways to choose the absent objects that it asks about.
package enum POPESplit: String, Sendable, CaseIterable, Codable {
    case random, popular, adversarial
}

/// One answered POPE question.
package struct POPEItem: Sendable, Equatable {
    package var image: String
    package var split: POPESplit
    package var truth: YesNo
    package var answer: String
    /// The object asked about, where it is the companion of a habit that applies to the picture.
    package var companion: String?

    package init(
        image: String, split: POPESplit, truth: YesNo, answer: String, companion: String? = nil
    ) {
        (self.image, self.split, self.truth, self.answer) = (image, split, truth, answer)
        self.companion = companion
    }
}

/// POPE figures per split, and their plain mean. LLaVA's "POPE 85.9" is the mean of the three F1s; other
/// papers print the mean accuracy under the same name, so both stand here.
package struct POPEScore: Sendable, Equatable {
    package var counts: [POPESplit: YesNoCounts] = [:]

    /// - Throws: `BenchmarksError.empty` without items.
    package init(_ items: [POPEItem], profile: YesNoProfile = .official) throws {
        guard !items.isEmpty else { throw BenchmarksError.empty(where: "POPE") }
        for item in items {
            counts[item.split, default: YesNoCounts()]
                .add(answer: profile.answer(in: item.answer), truth: item.truth)
        }
    }

    package var splits: [(split: POPESplit, metrics: YesNoMetrics)] {
        POPESplit.allCases.compactMap { split in counts[split].map { (split, $0.metrics) } }
    }

    package var mean: YesNoMetrics { YesNoMetrics(meanOf: splits.map(\.metrics)) }

    /// The official figures with the strict ones beside them, so that a model whose answers can't really
    /// be read is seen: POPE's own rule takes whatever is not a no for a yes.
    package static func report(_ items: [POPEItem]) throws -> String {
        let official = try POPEScore(items)
        let strict = try POPEScore(items, profile: .strict)
        var rows = [["POPE", "accuracy", "F1", "precision", "recall", "yes", "strict accuracy", "unread"]]
        func cells(_ name: String, _ metrics: YesNoMetrics, _ strict: YesNoMetrics, _ unread: Int) -> [String]
        {
            let figures = [
                metrics.accuracy, metrics.f1, metrics.precision, metrics.recall, metrics.yesRatio,
                strict.accuracy,
            ]
            return [name] + figures.map { fixed(100 * $0, 2) } + [String(unread)]
        }
        for (split, metrics) in official.splits {
            guard let counts = strict.counts[split] else { continue }
            rows.append(cells(split.rawValue, metrics, counts.metrics, counts.unparsed))
        }
        let unread = strict.counts.values.reduce(0) { $0 + $1.unparsed }
        rows.append(cells("mean", official.mean, strict.mean, unread))
        return TextTable(rows).plainText
    }
}
