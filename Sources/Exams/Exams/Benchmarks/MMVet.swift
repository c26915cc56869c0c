import JSON
import Metrics
import Records
import Tables

/// MM-Vet (Yu et al. 2023): 218 questions that need up to six capabilities together. A judge gives each answer a number
/// from 0 to 1 (`mm-vet_evaluator.py`); the paper judges five times.
package struct MMVet: JudgedExam {
    package let name = "mm-vet"
    package let help: String? = "MM-Vet's mm-vet.json."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`mm-vet.json`",
        source: "MM-Vet's repository, release `mm-vet.zip`", license: "CC BY-NC 4.0")
    package let title = "MM-Vet"
    package let layouts = [AnswerLayout.dictionary]
    package let officialJudge = "gpt-4-0613"
    package let runs = 5
    /// The script makes one request more, and counts 0 whatever the reply.
    package let attempts = 5
    package let whole = "total"
    package let parts = ["rec", "ocr", "know", "gen", "spat", "math"]
    package let unread: [Double] = [0]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/mm-vet.json"] }

    package func read(_ file: ExamFile) throws -> (questions: [JudgedQuestion], labelFiles: [String]) {
        var ids = QuestionIDs()
        var questions: [JudgedQuestion] = []
        try file.lines().forEachMember { id, value, line in
            guard case .object(let object) = value else {
                throw RecordError.wrongType(key: id, found: value.kind, wanted: "an object")
            }
            try ids.add(id, line: line)
            let capabilities = try object.requiredStrings("capability")
            if let stranger = capabilities.first(where: { !parts.contains($0) }) {
                throw RecordError.invalid(
                    key: "capability", found: "\"\(stranger)\"",
                    remedy: "use \(parts.joined(separator: ", "))")
            }
            questions.append(
                JudgedQuestion(
                    // LLaVA's files number the questions.
                    id: id, sharedID: id.hasPrefix("v1_") ? String(id.dropFirst(3)) : nil, file: file.path,
                    line: line, image: try object.requiredString("imagename"),
                    text: try object.requiredString("question"), parts: capabilities.unique,
                    reference: try object.requiredString("answer")))
        }
        return (questions, [])
    }

    // MARK: - The judge

    package let ownPrompt = """
        How right is a model's answer, from 0.0 for wholly wrong to 1.0 for wholly right, in steps of 0.1? Hold it \
        against the known answer: where that has <AND>, all of its parts are needed, and the share of those that are \
        there counts; where it has <OR>, any one of its parts is enough. What the model says besides counts for \
        nothing. Reply with the number alone.

        Question: {question}
        Known answer: {reference}
        Model's answer: {answer}
        Number: {again}
        Write only a number from 0.0 to 1.0: 
        """

    package func request(_ score: JudgedScore, _ prompt: JudgePrompt, attempt: Int) throws -> JudgeRequest {
        let reference = score.reference.replacing("<AND>", with: " <AND> ").replacing("<OR>", with: " <OR> ")
        let text = try prompt.filled(
            ["question": score.prompt, "reference": reference, "answer": score.answer], again: attempt > 1)
        // The second request is made as warm as the first, each later one warmer by a half.
        return JudgeRequest(
            system: nil, user: text, temperature: 0.5 * Double(max(0, attempt - 2)), maxTokens: 3)
    }

    /// What stands before the first space must be a number from 0 to 1.
    package func grade(_ reply: String) -> [Double]? {
        let word = String(reply.unicodeScalars.prefix { $0 != " " })
        return pythonNumber(word).flatMap { (0...1).contains($0) ? [$0] : nil }
    }

    /// `{"v1_0": {"model": […], "content": […], "score": […]}}`, an element for each run.
    package func reviews(_ file: FileLines) throws -> [[JudgeReview]]? {
        guard try file.firstByte() == UInt8(ascii: "{") else { return nil }
        // All may stand in one line.
        if let first = try? JSONObject(parsing: file.firstLine()) {
            guard case .object? = first.entries.first?.value else { return nil }
        }
        var runs: [[JudgeReview]] = []
        var isFirst = true
        try file.forEachMember { id, value, line in
            guard case .object(let object) = value else {
                throw RecordError.wrongType(key: id, found: value.kind, wanted: "an object")
            }
            let scores = try object.requiredArray("score").compactMap {
                if case .number(let number) = $0 { number.double } else { nil }
            }
            let (texts, judges) = (try object.requiredStrings("content"), try object.strings("model") ?? [])
            if isFirst { runs = Array(repeating: [], count: scores.count) }
            isFirst = false
            guard scores.count == runs.count, texts.count == runs.count else {
                throw RecordError.invalid(
                    key: "score",
                    found: "\(scores.count) numbers and \(texts.count) texts of \(runs.count) runs",
                    remedy: "give all runs of every answer")
            }
            for run in runs.indices {
                runs[run].append(
                    JudgeReview(
                        id: id, line: line, parts: [], judge: run < judges.count ? judges[run] : nil,
                        text: texts[run], grade: [scores[run]]))
            }
        }
        return runs
    }

    // MARK: - Figures

    /// Which capabilities it needs together.
    package func group(of score: JudgedScore) -> String? {
        score.parts.isEmpty ? nil : parts.filter(score.parts.contains).joined(separator: "+")
    }

    package var measures: [JudgedMeasure] {
        // As numpy rounds.
        [
            JudgedMeasure(
                "", "", .points(100), .more, value: { $0[0] * 100 },
                shown: { fixed(($0 * 10).rounded(.toNearestOrEven) / 10, 1) })
        ]
    }
}

extension [String] {
    /// Each at its first place.
    fileprivate var unique: [String] {
        reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }
}
