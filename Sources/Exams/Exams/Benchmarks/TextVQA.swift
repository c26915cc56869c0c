import Foundation
import JSON
import Metrics
import Records

/// TextVQA (Singh et al. 2019): questions about what is written in a picture. Its own file (`TextVQA_0.5.1_val.json`) has
/// questions and answers; LLaVA's (`llava_textvqa_val_v051_ocr.jsonl`) has questions with the words that were read, and
/// the answers stand in TextVQA's.
package struct TextVQA: Exam {
    package let name = "textvqa"
    package let title = "TextVQA"
    package let help: String? = "TextVQA questions: LLaVA's file, or TextVQA_0.5.1_val.json."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "LLaVA's `llava_textvqa_val_v051_ocr.jsonl` with `TextVQA_0.5.1_val.json` beside it, or that alone",
        source: "TextVQA's site; LLaVA's `eval.zip`", license: "CC BY 4.0")
    package let readsLabels = true

    package init() {}

    private static let labels = "TextVQA_0.5.1_val.json"
    private static let llava = "llava_textvqa_val_v051_ocr.jsonl"

    package func files(in folder: String) -> [String] {
        let all = [Self.llava, Self.labels].map { "\(folder)/\($0)" }
        return [all.first(where: FileManager.default.fileExists) ?? all[0]]
    }

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        let lines = try file.lines()
        guard try lines.hasObjects(with: "question_id") else { return (try own(lines), []) }
        let labels = try file.requiredLabelFile(named: [Self.labels])
        let answers = try Self.answers(in: FileLines(labels))
        var prompts: Set<String> = []
        var counts: [String: Int] = [:]
        let questions = try lines.objects { object, line in
            let id = try object.questionID()
            let text = try object.requiredString("text")
            guard prompts.insert("\(id)\n\(text)").inserted else {
                throw RecordError.invalid(
                    key: "question_id", found: "\"\(id)\" with this text for the second time",
                    remedy: "ids or texts must differ")
            }
            guard let references = answers[Self.key(id, try Self.question(in: text))] else {
                throw RecordError.unlabelled(id, in: labels)
            }
            let ordinal = counts[id, default: 0] + 1
            counts[id] = ordinal
            let asked = Asked(
                id: ordinal > 1 ? "\(id)#\(ordinal)" : id, sharedID: ordinal > 1 ? id : nil,
                image: try object.requiredString("image"), prompt: text)
            return TaggedQuestion(asked, place: "\(file.path):\(line)", references: references)
        }
        return (questions, [labels])
    }

    private func own(_ lines: FileLines) throws -> [TaggedQuestion] {
        var questions: [TaggedQuestion] = []
        var ids = QuestionIDs()
        try lines.forEachObject(of: "data") { object, line in
            let id = try object.word("question_id")
            try ids.add(id, line: line)
            let asked = Asked(
                id: id, image: try object.requiredString("image_id") + ".jpg",
                prompt: try object.requiredString("question"))
            questions.append(
                TaggedQuestion(asked, place: "\(lines.path):\(line)", references: try Self.references(object))
            )
        }
        return questions
    }

    /// The evaluator takes ten.
    private static func references(_ object: JSONObject) throws -> [String] {
        try JSONObject.checked(object.requiredStrings("answers"), "answers", 10)
    }

    /// By picture and question in small letters; of two the last, as in the official script.
    private static func answers(in lines: FileLines) throws -> [String: [String]] {
        var answers: [String: [String]] = [:]
        try lines.forEachObject(of: "data") { object, _ in
            let question = CodePoints(try object.requiredString("question")).lowercased.text
            answers[key(try object.word("image_id"), question)] = try references(object)
        }
        return answers
    }

    private static func key(_ image: String, _ question: String) -> String { "\(image)\n\(question)" }

    /// The question that a prompt of LLaVA's asks, in small letters (`prompt_processor` of `llava/eval/eval_textvqa.py`).
    ///
    /// - Throws: `RecordError` for a prompt of another form, at which the script stops.
    static func question(in prompt: String) throws -> String {
        let lines = prompt.unicodeScalars.split(separator: "\n", omittingEmptySubsequences: false).map {
            String($0)
        }
        let (ocr, reference) = ("OCR tokens: ", "Reference OCR token:")
        let question: String?
        if prompt.utf8.starts(with: ocr.utf8) {
            question = prompt.firstMatch(of: /(?s)Question: (.*?) Short answer:/).map { String($0.1) }
        } else if lines.count == 3, prompt.contains(reference + " ") {
            question = prompt.utf8.starts(with: reference.utf8) ? lines[1] : lines[0]
        } else {
            question = lines.count == 2 ? lines[0] : nil
        }
        guard let question else {
            throw RecordError.invalid(
                key: "text", found: "a prompt of \(lines.count) lines",
                remedy:
                    "write the question, the words that were read and what is to be answered on a line each")
        }
        return CodePoints(question).lowercased.text
    }

    private static let sums = AccuracySums("textvqa")

    package var figures: [Figure] {
        [
            Figure("textvqa", "TextVQA accuracy", .fraction, better: .more, Self.sums.formula()),
            Figure(
                "textvqa_exact", "TextVQA accuracy, as written", .fraction, better: .more,
                Self.sums.formula("exact"), isSummarized: false),
        ]
    }

    package let readings = [FigureReadings(official: "textvqa", strict: "textvqa_exact")]

    package var highlights: Highlights {
        var highlights = Highlights()
        highlights.columns = [("textvqa", "TextVQA % ↑")]
        return highlights
    }

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        for score in scores {
            Self.sums.add(
                [
                    ("", ShortAnswer.textVQAAccuracy(score.answer, score.references)),
                    ("exact", ShortAnswer.exactAccuracy(score.answer, score.references)),
                ], to: score.image, &sums)
        }
    }
}
