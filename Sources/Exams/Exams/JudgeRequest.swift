import JSON

/// What a judge is asked about one answer.
package struct JudgeRequest: Sendable, Equatable {
    package var system: String?
    package var user: String
    package var temperature: Double
    /// Of the reply; nil for as many as the judge likes.
    package var maxTokens: Int?

    /// A line of OpenAI's batch format.
    func line(id: String, judge: String) throws -> String {
        func message(_ role: String, _ text: String) -> JSON {
            var object = JSONObject()
            object.set("role", .string(role))
            object.set("content", .string(text))
            return .object(object)
        }
        var body = JSONObject()
        body.set("model", .string(judge))
        body.set("messages", .array((system.map { [message("system", $0)] } ?? []) + [message("user", user)]))
        body.set("temperature", try .double(temperature))
        if let maxTokens { body.set("max_tokens", .int(maxTokens)) }
        var object = JSONObject()
        object.set("custom_id", .string(id))
        object.set("method", .string("POST"))
        object.set("url", .string("/v1/chat/completions"))
        object.set("body", .object(body))
        return object.text + "\n"
    }
}

/// Which answer a request is about, which prompt it has, and how often it was made before: its `custom_id`.
struct JudgeRequestID: Equatable {
    let exam: String
    let run: Int
    let attempt: Int
    /// The beginnings of the digests of prompt and answer.
    let prompt: String
    let answer: String
    let question: String

    var text: String { "\(exam)/\(run)/\(attempt)/\(prompt)-\(answer)/\(question)" }

    init(_ exam: some JudgedExam, _ score: JudgedScore, run: Int, attempt: Int, _ prompt: JudgePrompt) {
        (self.exam, self.run, self.attempt) = (exam.name, run, attempt)
        (self.prompt, answer, question) = (prompt.digest, score.digest, score.id)
    }

    /// nil for a text that is none.
    init?(_ text: String) {
        let parts = text.split(separator: "/", maxSplits: 4, omittingEmptySubsequences: false)
            .map(String.init)
        guard parts.count == 5, let run = Int(parts[1]), let attempt = Int(parts[2]), run > 0, attempt > 0
        else { return nil }
        let digests = parts[3].split(separator: "-").map(String.init)
        guard digests.count == 2 else { return nil }
        (exam, self.run, self.attempt, question) = (parts[0], run, attempt, parts[4])
        (prompt, answer) = (digests[0], digests[1])
    }
}

extension JudgedExam {
    /// Lines that ask a judge about answers.
    ///
    /// - Parameter missing: only what no reply was read of, once more where attempts are left.
    /// - Throws: `EvaluationError` where replies stand there to another prompt, or it lacks a place.
    package func requests(
        _ scores: [JudgedScore], judge: String, _ prompt: JudgePrompt, runs: Int, missing: Bool
    ) throws -> [String] {
        let others = scores.lazy.flatMap(\.replies).compactMap(\.prompt).filter { $0 != prompt.digest }
        if missing, let other = others.first {
            throw EvaluationError(
                "\(name): the replies so far are to the prompt \(other), and this is \(prompt.digest); give that with "
                    + "--judge-prompt, or ask about all anew, without --missing")
        }
        return try (1...runs).flatMap { run in
            try scores.compactMap { score in
                let attempt = missing ? nextAttempt(score, run: run) : 1
                return try attempt.map { attempt in
                    let id = JudgeRequestID(self, score, run: run, attempt: attempt, prompt)
                    return try request(score, prompt, attempt: attempt).line(id: id.text, judge: judge)
                }
            }
        }
    }

    /// nil where a reply was read, or no attempt is left.
    func nextAttempt(_ score: JudgedScore, run: Int) -> Int? {
        if verdict(on: score, run: run) != nil { return nil }
        return (score.replies.lazy.filter { $0.run == run }.map(\.attempt).max() ?? 0) + 1
    }
}
