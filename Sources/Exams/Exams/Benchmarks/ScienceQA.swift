import JSON
import Metrics
import Records

/// ScienceQA (Lu et al. 2022) as LLaVA asks it: `llava_test_CQM-A.json`, with ScienceQA's `problems.json` and
/// `pid_splits.json` beside it or among `--labels`. "IMG" are the questions with a picture.
///
/// An answer is read as `llava/eval/eval_science_qa.py` at c121f04 does, in this order: a letter from A to E; one with
/// `. ` and more behind it; the one letter in "The answer is X" with any sign behind it. What isn't read, or names no
/// choice, is wrong.
package struct ScienceQA: Exam {
    package let name = "scienceqa"
    package let title = "ScienceQA"
    package let help: String? = "ScienceQA questions as LLaVA has them: llava_test_CQM-A.json."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "LLaVA's `llava_test_CQM-A.json`; `problems.json`, `pid_splits.json` beside it",
        source: "LLaVA's evaluation archive; ScienceQA's repository", license: "CC BY-NC-SA 4.0")
    package let readsLabels = true

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/llava_test_CQM-A.json"] }

    private struct Problem {
        let label: String
        let tags: [String: String]
    }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        let files = try ["problems.json", "pid_splits.json"].map(file.ownLabelFile)
        let test = try Self.test(files[1])
        var problems: [String: Problem] = [:]
        try FileLines(files[0]).forEachMember { id, value, _ in
            guard test.contains(id) else { return }
            guard case .object(let object) = value else { throw RecordError.notAnObject(found: value.kind) }
            problems[id] = try Self.problem(object)
        }
        var ids = QuestionIDs()
        var questions: [TaggedQuestion] = []
        try file.lines().forEachObject { object, line in
            let id = try object.questionID()
            try ids.add(id, line: line)
            guard let problem = problems[id] else { throw RecordError.unlabelled(id, in: files[0]) }
            let image = try object.string("image")
            var tags = problem.tags
            tags["picture"] = image == nil ? nil : "yes"
            let asked = Asked(id: id, image: image ?? "", prompt: try Self.prompt(object))
            questions.append(
                TaggedQuestion(
                    asked, place: "\(file.path):\(line)", references: [problem.label], tags: tags))
        }
        guard questions.count == test.count else {
            throw EvaluationError(
                "\(files[1]): \(test.count - questions.count) of \(test.count) questions of the test split are "
                    + "missing in \(file.path); give all questions of the split")
        }
        return (questions, files)
    }

    private static func test(_ path: String) throws -> Set<String> {
        var ids: Set<String> = []
        try FileLines(path).forEachMember { split, value, _ in
            guard split == "test" else { return }
            guard case .array(let items) = value else {
                throw RecordError.wrongType(key: split, found: value.kind, wanted: "an array")
            }
            for case .string(let id) in items { ids.insert(id) }
        }
        return ids
    }

    private static func problem(_ object: JSONObject) throws -> Problem {
        let choices = try object.requiredStrings("choices")
        let word = try object.word("answer")
        guard let answer = Int(word), choices.indices.contains(answer), answer < letters.count else {
            throw RecordError.invalid(
                key: "answer", found: word, remedy: "write the index of one of the \(choices.count) choices")
        }
        let grade = try object.requiredString("grade")
        let hint = try object.string("hint") ?? ""
        let isYoung = ["1", "2", "3", "4", "5", "6"].contains { grade == "grade\($0)" }
        return Problem(
            label: letters[answer],
            tags: [
                "choices": String(choices.count), "subject": try object.requiredString("subject"),
                "grade": isYoung ? "1-6" : "7-12", "hint": hint.isEmpty ? "" : "yes",
            ])
    }

    private static func prompt(_ object: JSONObject) throws -> String {
        let turns = try object.required(
            "conversations", object.objects("conversations") { try $0.requiredString("value") })
        let question = (turns.first ?? "").replacing("<image>", with: "")
        return CodePoints(question).stripped.text + "\n" + Choices.suffix
    }

    // MARK: - Figures

    private static let letters = ["A", "B", "C", "D", "E"]
    private static let sums = AccuracySums("scienceqa")
    private static let subjects = [
        ("natural", "natural science"), ("social", "social science"), ("language", "language science"),
    ]

    package var figures: [Figure] {
        let parts =
            [("img", "IMG"), ("total", "total")] + Self.subjects
            + [
                ("text", "text context"), ("image", "image context"), ("none", "no context"),
                ("1-6", "grades 1–6"), ("7-12", "grades 7–12"),
            ]
        let figures = parts.map { part, name in
            Figure(
                "scienceqa_\(part.replacing("-", with: "_"))", "ScienceQA \(name)", .fraction, better: .more,
                Self.sums.formula(part))
        }
        return figures + [
            Figure(
                "scienceqa_strict", "ScienceQA IMG, strict", .fraction, better: .more,
                Self.sums.formula("strict"), isSummarized: false)
        ]
    }

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores {
            let right: Double = Self.isRight(score) ? 1 : 0
            let (hasPicture, hasText) = (score["picture"] == "yes", score["hint"] == "yes")
            var parts = ["total", score["grade"]]
            parts += Self.subjects.filter { $0.1 == score["subject"] }.map(\.0)
            if hasText { parts.append("text") }
            if hasPicture { parts += ["image", "img"] }
            if !hasText && !hasPicture { parts.append("none") }
            var cells = parts.map { ($0, right) }
            if hasPicture {
                let strict = Self.choices(score).strict(score.answer) == score.references[0]
                cells.append(("strict", strict ? 1 : 0))
            }
            Self.sums.add(cells, to: hasPicture ? score.image : "question \(score.id)", &sums)
        }
    }

    private static func choices(_ score: TaggedScore) -> Choices {
        Choices(Array(repeating: "", count: Int(score["choices"]) ?? 0))
    }

    private static func isRight(_ score: TaggedScore) -> Bool {
        guard let letter = letter(in: score.answer), choices(score).letters.contains(letter) else {
            return false
        }
        return letter == score.references[0]
    }

    /// nil where the script prints FAILED.
    package static func letter(in answer: String) -> String? {
        let points = CodePoints(answer)
        let first = points.first.map { String($0) } ?? ""
        if letters.contains(first), points.count == 1 || points.count >= 3 && points[1...2] == [".", " "] {
            return first
        }
        let phrase = CodePoints("The answer is ")
        var found: [String] = []
        var rest = points[...]
        while let place = CodePoints(rest).place(of: phrase) {
            let after = rest.dropFirst(place + phrase.count)
            let next = after.prefix(2)
            if next.count == 2, let letter = next.first, ("A"..."Z").contains(letter), next.last != "\n" {
                found.append(String(letter))
                rest = after.dropFirst(2)
            } else {
                rest = after
            }
        }
        return found.count == 1 ? found[0] : nil
    }

    package let readings = [FigureReadings(official: "scienceqa_img", strict: "scienceqa_strict")]

    package func reading(of score: TaggedScore) -> AnswerReading? {
        AnswerReading(
            official: Self.letter(in: score.answer), strict: Self.choices(score).strict(score.answer))
    }

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        [
            TrialSeries(
                exam: "ScienceQA", part: "IMG",
                scores.filter { $0["picture"] == "yes" }.map {
                    .init(image: $0.image, label: $0.references[0], isRight: Self.isRight($0))
                })
        ]
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let failed = scores.count { Self.letter(in: $0.answer) == nil }
        return scores.isEmpty ? [] : [["ScienceQA answers unread, wrong", String(failed)]]
    }
}

extension ExamFile {
    /// One of several files of labels: the one of that name among `--labels`, else beside the questions.
    fileprivate func ownLabelFile(_ name: String) throws -> String {
        let own = labels.filter { $0.split(separator: "/").last.map(String.init) == name }
        let narrowed = ExamFile(
            path, labels: labels.isEmpty ? [] : own, root: root, finder, lines: lines, records: records)
        return try narrowed.requiredLabelFile(named: [name])
    }
}
