import Foundation

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

/// A line of a POPE label file (`coco_pope_random.json`, JSON Lines despite its name).
package struct POPELabel: Sendable, Decodable {
    package var image: String
    /// Anything but `no` counts as yes, as in POPE's script.
    package var label: String

    package var truth: YesNo { label == "no" ? .no : .yes }
}

/// A line of LLaVA's `llava_pope_test.jsonl`, which holds the questions of all three splits.
package struct POPEQuestion: Sendable, Decodable {
    package var id: QuestionID
    package var image: String
    package var split: POPESplit

    enum CodingKeys: String, CodingKey {
        case id = "question_id"
        case image
        case split = "category"
    }
}

/// A line of an answers file in LLaVA's format.
package struct LLaVAAnswer: Sendable, Decodable {
    package var id: QuestionID
    package var text: String

    enum CodingKeys: String, CodingKey {
        case id = "question_id"
        case text
    }
}

extension POPEItem {
    /// Joins the three official kinds of file. Labels are met by position within their split, in the order
    /// of the answers, as `llava/eval/eval_pope.py` does it; unlike there, a split with more or fewer
    /// answers than labels is an error, and so is an answer beside a label of another image.
    ///
    /// - Throws: `BenchmarksError.unmatched`.
    package static func join(
        questions: [POPEQuestion], answers: [LLaVAAnswer], labels: [POPESplit: [POPELabel]]
    ) throws -> [POPEItem] {
        let questionByID = Dictionary(questions.map { ($0.id, $0) }, uniquingKeysWith: { _, last in last })
        var bySplit: [POPESplit: [(question: POPEQuestion, answer: String)]] = [:]
        for answer in answers {
            guard let question = questionByID[answer.id] else {
                throw BenchmarksError.unmatched(
                    where: "POPE answers", found: "question_id \(answer.id) is not among the questions",
                    remedy: "give the question file that these answers were made from")
            }
            bySplit[question.split, default: []].append((question, answer.text))
        }
        var items: [POPEItem] = []
        for split in POPESplit.allCases {
            let answered = bySplit[split] ?? []
            let truths = labels[split] ?? []
            guard answered.count == truths.count else {
                throw BenchmarksError.unmatched(
                    where: "POPE \(split.rawValue)",
                    found: "\(answered.count) answers for \(truths.count) labels",
                    remedy: "use label files of the release that the questions come from "
                        + "(LLaVA's are POPE at e3e3926, 2,910 + 3,000 + 3,000)")
            }
            for (index, pair) in zip(answered, truths).enumerated() {
                guard pair.0.question.image == pair.1.image else {
                    throw BenchmarksError.unmatched(
                        where: "POPE \(split.rawValue), position \(index + 1)",
                        found: "answer on \(pair.0.question.image), label on \(pair.1.image)",
                        remedy: "keep the answers in the order of the questions")
                }
                items.append(
                    POPEItem(
                        image: pair.1.image, split: split, truth: pair.1.truth, answer: pair.0.answer))
            }
        }
        return items
    }
}
