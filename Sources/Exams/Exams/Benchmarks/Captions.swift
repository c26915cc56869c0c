import Metrics
import PictureWorld
import Records
import Tables

/// Captions of pictures whose objects are known: CHAIR (Rohrbach et al. 2018) with the two figures without which it
/// says little, how many of the true objects are named and how long the captions are; and, where the data has habits,
/// how their companions are told.
package struct Captions: Exam {
    package let name = "captions"
    package let title = "Captions"
    package let help: String? = "Prompts for captions, with a scene or facts of the kind object."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "prompts, records with a scene or with facts of the kind `object`",
        source: "the picture world (`scenes`), or your own", license: "your own")
    package let takesSeveralFiles = false
    package let standsEmpty = true
    package let answers = AnswerLength.caption

    package init() {}

    /// A known picture with its place in the file.
    package struct Question: ExamQuestion {
        package let picture: KnownPicture
        package let place: String

        package var asked: Asked { picture.asked }
    }

    package func read(_ file: ExamFile) throws -> (questions: [Question], labelFiles: [String]) {
        let questions = try file.records().map { record, place in
            do { return Question(picture: try KnownPicture(record, file.finder), place: place) } catch {
                throw EvaluationError("\(place): \(error)")
            }
        }
        return (questions, [])
    }

    package func score(_ question: Question, answer: String, _ finder: ObjectFinder) -> CaptionScore {
        question.picture.score(answer, finder)
    }

    // MARK: - Figures

    private enum Sum {
        static let captions = "captions"
        static let inventing = "captions.inventing"
        static let words = "captions.words"
        static let mentions = "mentions"
        static let inventedMentions = "mentions.invented"
        static let objects = "objects"
        static let coveredObjects = "objects.covered"
        static let colors = "colors"
        static let rightColors = "colors.right"
    }

    package var figures: [Figure] {
        [
            // An empty caption counts as a caption.
            Figure(
                "chair_s", "CHAIR_S", .fraction, better: .less, .ratio(Sum.inventing, of: Sum.captions)),
            // Every invented mention counts (`LisaAnne/Hallucination`, `chair.py`).
            Figure(
                "chair_i", "CHAIR_I", .fraction, better: .less,
                .ratio(Sum.inventedMentions, of: Sum.mentions)),
            Figure(
                "object_recall", "object recall", .fraction, better: .more,
                .ratio(Sum.coveredObjects, of: Sum.objects)),
            Figure(
                "right_colors", "right colours", .fraction, .share(Sum.rightColors, of: Sum.colors),
                isSummarized: false),
            Figure("mean_words", "mean words", .named, .ratio(Sum.words, of: Sum.captions)),
        ] + CompanionSums.all.figures
    }

    package var highlights: Highlights {
        var highlights = Highlights()
        highlights.columns = [
            ("chair_s", "CHAIR_S % ↓"), ("object_recall", "recall % ↑"), ("mean_words", "words"),
            (CompanionSums.kept, "companions there % ↑"), (CompanionSums.invented, "absent % ↓"),
            (CompanionSums.balancedAccuracy, "balanced % ↑"),
        ]
        highlights.plotted = ["chair_s", "object_recall", "mean_words", CompanionSums.balancedAccuracy]
        highlights.changes = [
            ("chair_s", "CHAIR_S", .relative), ("object_recall", "object recall", .points),
            ("mean_words", "mean words", .relative),
        ]
        return highlights
    }

    package func count(
        _ scores: [CaptionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        let all = CompanionSums.all
        let single = Dictionary(uniqueKeysWithValues: scores.habits.map { ($0, CompanionSums(of: $0)) })
        for score in scores {
            let truth = Set(score.objects)
            let invented = score.mentions.count { !truth.contains($0.object) }
            sums.add(
                [
                    Sum.captions: 1, Sum.inventing: invented > 0 ? 1 : 0,
                    Sum.mentions: Double(score.mentions.count), Sum.inventedMentions: Double(invented),
                    Sum.objects: Double(truth.count),
                    Sum.coveredObjects: Double(truth.intersection(score.mentions.map(\.object)).count),
                    Sum.words: Double(score.text.split(whereSeparator: \.isWhitespace).count),
                    Sum.colors: Double(score.coloursNamed ?? 0),
                    Sum.rightColors: Double(score.coloursRight ?? 0),
                ], to: score.image)
            let told = score.toldHabits
            let toldCompanions = Set(told.map(\.companion))
            // A companion that two habits have counts once over all.
            for companion in Set((score.habits ?? []).map(\.companion)) {
                all.count(
                    isThere: truth.contains(companion), isTold: toldCompanions.contains(companion),
                    on: score.image, in: &sums)
            }
            for habit in Set(score.habits ?? []) {
                single[habit]?.count(
                    isThere: truth.contains(habit.companion), isTold: told.contains(habit),
                    on: score.image, in: &sums)
            }
        }
    }

    package func tables(_ scores: [CaptionScore]) throws -> [TextTable] {
        try HabitComparison.table(of: scores).map { [$0] } ?? []
    }

    /// What was learned by looking; nil where the data has no habits.
    package func conclusion(_ rows: [String: BootstrapResult], run: Int, base: String) -> String? {
        func percent(_ key: String, _ run: Int) -> String? {
            rows[key].map { fixed(100 * $0.values[run].estimate, 0) }
        }
        func both(_ key: String) -> (own: String, base: String)? {
            percent(key, run).flatMap { own in percent(key, 0).map { (own, $0) } }
        }
        guard let kept = both(CompanionSums.kept), let invented = both(CompanionSums.invented),
            let balanced = both(CompanionSums.balancedAccuracy)
        else { return nil }
        return "companions: told where there \(kept.own)% (\(base) \(kept.base)), where absent "
            + "\(invented.own)% (\(base) \(invented.base)): balanced accuracy \(balanced.own) against "
            + "\(balanced.base); a rule that doesn't look has 50."
    }
}

/// A caption held against its picture.
package struct CaptionScore: ExamScore {
    package struct Mention: Sendable, Equatable, Codable {
        package var word: String
        package var object: String

        package init(word: String, object: String) { (self.word, self.object) = (word, object) }
    }

    package var id: String
    package var image: String
    package var text: String
    /// Objects of the picture, sorted.
    package var objects: [String]
    package var mentions: [Mention]
    /// Colours given to objects that are there, and how many of them are right; nil where no scene is known.
    package var coloursNamed: Int?
    package var coloursRight: Int?
    /// Those that apply to the picture, by which companions are counted; nil where nothing says.
    package var habits: [AppliedHabit]?
    /// Those of them whose companions the caption tells, in a sentence with the habit's cue where it has one; nil in
    /// sheets of before, where every mention counts.
    package var told: [AppliedHabit]?

    package init(
        id: String, image: String, text: String, objects: [String], mentions: [Mention],
        coloursNamed: Int? = nil, coloursRight: Int? = nil, habits: [AppliedHabit]? = nil,
        told: [AppliedHabit]? = nil
    ) {
        (self.id, self.image, self.text, self.objects, self.mentions) = (id, image, text, objects, mentions)
        (self.coloursNamed, self.coloursRight) = (coloursNamed, coloursRight)
        (self.habits, self.told) = (habits, told)
    }

    /// Each invented object once, in the order of the caption.
    package var invented: [String] {
        var seen = Set(objects)
        return mentions.map(\.object).filter { seen.insert($0).inserted }
    }

    var toldHabits: Set<AppliedHabit> {
        if let told { return Set(told) }
        let named = Set(mentions.map(\.object))
        return Set((habits ?? []).filter { named.contains($0.companion) })
    }

    package var said: String { text }
    package var unanswered: CaptionScore {
        CaptionScore(id: id, image: image, text: "", objects: objects, mentions: [], habits: habits)
    }
}

extension [CaptionScore] {
    /// Those that apply to any picture.
    var habits: [AppliedHabit] { Set(flatMap { $0.habits ?? [] }).sorted() }
}

extension ScoreSheet {
    package var captions: [CaptionScore] { self[Captions()] }

    /// Of each picture the companions of habits that apply.
    var companions: [String: Set<String>] {
        Dictionary(
            captions.map { ($0.image, Set(($0.habits ?? []).map(\.companion))) },
            uniquingKeysWith: { $0.union($1) })
    }
}

// MARK: - What captions invented

/// "Is there an X?", asked about objects that the model's own captions invented.
package struct OwnInventions: Exam {
    package let name = "habit"
    package let title = "Own inventions"
    package let help: String? = nil
    package let figures: [Figure] = []

    package init() {}

    package struct Question: ExamQuestion {
        package let image: String
        package let object: String

        package var asked: Asked { Asked(id: object, image: image, prompt: HabitScore.question(object)) }
        package var place: String { "habit question on \(image)" }
    }

    package func read(_ file: ExamFile) throws -> (questions: [Question], labelFiles: [String]) { ([], []) }

    package func followUps(to sheet: ScoreSheet) -> [Question] {
        sheet.captions.flatMap { caption in
            caption.invented.map { Question(image: caption.image, object: $0) }
        }
    }

    package func score(_ question: Question, answer: String, _ finder: ObjectFinder) -> HabitScore {
        HabitScore(image: question.image, object: question.object, answer: answer)
    }

    package func count(_ scores: [HabitScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {}

    package func remarks(_ scores: [HabitScore]) -> [[String]] {
        guard !scores.isEmpty else { return [] }
        let share = Double(scores.count(where: \.isDenied)) / Double(scores.count)
        return [["own inventions denied % (of \(scores.count))", fixed(100 * share, 1)]]
    }
}

/// An object that the model's own caption invented, and what the model says when it's asked about it.
package struct HabitScore: ExamScore {
    package var image: String
    package var object: String
    package var answer: String

    package init(image: String, object: String, answer: String) {
        (self.image, self.object, self.answer) = (image, object, answer)
    }

    /// The question, in POPE's wording.
    package static func question(_ object: String) -> String {
        let isVowel = object.first.map { "aeiou".contains($0) } ?? false
        return "Is there \(isVowel ? "an" : "a") \(object) in the image?"
    }

    package var isDenied: Bool { popeAnswer(in: answer) == .no }
    package var said: String { answer }
    package var unanswered: HabitScore { HabitScore(image: image, object: object, answer: "") }
}
