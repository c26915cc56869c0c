import English
import Foundation
import JSON
import Metrics
import Records

/// AMBER (Wang et al. 2023), its 1,004 pictures to describe: which of the words that AMBER knows a caption has that are
/// neither in the picture nor akin to what is (`CHAIR`, `Hal`), how much of the picture it has (`Cover`), and how many of
/// the words that people would make up there (`Cog`). Queries are read as they are downloaded, with `annotations.json`,
/// `relation.json` and `safe_words.txt`; those that are answered with yes or no are `AMBER`'s.
///
/// Nouns are found as in the official script (`inference.py` at 5e1fd52): NLTK's words, tags and lemmas. It then takes words
/// for each other whose vectors in spaCy's `en_core_web_lg` have a cosine above 0.8. These pairs of AMBER's words are read
/// from `similar_words.json`, which the script's own function gives (`docs/benchmarks.md`). Where there is no such file, only
/// the figures that are named so are given, which take no word for another.
package struct AMBERCaptions: Exam {
    package let name = "amber-captions"
    package let title = "AMBER's captions"
    package let help: String? = "AMBER's captions, with annotations, relation.json, safe_words.txt."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`query_generative.json` or `query_all.json`; `annotations.json` beside it or a folder above, and there `relation.json`, `safe_words.txt`, `similar_words.json` (below)",
        source: "AMBER's repository", license: "Apache-2.0")
    package let readsLabels = true
    package let isPart = true
    package let answers = AnswerLength.caption
    package let layouts = [AnswerLayout(id: "id", text: "response")]

    package init() {}

    package func files(in folder: String) -> [String] {
        let places = ["query/query_generative.json", "query_generative.json"].map { "\(folder)/\($0)" }
        return [places.first(where: FileManager.default.fileExists) ?? places[0]]
    }

    package struct Question: ExamQuestion {
        package let asked: Asked
        package let place: String
        fileprivate let scene: AMBERWords.Scene
        fileprivate let words: AMBERWords
    }

    package func read(_ file: ExamFile) throws -> (questions: [Question], labelFiles: [String]) {
        let labelFile = try file.requiredLabelFile(named: ["annotations.json", "../annotations.json"])
        let words = try AMBERWords(beside: labelFile, among: file.labels)
        let scenes = try Self.scenes(in: FileLines(labelFile), words)
        var ids = QuestionIDs()
        var questions: [Question] = []
        try file.lines().forEachObject { object, line in
            let id = try object["question_id"] == nil ? object.word("id") : object.word("question_id")
            try ids.add(id, line: line)
            guard let label = scenes[id] else { throw RecordError.unlabelled(id, in: labelFile) }
            guard let scene = label else { return }
            let text = try object.string("query") ?? object.requiredString("text")
            questions.append(
                Question(
                    asked: Asked(id: id, image: try object.requiredString("image"), prompt: text),
                    place: "\(file.path):\(line)", scene: scene, words: words))
        }
        return (questions, [labelFile] + words.files)
    }

    /// By id; nil for what is asked otherwise than for a caption.
    private static func scenes(
        in lines: FileLines, _ words: AMBERWords
    ) throws -> [String: AMBERWords.Scene?] {
        var scenes: [String: AMBERWords.Scene?] = [:]
        try lines.forEachObject { object, _ in
            let id = try object.word("id")
            guard try object.requiredString("type") == "generative" else {
                return scenes[id] = .some(nil)
            }
            scenes[id] = .some(try words.scene(object))
        }
        return scenes
    }

    package func score(
        _ question: Question, answer: String, _ finder: ObjectFinder
    ) -> AMBERCaptionScore {
        AMBERCaptionScore(question.asked, text: answer, question.scene, question.words)
    }

    // MARK: - Figures

    private enum Reading: String, CaseIterable {
        case official, sameWords = "same_words"

        var key: String { self == .official ? "amber" : "amber_same_words" }
        var title: String { self == .official ? "AMBER" : "AMBER, same words," }

        func sum(_ name: String) -> String { "amber.captions.\(rawValue).\(name)" }
    }

    package var figures: [Figure] {
        // In percent with one decimal, as the script prints them; its counters of wholes begin at 0.001.
        func figure(
            _ reading: Reading, _ name: String, _ part: String, _ whole: String, _ better: Figure.Better
        ) -> Figure {
            let isRest = part == "clean"
            return Figure(
                "\(reading.key)_\(name)", "\(reading.title) \(name == "chair" ? "CHAIR" : name.capitalized)",
                .fraction, better: better,
                .function(of: [reading.sum(part), reading.sum(whole), reading.sum("captions")]) { sums in
                    guard sums[2] > 0 else { return .nan }
                    let share = sums[0] / (sums[1] + 0.001) * 100
                    return rounded(isRest ? 100 - share : share, 1) / 100
                })
        }
        return Reading.allCases.flatMap { reading in
            [
                figure(reading, "chair", "invented", "nouns", .less),
                figure(reading, "cover", "covered", "things", .more),
                figure(reading, "hal", "clean", "captions", .less),
                figure(reading, "cog", "imagined", "imaginable", .less),
            ]
        }
    }

    package func count(
        _ scores: [AMBERCaptionScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) {
        for score in scores {
            for reading in Reading.allCases {
                guard let own = reading == .official ? score.official : score.sameWords else { continue }
                sums.add(
                    [
                        reading.sum("captions"): 1, reading.sum("clean"): own.invented.isEmpty ? 1 : 0,
                        reading.sum("nouns"): Double(score.nouns.count),
                        reading.sum("invented"): Double(own.invented.count),
                        reading.sum("things"): Double(score.truth.count),
                        reading.sum("covered"): Double(own.covered),
                        reading.sum("imaginable"): Double(score.imaginable.count),
                        reading.sum("imagined"): Double(own.imagined),
                    ], to: score.image)
            }
        }
    }

    package func remarks(_ scores: [AMBERCaptionScore]) -> [[String]] {
        scores.contains { $0.official == nil }
            ? [["AMBER's captions", "no similar_words.json: no word is taken for another"]] : []
    }
}

/// A caption held against what AMBER says of its picture.
package struct AMBERCaptionScore: ExamScore {
    package var id: String
    package var image: String
    package var prompt: String
    package var text: String
    package var truth: [String]
    /// What people would make up there.
    package var imaginable: [String]
    /// Those that AMBER knows, each time that they are said.
    package var nouns: [String]
    /// nil where it isn't known which words may stand for each other.
    package var official: Reading?
    package var sameWords: Reading

    /// What a caption has of its picture.
    package struct Reading: Sendable, Equatable, Codable {
        /// Nouns of what isn't there.
        package var invented: [String]
        /// How many of the truth's words.
        package var covered: Int
        /// How many of the imaginable.
        package var imagined: Int
    }

    fileprivate init(_ asked: Asked, text: String, _ scene: AMBERWords.Scene, _ words: AMBERWords) {
        (id, image, prompt, self.text) = (asked.id, asked.image, asked.prompt, text)
        (truth, imaginable) = (scene.truth, scene.imaginable)
        let nouns = words.nouns(in: text)
        self.nouns = nouns
        official = words.similar.map { words.reading(nouns, scene, similar: $0) }
        sameWords = words.reading(nouns, scene, similar: [:])
    }

    package var said: String { text }
    package var unanswered: AMBERCaptionScore {
        var score = self
        (score.text, score.nouns, score.official) = ("", [], nil)
        score.sameWords = Reading(invented: [], covered: 0, imagined: 0)
        return score
    }
}
