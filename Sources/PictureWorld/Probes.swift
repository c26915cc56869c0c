import Random

/// One line of a POPE file, with the label in POPE's own words.
package struct PopeQuestion: Sendable, Equatable {
    package enum Split: String, CaseIterable, Sendable {
        case random, popular, adversarial
    }

    package let category: Category
    package let text: String
    package let label: String
}

/// How frequent categories are in a set of scenes, alone and together: what makes POPE's negatives popular
/// or adversarial.
package struct Cooccurrence: Sendable {
    private var present: [Category: Int] = [:]
    private var together: [Category: [Category: Int]] = [:]

    package init(_ scenes: some Sequence<Scene>) {
        for scene in scenes {
            for a in scene.categories {
                present[a, default: 0] += 1
                for b in scene.categories where b != a { together[a, default: [:]][b, default: 0] += 1 }
            }
        }
    }

    /// Most frequent first; equal ones by name, so that the order is one.
    var popular: [Category] {
        ranked { present[$0, default: 0] }
    }

    func companions(of category: Category) -> [Category] {
        ranked { together[category]?[$0] ?? 0 }
    }

    private func ranked(_ count: (Category) -> Int) -> [Category] {
        Category.allCases.sorted { a, b in
            let (first, second) = (count(a), count(b))
            return first == second ? a < b : first > second
        }
    }
}

extension Scene {
    /// Three present and three absent objects by turns (Li et al. 2023, "Evaluating Object Hallucination in
    /// Large Vision-Language Models", §5). The positives are the same in all three splits.
    package func popeQuestions(
        _ split: PopeQuestion.Split, _ statistics: Cooccurrence, seed: UInt64
    ) -> [PopeQuestion] {
        var random = SplitMix64(seed: seed, purpose: "pope \(id)")
        let positives = Array(random.shuffled(categories).prefix(3))
        let absent = Category.allCases.filter { !has($0) }
        var negatives: [Category]
        switch split {
        case .random: negatives = Array(random.shuffled(absent).prefix(3))
        case .popular: negatives = Array(statistics.popular.filter { !has($0) }.prefix(3))
        case .adversarial:
            negatives = []
            for positive in positives {
                let likely = statistics.companions(of: positive).first { !has($0) && !negatives.contains($0) }
                if let likely { negatives.append(likely) }
            }
        }
        return zip(positives, negatives).flatMap { yes, no in
            [
                PopeQuestion(category: yes, text: Wording.pope(yes), label: "yes"),
                PopeQuestion(category: no, text: Wording.pope(no), label: "no"),
            ]
        }
    }

    /// MME's perception tasks on this picture: two questions each, one to be answered yes and one no.
    package func mmeQuestions(seed: UInt64) -> [(task: String, text: String, label: String)] {
        yesNoPairs(purpose: "mme", seed: seed).flatMap { task, yes, no in
            [
                (task, "\(yes) \(Wording.yesOrNo)", "yes"),
                (task, "\(no) \(Wording.yesOrNo)", "no"),
            ]
        }
    }

    /// Of each of MME's tasks (existence, count, color, position) a question to be answered yes and one to be answered
    /// no, without a suffix.
    ///
    /// - Parameter purpose: questions for different purposes are drawn independently.
    func yesNoPairs(purpose: String, seed: UInt64) -> [(task: String, yes: String, no: String)] {
        var random = SplitMix64(seed: seed, purpose: "\(purpose) \(id)")
        let present = categories[random.below(categories.count)]
        let absent = Category.allCases.filter { !has($0) }
        let missing = absent[random.below(absent.count)]
        let (counted, count) = drawCounted(&random)
        let wrongCounts = [1, 2, 3].filter { $0 != count }
        let coloured = objects[random.below(objects.count)]
        let worn = objects.filter { $0.category == coloured.category }.map(\.colour)
        let others = Colour.allCases.filter { !worn.contains($0) }
        let (a, b, relation) = drawPair(&random)
        return [
            ("existence", Wording.existence(present), Wording.existence(missing)),
            (
                "count", Wording.count(counted, count),
                Wording.count(counted, wrongCounts[random.below(wrongCounts.count)])
            ),
            (
                "color", Wording.color(coloured.category, coloured.colour),
                Wording.color(coloured.category, others[random.below(others.count)])
            ),
            (
                "position", Wording.position(a.category, relation, b.category),
                Wording.position(a.category, relation.opposite, b.category)
            ),
        ]
    }
}
