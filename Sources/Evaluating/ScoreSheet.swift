import Benchmarks
import Foundation

/// A caption held against its picture.
package struct CaptionScore: Sendable, Equatable, Codable {
    package struct Mention: Sendable, Equatable, Codable {
        package var word: String
        package var object: String
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
    /// Those of them whose companions the caption tells, in a sentence with the habit's cue where it has one.
    package var told: [AppliedHabit]?

    /// Each invented object once, in the order of the caption.
    package var invented: [String] {
        var seen = Set(objects)
        return mentions.map(\.object).filter { seen.insert($0).inserted }
    }

    package var judgement: CaptionJudgement {
        CaptionJudgement(
            image: image, caption: text, truth: Set(objects), habits: habits ?? [], told: told.map(Set.init)
        ) { _ in
            mentions.map { ObjectMention(word: $0.word, object: $0.object) }
        }
    }
}

/// A yes/no question with the model's answer.
package struct QuestionScore: Sendable, Equatable, Codable {
    package var id: String
    package var image: String
    package var prompt: String
    /// POPE's split or MME's task.
    package var task: String
    package var label: String
    package var answer: String
    /// The one object that the question names; nil where it names none or several, and in sheets of before.
    package var object: String?
}

/// "Is there an X?", asked about an object that the model's own caption invented.
package struct HabitScore: Sendable, Equatable, Codable {
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
}

/// Everything that one model answered, judged: `scores.json`. Comparisons are made from it without generating
/// again.
package struct ScoreSheet: Sendable, Equatable, Codable {
    package static let fileName = "scores.json"

    package var version = 1
    /// Digest of the model, nil where answers were given.
    package var model: String?
    /// What was added to logits, by token; nil where nothing was.
    package var logitBias: [String: Float]?
    /// Of generating and scoring.
    package var seconds: Double
    package var captions: [CaptionScore]
    package var pope: [QuestionScore]
    package var mme: [QuestionScore]
    /// nil where the habit test was not made.
    package var habit: [HabitScore]?

    package init(
        model: String?, seconds: Double, captions: [CaptionScore], pope: [QuestionScore],
        mme: [QuestionScore],
        habit: [HabitScore]? = nil
    ) {
        self.model = model
        self.seconds = seconds
        self.captions = captions
        self.pope = pope
        self.mme = mme
        self.habit = habit
    }

    /// - Throws: `EvaluationError` where the folder (a round's, or its `eval` inside) holds no sheet of this
    ///   version.
    package init(folder: String) throws {
        let path = "\(Self.place(of: folder))/\(Self.fileName)"
        let bytes = try EvaluationError.reading(path)
        let decoder = JSONDecoder()
        decoder.keyDecodingStrategy = .convertFromSnakeCase
        do { self = try decoder.decode(Self.self, from: Data(bytes)) } catch is DecodingError {
            throw EvaluationError("\(path): this is no score sheet; let eval write it again")
        }
        guard version == 1 else {
            throw EvaluationError("\(path): it has version \(version) and 1 is read; let eval write it again")
        }
    }

    /// The folder that eval wrote: the one named, or the round's `eval` inside.
    package static func place(of folder: String) -> String {
        FileManager.default.fileExists(atPath: "\(folder)/eval/\(fileName)") ? "\(folder)/eval" : folder
    }

    /// What was asked, without what the model said: sheets can be held against each other where this is equal.
    package var asked: ScoreSheet {
        func unanswered(_ score: QuestionScore) -> QuestionScore {
            var score = score
            score.answer = ""
            return score
        }
        return ScoreSheet(
            model: nil, seconds: 0,
            captions: captions.map {
                CaptionScore(
                    id: $0.id, image: $0.image, text: "", objects: $0.objects, mentions: [],
                    habits: $0.habits)
            },
            pope: pope.map(unanswered), mme: mme.map(unanswered))
    }

    /// Whether all of it was answered word for word as in `other`, of which the same was asked.
    package func saysTheSame(as other: ScoreSheet) -> Bool {
        func words(_ sheet: ScoreSheet) -> [[UInt8]] {
            (sheet.captions.map(\.text) + (sheet.pope + sheet.mme).map(\.answer)).map { Array($0.utf8) }
        }
        return words(self) == words(other)
    }

    package func json() throws -> Data {
        let encoder = JSONEncoder()
        encoder.keyEncodingStrategy = .convertToSnakeCase
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(self) + Data("\n".utf8)
    }

    /// - Throws: `EvaluationError` for a split or label that isn't known.
    package func evaluation() throws -> Evaluation {
        let companions = Dictionary(
            captions.map { ($0.image, Set(($0.habits ?? []).map(\.companion))) },
            uniquingKeysWith: { $0.union($1) })
        return Evaluation(
            captions: captions.map(\.judgement),
            pope: try pope.map { score in
                guard let split = POPESplit(rawValue: score.task) else {
                    throw EvaluationError("scores of \(score.id): the split \"\(score.task)\"; score again")
                }
                let object = score.object ?? ""
                return POPEItem(
                    image: score.image, split: split, truth: try score.truth(), answer: score.answer,
                    companion: companions[score.image]?.contains(object) == true ? object : nil)
            },
            mme: try mme.map {
                MMEItem(task: $0.task, image: $0.image, truth: try $0.truth(), answer: $0.answer)
            })
    }

    package func summary() throws -> Summary { try evaluation().summary(seconds: seconds) }

    /// Share of the colours given to objects that are there which are right.
    package var colourShare: Double? {
        let named = captions.reduce(0) { $0 + ($1.coloursNamed ?? 0) }
        return named == 0 ? nil : Double(captions.reduce(0) { $0 + ($1.coloursRight ?? 0) }) / Double(named)
    }

    /// How often the model denies what its captions invented; nil where nothing was asked.
    package var habitDenials: (denied: Int, asked: Int)? {
        guard let habit, !habit.isEmpty else { return nil }
        return (habit.count { popeAnswer(in: $0.answer) == .no }, habit.count)
    }
}

extension QuestionScore {
    package init(_ question: Question, answer: String, _ finder: ObjectFinder) {
        let named = finder.mentions(in: question.text).map(\.object)
        self.init(
            id: question.id, image: question.image, prompt: question.text, task: question.task,
            label: question.label.rawValue, answer: answer, object: named.count == 1 ? named[0] : nil)
    }

    func truth() throws -> YesNo {
        guard let truth = YesNo(rawValue: label) else {
            throw EvaluationError("scores of \(id): the label \"\(label)\"; score again")
        }
        return truth
    }
}
