import Foundation
import JSON
import Metrics
import Records
import Tables

/// GQA (Hudson and Manning 2019), scored as its `eval.py` does for the testdev split: right is what equals the answer
/// letter by letter, of the balanced questions. Its own file (`testdev_balanced_questions.json`) is read as it is; so is
/// LLaVA's (`llava_gqa_testdev_balanced.jsonl`), whose labels stand in GQA's.
///
/// An answer is first made small and loses the periods at its end (LLaVA's `scripts/convert_gqa_for_eval.py`), which
/// leaves predictions in GQA's layout as they are where that script wrote them.
package struct GQA: Exam {
    package let name = "gqa"
    package let title = "GQA"
    package let help: String? = "GQA questions: testdev_balanced_questions.json, or LLaVA's file."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`testdev_balanced_questions.json`, or LLaVA's `llava_gqa_testdev_balanced.jsonl` with it beside",
        source: "GQA's site; LLaVA's `eval.zip`", license: "CC BY 4.0")
    package let readsLabels = true
    package let isPart = true
    package let layouts = [AnswerLayout(id: "questionId", text: "prediction")]

    package init() {}

    private static let labels = "testdev_balanced_questions.json"

    package func files(in folder: String) -> [String] { ["\(folder)/\(Self.labels)"] }

    private struct Label {
        let image: String
        let question: String
        let answer: String
        let tags: [String: String]
    }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        let lines = try file.lines()
        var questions: [TaggedQuestion] = []
        func add(_ asked: Asked, _ line: Int, _ label: Label) {
            questions.append(
                TaggedQuestion(
                    asked, place: "\(file.path):\(line)", references: [label.answer], tags: label.tags))
        }
        guard try lines.hasObjects(with: "question_id") else {
            try Self.forEachLabel(in: lines) { id, label, line in
                add(Asked(id: id, image: label.image, prompt: label.question), line, label)
            }
            return (questions, [])
        }
        let labelFile = try file.requiredLabelFile(named: [Self.labels])
        var labels: [String: Label] = [:]
        try Self.forEachLabel(in: FileLines(labelFile)) { id, label, _ in labels[id] = label }
        var ids = QuestionIDs()
        try lines.forEachObject { object, line in
            let id = try object.questionID()
            try ids.add(id, line: line)
            guard let label = labels[id] else { throw RecordError.unlabelled(id, in: labelFile) }
            let asked = Asked(
                id: id, image: try object.requiredString("image"), prompt: try object.requiredString("text"))
            add(asked, line, label)
        }
        guard questions.count == labels.count else {
            throw EvaluationError(
                "\(labelFile): \(labels.count - questions.count) of \(labels.count) questions are missing in "
                    + "\(file.path); give the questions of the same split")
        }
        return (questions, [labelFile])
    }

    /// Balanced questions alone.
    private static func forEachLabel(
        in lines: FileLines, _ body: (_ id: String, _ label: Label, _ line: Int) throws -> Void
    ) throws {
        try lines.forEachMember { id, value, line in
            guard case .object(let object) = value else { throw RecordError.notAnObject(found: value.kind) }
            guard try object.requiredBool("isBalanced") else { return }
            let types = try object.requiredObject("types")
            let question = try object.requiredString("question")
            let group = try object.object("groups")?.string("global")
            var tags = [
                "structural": try types.requiredString("structural"),
                "semantic": try types.requiredString("semantic"),
                "words": String(CodePoints(question).words.count),
                "steps": String(try steps(object)),
            ]
            tags["group"] = group
            let label = Label(
                image: try object.word("imageId") + ".jpg", question: question,
                answer: try object.requiredString("answer"), tags: tags)
            try body(id, label, line)
        }
    }

    /// Reasoning steps but those that only ask in the end.
    private static func steps(_ object: JSONObject) throws -> Int {
        let asking = ["exist", "query: name", "choose name"]
        let steps = try object.required(
            "semantic",
            object.objects("semantic") {
                "\(try $0.requiredString("operation")): \(try $0.requiredString("argument"))"
            })
        return steps.count { step in !asking.contains { step.contains($0) } }
    }

    private static func prediction(_ answer: String) -> CodePoints {
        let text = CodePoints(answer)
        return CodePoints(text[..<((text.lastIndex { $0 != "." } ?? -1) + 1)]).lowercased
    }

    // MARK: - Figures

    private static let sums = AccuracySums("gqa")
    private static let structural = ["choose", "compare", "logical", "query", "verify"]
    private static let semantic = [
        ("attr", "attribute"), ("cat", "category"), ("global", "scene"), ("obj", "object"),
        ("rel", "relation"),
    ]

    package var figures: [Figure] {
        func figure(_ part: String, _ name: String, isSummarized: Bool = true) -> Figure {
            Figure(
                part.isEmpty ? "gqa" : "gqa_\(part)", "GQA \(name)", .fraction, better: .more,
                Self.sums.formula(part), isSummarized: isSummarized)
        }
        return [figure("", "accuracy"), figure("binary", "binary"), figure("open", "open")]
            + Self.structural.map { figure($0, $0) } + Self.semantic.map { figure($0, $1) }
            + [figure("exact", "accuracy, as written", isSummarized: false)]
    }

    package var highlights: Highlights {
        var highlights = Highlights()
        highlights.columns = [("gqa", "GQA % ↑")]
        return highlights
    }

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores {
            let right: Double = isRight(score) ? 1 : 0
            let isExact = score.references.contains { $0.utf8.elementsEqual(score.answer.utf8) }
            let parts = ["", kind(score), score["structural"], score["semantic"]]
            Self.sums.add(parts.map { ($0, right) } + [("exact", isExact ? 1 : 0)], to: score.image, &sums)
        }
    }

    private func kind(_ score: TaggedScore) -> String { score["structural"] == "query" ? "open" : "binary" }

    private func isRight(_ score: TaggedScore) -> Bool {
        score.references.contains { CodePoints($0) == Self.prediction(score.answer) }
    }

    package let readings = [FigureReadings(official: "gqa", strict: "gqa_exact")]

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        ["binary", "open"].map { kind in
            TrialSeries(
                exam: "GQA", part: kind,
                scores.filter { self.kind($0) == kind }.map {
                    .init(image: $0.image, label: $0.references.joined(), isRight: isRight($0))
                })
        }
    }

    package func tables(_ scores: [TaggedScore]) -> [TextTable] {
        guard !scores.isEmpty else { return [] }
        let parts = [("steps", "GQA, steps"), ("words", "GQA, words")].flatMap { tag, title in
            PartTable(title, scores.map { ($0[tag], isRight($0) ? 1 : 0) }, numbered: true).tables
        }
        return parts
            + (Self.distribution(scores).map { [TextTable([["GQA distribution ↓", fixed($0, 2)]])] } ?? [])
    }

    /// How far the answers to a group of questions are spread otherwise than the right ones: chi-square, averaged over the
    /// groups by their size, over 100. nil where no question has a group.
    package static func distribution(_ scores: [TaggedScore]) -> Double? {
        var (score, all) = (0.0, 0.0)
        for (_, own) in Dictionary(grouping: scores.filter { $0.tags["group"] != nil }, by: { $0["group"] }) {
            let said = counts(own.map { prediction($0.answer) })
            let right = counts(own.map { CodePoints($0.references[0]) })
            let chiSquare = right.reduce(0.0) { sum, answer in
                let difference = Double((said[answer.key] ?? 0) - answer.value)
                return sum + difference * difference / Double(answer.value)
            }
            score += chiSquare * Double(own.count)
            all += Double(own.count)
        }
        return all == 0 ? nil : score / all / 100
    }

    private static func counts(_ answers: [CodePoints]) -> [CodePoints: Int] {
        answers.reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }
}
