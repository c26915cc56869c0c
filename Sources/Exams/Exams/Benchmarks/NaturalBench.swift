import Foundation
import JSON
import Metrics
import Records

/// NaturalBench (Li et al. 2024): two questions about each of two pictures, so asked that both have the other answer on the
/// other picture. Read are groups as the data set has them, an object each: `Question_0`, `Question_1`, `Image_0`, `Image_1`
/// (paths here), `Image_0_Question_0` and the like, `Question_Type`. Answers are numbered by group in the official order:
/// first question about both pictures, then the second.
package struct NaturalBench: Exam {
    package let name = "naturalbench"
    package let title = "NaturalBench"
    package let help: String? = "NaturalBench groups as JSON, pictures as paths."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`naturalbench.json` or `.jsonl`: the data set's rows, pictures as paths",
        source: "Hugging Face, `BaiqiL/NaturalBench`", license: "Apache-2.0")

    package init() {}

    package func files(in folder: String) -> [String] {
        let places = ["json", "jsonl"].map { "\(folder)/naturalbench.\($0)" }
        return [places.first(where: FileManager.default.fileExists) ?? places[0]]
    }

    private enum Kind: String {
        case yesNo = "yes_no"
        case choice = "multiple_choice"

        /// The first stands for yes in both.
        var words: (String, String) { self == .yesNo ? ("yes", "no") : ("A", "B") }
        var suffix: String {
            self == .yesNo
                ? "Please answer Yes or No." : "Please output the letter corresponding to the correct option."
        }
    }

    private static let cells = [(0, 0), (0, 1), (1, 0), (1, 1)]

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        var questions: [TaggedQuestion] = []
        try file.lines().forEachObject { object, line in
            let type = try object.string("Question_Type") ?? object.requiredString("Question Type")
            guard let kind = Kind(rawValue: type) else {
                throw RecordError.invalid(
                    key: "Question_Type", found: "\"\(type)\"", remedy: "write yes_no or multiple_choice")
            }
            let group = questions.count / 4
            for (index, (question, image)) in Self.cells.enumerated() {
                let asked = Asked(
                    id: String(questions.count), image: try object.requiredString("Image_\(image)"),
                    prompt: try object.requiredString("Question_\(question)") + kind.suffix)
                let label = try object.requiredString("Image_\(image)_Question_\(question)")
                let tags = ["group": String(group), "cell": String(index), "kind": type]
                questions.append(
                    TaggedQuestion(asked, place: "\(file.path):\(line)", references: [label], tags: tags))
            }
        }
        return (questions, [])
    }

    // MARK: - Figures

    private static let sums = AccuracySums("naturalbench")
    private static let readings = ["", "strict"]

    package var figures: [Figure] {
        let names = [("acc", "Acc"), ("q_acc", "Q-Acc"), ("i_acc", "I-Acc"), ("g_acc", "G-Acc")]
        return Self.readings.flatMap { reading in
            names.map { key, name in
                Figure(
                    ["naturalbench", reading, key].filter { !$0.isEmpty }.joined(separator: "_"),
                    "NaturalBench \(reading.isEmpty ? "" : "strict ")\(name)", .fraction, better: .more,
                    Self.sums.formula(reading + key), isSummarized: reading.isEmpty)
            }
        }
    }

    /// Groups are the clusters. The official script (`naturalbench_vqa.py` at 3717258) doesn't look at labels: of a group
    /// the first and last answer are to be yes or A.
    package func count(
        _ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums
    ) throws {
        for start in stride(from: 0, to: scores.count, by: 4) {
            let group = Array(scores[start..<min(start + 4, scores.count)])
            guard group.map({ $0["cell"] }) == ["0", "1", "2", "3"],
                Set(group.map { $0["group"] }).count == 1
            else {
                throw MetricsError.unmatched(
                    where: "NaturalBench group \(scores[start]["group"])",
                    found: "its four answers aren't together",
                    remedy: "answer all of a group, in the order of the questions")
            }
            let official = zip(group, [true, false, false, true]).map { Self.answer($0) == $1 }
            let strict = group.map(Self.isStrictlyRight)
            for (reading, right) in zip(Self.readings, [official, strict]) {
                let pairs = [("q_acc", 0, 1), ("q_acc", 2, 3), ("i_acc", 0, 2), ("i_acc", 1, 3)]
                Self.sums.add(
                    right.map { (reading + "acc", $0 ? 1 : 0) }
                        + pairs.map { (reading + $0, right[$1] && right[$2] ? 1 : 0) }
                        + [(reading + "g_acc", right.allSatisfy { $0 } ? 1 : 0)],
                    to: "group \(group[0]["group"])", &sums)
            }
        }
    }

    /// Whether yes or A stands in it before no or B, as a word of its own, in whatever case; nil where none does.
    private static func answer(_ score: TaggedScore) -> Bool? {
        guard let kind = Kind(rawValue: score["kind"]) else { return nil }
        let text = CodePoints(score.answer)
        let (first, second) = (place(of: kind.words.0, in: text), place(of: kind.words.1, in: text))
        switch (first, second) {
        case (nil, nil): return nil
        case (let first?, let second?): return first < second
        case (let first, _): return first != nil
        }
    }

    /// Where a word begins that has no letter, digit or `_` beside it.
    private static func place(of word: String, in text: CodePoints) -> Int? {
        let word = CodePoints(word).lowercased
        func isInWord(_ index: Int) -> Bool { text.indices.contains(index) && text[index].isPythonWord }
        guard text.count >= word.count else { return nil }
        return (0...(text.count - word.count)).first { start in
            let end = start + word.count
            return CodePoints(text[start..<end]).lowercased == word && !isInWord(start - 1) && !isInWord(end)
        }
    }

    /// By its label, which must be its first word.
    private static func isStrictlyRight(_ score: TaggedScore) -> Bool {
        score.references.contains { CodePoints($0).lowercased == firstWord(score.answer) }
    }

    private static func firstWord(_ answer: String) -> CodePoints {
        let letters = CodePoints(answer).drop { !$0.properties.isAlphabetic }
        return CodePoints(letters.prefix(while: \.properties.isAlphabetic)).lowercased
    }

    package var readings: [FigureReadings] {
        ["acc", "q_acc", "i_acc", "g_acc"].map {
            FigureReadings(official: "naturalbench_\($0)", strict: "naturalbench_strict_\($0)")
        }
    }

    package func reading(of score: TaggedScore) -> AnswerReading? {
        guard let words = Kind(rawValue: score["kind"])?.words else { return nil }
        let strict = [words.0, words.1].first { Self.firstWord(score.answer) == CodePoints($0).lowercased }
        return AnswerReading(
            official: Self.answer(score).map { $0 ? words.0 : words.1 }, strict: strict)
    }

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        [
            TrialSeries(
                exam: "NaturalBench", part: "answers",
                scores.map {
                    .init(
                        image: $0.id, label: $0.references.joined(),
                        isRight: Self.answer($0) == ["0", "3"].contains($0["cell"]))
                })
        ]
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let unread = scores.count { Self.answer($0) == nil }
        return scores.isEmpty ? [] : [["NaturalBench answers unread, wrong", String(unread)]]
    }
}
