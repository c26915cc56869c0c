import Foundation

/// A question of any exam, for who answers it.
package struct ExamRequest: Sendable {
    /// `file:line`, for messages.
    package let place: String
    /// A path, or a `data:` URI.
    package let image: String
    package let prompt: String
    package let answer: AnswerLength
    package let solution: String?
    /// Of which the likeliest is the answer; nil where it is drawn.
    package let ranked: Choices?
    /// Of a picture that stands in the file of questions what to call it; nil for others, which have a path.
    package let embedded: String?

    fileprivate init(_ question: some ExamQuestion, _ answer: AnswerLength) {
        let asked = question.asked
        (solution, ranked) = (question.solution, question.ranked)
        (place, image) = (question.place, asked.embedded ?? asked.image)
        (prompt, self.answer) = (asked.prompt, answer)
        let file = place.prefix(upTo: place.lastIndex(of: ":") ?? place.endIndex)
        embedded = asked.embedded.map { _ in "\(file)/\(asked.image)" }
    }
}

/// Everything that is asked: files of questions of several exams.
package struct ExamPaper {
    private var files: [any AskedFile] = []
    private let exams: ExamList
    private let finder: ObjectFinder

    package init(_ exams: ExamList = .all, _ finder: ObjectFinder = ObjectFinder()) {
        (self.exams, self.finder) = (exams, finder)
    }

    /// Reads a file of an exam's questions.
    ///
    /// - Returns: how many there are, and the files that labels were read from.
    /// - Throws: what the exam throws; `EvaluationError` for a file without questions.
    @discardableResult package mutating func add<E: Exam>(
        _ exam: E, _ file: ExamFile
    ) throws -> (count: Int, labelFiles: [String]) {
        let read = try exam.read(file)
        if read.questions.isEmpty {
            throw EvaluationError("\(file.path): it holds no questions; give the benchmark's own file")
        }
        files.append(QuestionFile(exam, file.path, read.questions))
        return (read.questions.count, read.labelFiles.sorted())
    }

    /// Leaves the questions about some pictures.
    ///
    /// - Parameter isKept: whether a picture is left, by its number from 1 in the order in which the files name them.
    /// - Returns: how many pictures there were.
    @discardableResult package mutating func keep(picturesWhere isKept: (_ number: Int) -> Bool) -> Int {
        var seen: Set<SharedText> = []
        var kept: Set<SharedText> = []
        for file in files {
            for asked in file.asked {
                let image = SharedText(asked.image)
                if seen.insert(image).inserted, isKept(seen.count) { kept.insert(image) }
            }
        }
        for index in files.indices { files[index].keep(kept) }
        return seen.count
    }

    package var description: String {
        let captions = files.filter { $0.answers == .caption }.reduce(0) { $0 + $1.count }
        return "\(captions) captions and \(count - captions) questions"
    }

    /// Of all questions.
    package var count: Int { files.reduce(0) { $0 + $1.count } }

    /// All at once, so that a picture is encoded once for everything asked about it.
    package var requests: [ExamRequest] { files.flatMap(\.requests) }

    /// The texts of files of answers, and of each file how many don't say what they were asked.
    ///
    /// - Throws: `EvaluationError` where they are not the answers to these questions.
    package func texts(in places: [String]) throws -> (texts: [SharedText], unnamed: [String: Int]) {
        var texts: [SharedText] = []
        var unnamed: [String: Int] = [:]
        for file in files {
            let answers = try AnswerFile.find(for: file.path, in: places, file.layouts)
            // One file may hold the answers to all.
            let known = places == answers.paths ? files : [file]
            // Built where an answer is left over: it takes memory.
            lazy var ids = known.map(\.ids)
            let found = try answers.sharedTexts(of: file.asked, in: file.path) { id in
                if file.isPart { return true }
                let id = SharedText(id)
                return ids.contains { $0.contains(id) }
            }
            unnamed[answers.paths.joined(separator: ", "), default: 0] += found.unnamed
            texts += found.texts
        }
        return (texts, unnamed)
    }

    /// What a guess makes of all questions, as `requests` has them.
    package func texts(by guess: Guess) -> [String] { files.flatMap { guess.answers(to: $0.requests) } }

    /// Writes the answers to `folder`, a file for each of questions, and scores them. The questions are gone then.
    ///
    /// - Parameter texts: one for each of `requests`.
    package mutating func score(_ texts: [SharedText], writingTo folder: String) throws -> ScoreSheet {
        var sheet = ScoreSheet(exams)
        var texts = texts[...]
        while !files.isEmpty {
            let file = files.removeFirst()
            let own = texts.prefix(file.count)
            texts = texts.dropFirst(own.count)
            try file.write(own, to: folder)
            file.score(own, finder, in: &sheet)
        }
        return sheet
    }

    /// Writes the answers alone, for questions that are a shard of what is to be scored together.
    ///
    /// - Parameter texts: one for each of `requests`.
    package func write(_ texts: [SharedText], to folder: String) throws {
        var texts = texts[...]
        for file in files {
            try file.write(texts.prefix(file.count), to: folder)
            texts = texts.dropFirst(file.count)
        }
    }

    /// Has what exams ask on by the answers so far answered too.
    package func askOn(
        _ sheet: inout ScoreSheet, _ answer: (_ requests: [ExamRequest]) throws -> [String]
    ) throws {
        func askOn<E: Exam>(_ exam: E) throws {
            let questions = exam.followUps(to: sheet)
            let texts = try answer(questions.map { ExamRequest($0, exam.answers) })
            sheet[exam] = zip(questions, texts).map { exam.score($0, answer: $1, finder) }
        }
        for exam in exams.exams where exam.help == nil { try askOn(exam) }
    }
}

/// A file of questions, of whatever exam.
private protocol AskedFile {
    var path: String { get }
    var count: Int { get }
    var asked: AnyCollection<Asked> { get }
    var answers: AnswerLength { get }
    var layouts: [AnswerLayout] { get }
    var isPart: Bool { get }
    /// Of all questions, those too that were left out.
    var ids: Set<SharedText> { get }
    var requests: [ExamRequest] { get }
    mutating func keep(_ images: Set<SharedText>)
    func score(_ texts: ArraySlice<SharedText>, _ finder: ObjectFinder, in sheet: inout ScoreSheet)
}

extension AskedFile {
    func write(_ texts: ArraySlice<SharedText>, to folder: String) throws {
        try AnswerFile.write(
            zip(asked, texts).lazy.map { AnswerFile.Answer($0, text: $1.text) },
            to: "\(folder)/\(AnswerFile.fileName(path))")
    }
}

private struct QuestionFile<E: Exam>: AskedFile {
    let exam: E
    let path: String
    private var questions: [E.Question]
    private var leftOut: [E.Question] = []

    init(_ exam: E, _ path: String, _ questions: [E.Question]) {
        (self.exam, self.path, self.questions) = (exam, path, questions)
    }

    var count: Int { questions.count }
    var asked: AnyCollection<Asked> { AnyCollection(questions.lazy.map(\.asked)) }
    var answers: AnswerLength { exam.answers }
    var layouts: [AnswerLayout] { exam.layouts }
    var isPart: Bool { exam.isPart }
    var requests: [ExamRequest] { questions.map { ExamRequest($0, exam.answers) } }

    var ids: Set<SharedText> {
        (questions + leftOut).reduce(into: []) { ids, question in
            let asked = question.asked
            ids.insert(SharedText(asked.id))
            if let shared = asked.sharedID { ids.insert(SharedText(shared)) }
        }
    }

    mutating func keep(_ images: Set<SharedText>) {
        func isKept(_ question: E.Question) -> Bool { images.contains(SharedText(question.asked.image)) }
        leftOut += questions.filter { !isKept($0) }
        questions.removeAll { !isKept($0) }
    }

    func score(_ texts: ArraySlice<SharedText>, _ finder: ObjectFinder, in sheet: inout ScoreSheet) {
        let own = zip(questions, texts).map { exam.score($0, answer: $1.text, finder) }
        let before = sheet[exam]
        sheet[exam] = before.isEmpty ? own : before + own
    }
}
