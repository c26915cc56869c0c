import JSON
import Records

/// What a file of a judge's replies brought.
package struct JudgeReading: Sendable {
    /// Replies that were new, and those that stood there already.
    package var new = 0
    package var known = 0
    /// Requests without reply: `file:line`, which, and why.
    package var failures: [String] = []
    /// Exams that replies belong to.
    package var exams: Set<String> = []
}

extension ScoreSheet {
    private var judged: [any JudgedExam] { exams.exams.compactMap { $0 as? any JudgedExam } }

    /// Those that answers stand there of.
    package var judgedExams: [any JudgedExam] {
        func has<E: JudgedExam>(_ exam: E) -> Bool { !self[exam].isEmpty }
        return judged.filter { has($0) }
    }

    /// Takes in a file of replies: lines of OpenAI's batch output, or reviews as an official script keeps them, which are
    /// a run more. An answer's failures leave nothing behind, so that it can be asked about again.
    ///
    /// - Parameter folder: files that exams read replies with.
    /// - Throws: `EvaluationError` with file and line for what is no reply to an answer of this sheet, or another than
    ///   the one that is there; and where files are needed that `folder` doesn't have.
    package mutating func take(
        repliesIn file: FileLines, with folder: String? = nil
    ) throws -> JudgeReading {
        for exam in judgedExams {
            if let count = try takeReviews(of: exam, in: file) {
                return JudgeReading(new: count, exams: [exam.name])
            }
        }
        var book = try ReplyBook(self, folder)
        try file.forEachObject { try book.take($0, place: "\(file.path):\($1)") }
        for exam in judgedExams { write(book.scores[exam.name] ?? [], exam) }
        return book.reading
    }

    private mutating func write<E: JudgedExam>(_ scores: [JudgedScore], _ exam: E) { self[exam] = scores }

    private mutating func takeReviews<E: JudgedExam>(of exam: E, in file: FileLines) throws -> Int? {
        guard let runs = try exam.reviews(file) else { return nil }
        var scores = self[exam]
        for reviews in runs { try exam.add(reviews, to: &scores, file.path) }
        self[exam] = scores
        return runs.reduce(0) { $0 + $1.count }
    }
}

extension JudgedExam {
    /// Scores of which only reviews are known, run by run.
    ///
    /// - Parameter questions: what the reviews are about, where known.
    /// - Throws: `EvaluationError` for a file that is none of its reviews.
    package func scores(
        ofReviews files: [FileLines], questions: [JudgedQuestion]? = nil
    ) throws -> [JudgedScore] {
        var scores = (questions ?? []).map { JudgedScore($0, answer: "") }
        for file in files {
            guard let runs = try reviews(file) else {
                throw EvaluationError("\(file.path):1: no reviews of \(title); give what its script writes")
            }
            for reviews in runs {
                if scores.isEmpty {
                    scores = reviews.enumerated().map { JudgedScore(id: $1.id ?? "\($0)", parts: $1.parts) }
                }
                try add(reviews, to: &scores, file.path)
            }
        }
        return scores
    }

    /// Adds a run of reviews: to each answer one, by id, or by order where they have none.
    fileprivate func add(_ reviews: [JudgeReview], to scores: inout [JudgedScore], _ file: String) throws {
        guard reviews.count == scores.count else {
            throw EvaluationError(
                "\(file): \(reviews.count) reviews of \(scores.count) answers; give those of these answers")
        }
        let run = runs(in: scores) + 1
        guard run <= mostJudgeRuns else {
            throw EvaluationError("\(file): \(mostJudgeRuns) runs stand there already; leave some out")
        }
        let pairs = scores.enumerated().map { ($1.id, $0) }
        let places = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        for (index, review) in reviews.enumerated() {
            guard let place = review.id.map({ places[$0] }) ?? index else {
                throw EvaluationError(
                    "\(file):\(review.line): a review of \(review.id ?? ""), which wasn't asked; give the reviews of "
                        + "these answers")
            }
            guard !scores[place].replies.contains(where: { $0.run == run }) else {
                throw EvaluationError(
                    "\(file):\(review.line): a second review of \(scores[place].id); keep one")
            }
            let isSame = review.grade == nil || review.grade == grade(review.text)
            scores[place].replies.append(
                JudgeReply(
                    run: run, attempt: attempts, judge: review.judge, prompt: nil, text: review.text,
                    given: isSame ? nil : review.grade))
        }
    }
}

/// Answers of a sheet by what requests call them.
private struct ReplyBook {
    var scores: [String: [JudgedScore]] = [:]
    var reading = JudgeReading()
    private var places: [String: [String: Int]] = [:]
    /// Of exams that read with files, where these were given.
    private var readers: [String: JudgeReader] = [:]
    private let needsReader: Set<String>

    init(_ sheet: ScoreSheet, _ folder: String?) throws {
        needsReader = Set(sheet.judgedExams.filter(\.readsWithFiles).map(\.name))
        func enter<E: JudgedExam>(_ exam: E) throws {
            readers[exam.name] = try folder.flatMap { try exam.reader($0) }
            scores[exam.name] = sheet[exam]
            let pairs = sheet[exam].enumerated().map { ($1.id, $0) }
            places[exam.name] = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
        }
        for exam in sheet.judgedExams { try enter(exam) }
    }

    /// - Parameter place: `file:line`.
    mutating func take(_ line: JSONObject, place: String) throws {
        let name = try line.requiredString("custom_id")
        guard let id = JudgeRequestID(name) else {
            throw RecordError.invalid(
                key: "custom_id", found: "\"\(name)\", which eval judge-requests doesn't write",
                remedy: "give replies to its requests")
        }
        guard let index = places[id.exam]?[id.question], let score = scores[id.exam]?[index] else {
            throw RecordError.invalid(
                key: "custom_id", found: "\"\(name)\", an answer that isn't in this folder",
                remedy: "give the folder that the requests were made from")
        }
        guard score.digest == id.answer else {
            throw RecordError.invalid(
                key: "custom_id", found: "\"\(name)\", about another answer to this question",
                remedy: "give the replies about these answers")
        }
        guard id.run <= mostJudgeRuns else {
            throw RecordError.invalid(
                key: "custom_id", found: "\"\(name)\", run \(id.run)",
                remedy: "judge no more than \(mostJudgeRuns) times")
        }
        guard !needsReader.contains(id.exam) || readers[id.exam] != nil else {
            throw RecordError.invalid(
                key: "custom_id", found: "\"\(name)\", whose replies are read with files of the benchmark",
                remedy: "give their folder with --with")
        }
        reading.exams.insert(id.exam)
        switch try Self.outcome(line) {
        case .failure(let why): reading.failures.append("\(place): \(name): \(why.text)")
        case .success(let (text, judge)):
            let reply = JudgeReply(
                run: id.run, attempt: id.attempt, judge: judge, prompt: id.prompt, text: text,
                given: readers[id.exam]?(text, score))
            let other = score.replies.first { $0.run == id.run && $0.attempt == id.attempt }
            guard let other else {
                scores[id.exam]?[index].replies.append(reply)
                reading.new += 1
                return
            }
            guard other == reply else {
                throw RecordError.invalid(
                    key: "custom_id", found: "\"\(name)\", of which another reply was read before",
                    remedy: "leave one of them out, or score the answers anew")
            }
            reading.known += 1
        }
    }

    private struct Failure: Error { let text: String }

    /// A time-out, a limit of rate, a refusal of the server: all that is no reply.
    private static func outcome(_ line: JSONObject) throws -> Result<(text: String, judge: String?), Failure>
    {
        func fail(_ text: String) -> Result<(text: String, judge: String?), Failure> {
            .failure(Failure(text: text))
        }
        if let error = line["error"], error != .null { return fail(error.text) }
        guard let response = try line.object("response") else { return fail("no response") }
        let status = try response.required("response.status_code", response.int("status_code"))
        guard status == 200 else { return fail("status \(status)") }
        let body = try response.requiredObject("body")
        let choices = try body.objects("choices") { $0 } ?? []
        guard let text = try choices.first?.object("message")?.string("content") else {
            return fail("no content")
        }
        return .success((text, try body.string("model")))
    }
}
