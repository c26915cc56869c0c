import Foundation
import JSON
import Metrics
import Records
import Tables

/// LLaVA-Bench in the wild (Liu et al. 2023): sixty questions about 24 pictures. A judge that reads a description of the
/// picture gives points to GPT-4's answer and to the model's; the score is the ratio of their means
/// (`llava/eval/eval_gpt_review_bench.py`, `summarize_gpt_review.py`).
package struct LLaVABench: JudgedExam {
    package let name = "llava-bench"
    package let help: String? = "LLaVA-Bench's questions.jsonl, with context.jsonl and answers_gpt4.jsonl."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`questions.jsonl`, with `context.jsonl` and `answers_gpt4.jsonl` beside it",
        source: "Hugging Face, `liuhaotian/llava-bench-in-the-wild`", license: "Apache-2.0")
    package let title = "LLaVA-Bench"
    package let readsLabels = true
    package let officialJudge = "gpt-4-0314"
    package let whole = "all"
    package let parts = ["complex", "conv", "detail"]
    /// These stay in the mean.
    package let unread: [Double] = [-1, -1]

    package init() {}

    package func files(in folder: String) -> [String] { ["\(folder)/questions.jsonl"] }

    package func read(_ file: ExamFile) throws -> (questions: [JudgedQuestion], labelFiles: [String]) {
        let (context, answers) = (try companion("context", of: file), try companion("answers_gpt4", of: file))
        let contexts = try Self.texts(context, by: "image", Self.caption)
        let references = try Self.texts(answers, by: "question_id") { try $0.requiredString("text") }
        var ids = QuestionIDs()
        let questions = try file.lines().objects { object, line in
            let (id, image) = (try object.word("question_id"), try object.requiredString("image"))
            let category = try object.requiredString("category")
            guard parts.contains(category) else {
                throw RecordError.invalid(
                    key: "category", found: "\"\(category)\"",
                    remedy: "use \(parts.joined(separator: ", "))")
            }
            func found(_ text: String?, _ key: String, in file: String) throws -> String {
                if let text { return text }
                throw RecordError.invalid(
                    key: key, found: "one that \(file) doesn't have",
                    remedy: "give the file of these questions")
            }
            try ids.add(id, line: line)
            return JudgedQuestion(
                id: id, file: file.path, line: line, image: image, text: try object.requiredString("text"),
                parts: [category], context: try found(contexts[image], "image", in: context),
                reference: try found(references[id], "question_id", in: answers))
        }
        return (questions, [context, answers])
    }

    /// The script joins the characters of a caption that is no array with line breaks.
    private static func caption(_ object: JSONObject) throws -> String {
        if case .string(let text)? = object["caption"] {
            return text.unicodeScalars.map { String($0) }.joined(separator: "\n")
        }
        return try object.requiredStrings("caption").joined(separator: "\n")
    }

    private static func texts(
        _ path: String, by key: String, _ text: (JSONObject) throws -> String
    ) throws -> [String: String] {
        var texts: [String: String] = [:]
        try FileLines(path).forEachObject { object, _ in
            let name = try object.word(key)
            guard texts.updateValue(try text(object), forKey: name) == nil else {
                throw RecordError.invalid(key: key, found: "\(name) for the second time", remedy: "keep one")
            }
        }
        return texts
    }

    private func companion(_ name: String, of file: ExamFile) throws -> String {
        func isOne(_ path: String) -> Bool {
            URL(fileURLWithPath: path).deletingPathExtension().lastPathComponent == name
        }
        if let given = file.labels.first(where: isOne) { return given }
        let folder = URL(fileURLWithPath: file.path).deletingLastPathComponent().relativePath
        let path = "\(folder)/\(name).jsonl"
        guard FileManager.default.fileExists(atPath: path) else {
            throw EvaluationError(
                "\(file.path): \(name).jsonl doesn't lie beside it; give the benchmark's with --labels")
        }
        return path
    }

    // MARK: - The judge

    package let ownPrompt = """
        Two assistants were asked this question about the picture that the context describes; you can't see it, \
        so take the description for true. Give each of them points from 1 to 10 for its answer as a whole: how \
        well it serves who asked, whether it keeps to the picture, whether it is right, and how much it tells. \
        On the first line write nothing but two numbers with a space between, the points of Assistant 1 and \
        those of Assistant 2. Below, give your reasons at length; let neither the order of the answers nor \
        anything but their content count.
        """

    package func request(_ score: JudgedScore, _ prompt: JudgePrompt, attempt: Int) throws -> JudgeRequest {
        let rule = try rule(prompt, score.parts.first ?? "")
        let blocks = [
            "[Context]\n\(score.context ?? "")", "[Question]\n\(score.prompt)",
            "[\(rule.role) 1]\n\(score.reference)", "[End of \(rule.role) 1]",
            "[\(rule.role) 2]\n\(score.answer)", "[End of \(rule.role) 2]", "[System]\n\(rule.text)",
        ]
        return JudgeRequest(
            system: rule.system, user: blocks.map { $0 + "\n\n" }.joined(), temperature: 0.2, maxTokens: 1024)
    }

    /// What the judge is told, of `rule.json`: by category its `role`, its `prompt`, and a `system` message where there
    /// is one, which in LLaVA stands in the script.
    private func rule(
        _ prompt: JudgePrompt, _ category: String
    ) throws -> (role: String, text: String, system: String) {
        let system = "You judge answers, with care and to the point."
        guard let file = prompt.file else { return ("Assistant", prompt.text, system) }
        do {
            let key = "llava_bench_\(category)"
            let rules = try JSONObject(parsing: Array(prompt.text.utf8)[...])
            let rule = try rules.requiredObject(key)
            return try RecordError.naming(key) {
                let role = try rule.requiredString("role")
                return (role, try rule.requiredString("prompt"), try rule.string("system") ?? system)
            }
        } catch let error as RecordError {
            throw EvaluationError("\(file): \(error); give LLaVA's llava/eval/table/rule.json")
        }
    }

    /// Two numbers alone on the first line, with one space or comma between.
    package func grade(_ reply: String) -> [Double]? {
        let line = reply.unicodeScalars.prefix { $0 != "\n" }
        let words = line.split(omittingEmptySubsequences: false) { $0 == " " || $0 == "," }
        let numbers = words.compactMap { pythonNumber(String($0)) }
        return words.count == 2 && numbers.count == 2 ? numbers : nil
    }

    /// `question_id`, `category`, `content` and `tuple`, a line each.
    package func reviews(_ file: FileLines) throws -> [[JudgeReview]]? {
        guard try file.firstByte() == UInt8(ascii: "{"),
            let first = try? JSONObject(parsing: file.firstLine()), first["question_id"] != nil,
            first["content"] != nil
        else { return nil }
        var rows: [JudgeReview] = []
        try file.forEachObject { object, line in
            let category = try object.requiredString("category").replacing("llava_bench_", with: "")
            let points = try object.array("tuple")?.compactMap {
                if case .number(let number) = $0 { number.double } else { nil }
            }
            guard points.map({ $0.count == 2 }) ?? true else {
                throw RecordError.invalid(key: "tuple", found: "not two numbers", remedy: "leave it out")
            }
            rows.append(
                JudgeReview(
                    id: try object.word("question_id"), line: line, parts: [category], judge: nil,
                    text: try object.requiredString("content"), grade: points))
        }
        return [rows]
    }

    // MARK: - Figures

    package var measures: [JudgedMeasure] {
        // Means are rounded before they are divided, and what a run prints is what papers take means of.
        @Sendable func rounded(_ value: Double, _ decimals: Int = 3) -> Double {
            Double(fixed(value, decimals)) ?? value
        }
        return [
            JudgedMeasure(
                "", "", .named, .more, value: { rounded(rounded($0[1]) / rounded($0[0]) * 100, 1) },
                shown: { fixed($0, 1) }),
            JudgedMeasure(
                "reference", "GPT-4's points", .named, .neither, isSummarized: false,
                value: { rounded(rounded($0[0]) * 10, 1) }, shown: { fixed($0, 1) }),
            JudgedMeasure(
                "model", "points", .named, .more, isSummarized: false,
                value: { rounded(rounded($0[1]) * 10, 1) },
                shown: { fixed($0, 1) }),
        ]
    }
}

/// A number as Python's `float` reads it, as far as judges write numbers; nil for other text, infinities and NaN too.
func pythonNumber(_ text: String) -> Double? {
    let text = text.trimmingCharacters(in: .whitespacesAndNewlines)
    guard text.utf8.allSatisfy({ "0123456789+-.eE".utf8.contains($0) }) else { return nil }
    return Double(text).flatMap { $0.isFinite ? $0 : nil }
}
