import Files
import Foundation
import JSON
import Records

/// A question as its answer must know it.
package struct Asked: Sendable {
    package let id: String
    /// The id that it has in files where two questions share one.
    package let sharedID: String?
    /// Its name, by which answers and figures know it.
    package let image: String
    /// The picture as a `data:` URI, where the file of questions has it.
    package let embedded: String?
    package let prompt: String

    package init(
        id: String, sharedID: String? = nil, image: String, embedded: String? = nil, prompt: String
    ) {
        (self.id, self.sharedID, self.image, self.prompt) = (id, sharedID, image, prompt)
        self.embedded = embedded
    }

    /// Whether `other`, which an answer says that it was asked, is a question at all: a placeholder of one word
    /// ("x", "…") isn't.
    fileprivate func isNamed(by other: String?) -> Bool {
        func isWord(_ text: String) -> Bool { text.split(whereSeparator: \.isWhitespace).count < 2 }
        return other.map { !isWord($0) || isWord(prompt) } ?? false
    }

    fileprivate func isAnswered(byPrompt other: String?, image otherImage: String?) -> Bool {
        if let otherImage, !Self.isSamePicture(image, otherImage) { return false }
        guard let other, isNamed(by: other) else { return true }
        let (own, theirs) = (Self.plain(prompt), Self.plain(other))
        // Words may be put behind a question, on a line of their own in the questions too.
        return theirs.starts(with: own) && !Self.goesOn(theirs, after: own.count)
            || own.starts(with: theirs) && own.count > theirs.count && own[theirs.count] == UInt8(ascii: "\n")
    }

    private static func plain(_ text: String) -> [UInt8] {
        Array(ImageMarker.removed(from: text).trimmingCharacters(in: .whitespacesAndNewlines).utf8)
    }

    /// Whether a word is in its midst there.
    private static func goesOn(_ text: [UInt8], after count: Int) -> Bool {
        guard count > 0, count < text.count else { return false }
        func isLetter(_ byte: UInt8) -> Bool { byte >= 0x80 || Character(UnicodeScalar(byte)).isLetter }
        return isLetter(text[count - 1]) && isLetter(text[count])
    }

    /// Other tools may write a picture's path without its folder, or with more of it.
    private static func isSamePicture(_ one: String, _ other: String) -> Bool {
        let (one, other) = (Array(one.utf8), Array(other.utf8))
        let (short, long) = one.count < other.count ? (one, other) : (other, one)
        guard short.count < long.count else { return one == other }
        return long.suffix(short.count) == short[...]
            && long[long.count - short.count - 1] == UInt8(ascii: "/")
    }
}

/// Answers in LLaVA's format, JSON Lines with `question_id`, `prompt` and `text`, or in a benchmark's own. A file of
/// answers is named as the file of its questions; several of that name are parts of one, as shards are. Answers may share
/// an id where their prompts differ, as those about a picture of MME, or where they stand in the order of their questions.
package struct AnswerFile: Sendable {
    package struct Answer: Sendable, Equatable {
        package var id: String
        package var image: String
        package var prompt: String
        package var text: String

        package init(id: String, image: String, prompt: String, text: String) {
            (self.id, self.image, self.prompt, self.text) = (id, image, prompt, text)
        }
    }

    package let paths: [String]
    /// In the order of the files.
    private let answers: [Given]
    /// Their indices by id; those of one id in their order.
    private let byID: [Int32]
    /// Whether two have one id.
    private let hasShared: Bool
    /// The index of the first answer of each file.
    private let starts: [Int]
    /// The first answer that repeats both id and prompt of another; only its place can say what it answers.
    private let repeated: Int?

    /// An answer as it was read.
    private struct Given {
        let id: SharedText
        let line: Int32
        /// What it says that it was asked, and about which picture; other tools leave it out.
        let prompt: OptionalText
        let image: OptionalText
        let text: SharedText
    }

    /// - Parameter layouts: in which the answers may be besides LLaVA's.
    /// - Throws: `EvaluationError` for an answer without id or text.
    package init(path: String, bytes: [UInt8]? = nil, _ layouts: [AnswerLayout] = []) throws {
        try self.init([FileLines(path, bytes: bytes)], layouts)
    }

    private init(_ files: [FileLines], _ layouts: [AnswerLayout]) throws {
        var answers: [Given] = []
        var starts: [Int] = []
        for file in files {
            starts.append(answers.count)
            try layouts.forEachAnswer(in: file) { id, text, object, line in
                answers.append(
                    Given(
                        id: SharedText(id), line: Int32(line),
                        prompt: OptionalText(try object?.string("prompt")),
                        image: OptionalText(try object?.string("image")), text: SharedText(text)))
            }
        }
        let byID = (0..<Int32(answers.count)).sorted {
            let (a, b) = (answers[Int($0)].id, answers[Int($1)].id)
            return a < b || a == b && $0 < $1
        }
        let shared = zip(byID, byID.dropFirst()).filter { answers[Int($0)].id == answers[Int($1)].id }
        hasShared = !shared.isEmpty
        repeated = Self.repeated(shared.map { Int($1) }, of: answers)
        paths = files.map(\.path)
        (self.answers, self.byID, self.starts) = (answers, byID, starts)
    }

    /// The first that repeats both id and prompt of one before.
    ///
    /// - Parameter second: all but the first of each id.
    private static func repeated(_ second: [Int], of answers: [Given]) -> Int? {
        struct Question: Hashable {
            let id: SharedText
            let prompt: OptionalText

            init(_ answer: Given) { (id, prompt) = (answer.id, answer.prompt) }
        }
        let ids = Set(second.lazy.map { answers[$0].id })
        var seen: Set<Question> = []
        return answers.indices.first {
            ids.contains(answers[$0].id) && !seen.insert(Question(answers[$0])).inserted
        }
    }

    private func place(of index: Int) -> String {
        let file = (starts.firstIndex { $0 > index } ?? starts.count) - 1
        return "\(paths[file]):\(answers[index].line)"
    }

    /// What answers `questions`, among files, folders of files and what `eval` wrote. One file that is named alone
    /// answers all questions, whatever its name.
    ///
    /// - Throws: `EvaluationError` where there is none.
    package static func find(
        for questions: String, in places: [String], _ layouts: [AnswerLayout] = []
    ) throws -> AnswerFile {
        let name = baseName(questions)
        let found = places.flatMap { place -> [String] in
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
            guard exists, isFolder.boolValue else {
                return places.count == 1 || baseName(place) == name ? [place] : []
            }
            let files = ["", "answers/"].map { "\(place)/\($0)\(fileName(questions))" }
            return files.first(where: FileManager.default.fileExists).map { [$0] } ?? []
        }
        if Set(found.map(OutputPlace.real)).count < found.count {
            throw EvaluationError("--answers: \(found[0]) is given twice; give it once")
        }
        guard !found.isEmpty else {
            throw EvaluationError(
                "--answers: no file named \(name) for the questions of \(questions); "
                    + "give it the same name as the file of questions")
        }
        return try AnswerFile(found.map { FileLines($0) }, layouts)
    }

    /// The text of the answer to each of `asked`. Answers are matched by id, or by place where all ids stand in the order
    /// of the questions', and must then be to that question: what an answer says that it was asked begins with the
    /// question's text, and its picture is the question's.
    ///
    /// - Parameters:
    ///   - questions: the file of `asked`, for errors.
    ///   - isKnown: whether an id is that of a question that this file may answer.
    /// - Returns: the texts, and how many of the answers don't say what they were asked.
    /// - Throws: `EvaluationError` for questions without answer, answers to other questions and answers to none, with
    ///   their numbers.
    package func texts(
        of asked: some Collection<Asked>, in questions: String, isKnown: (_ id: String) -> Bool
    ) throws -> (texts: [String], unnamed: Int) {
        let (texts, unnamed) = try sharedTexts(of: asked, in: questions, isKnown: isKnown)
        return (texts.map(\.text), unnamed)
    }

    /// The same, for a million answers.
    func sharedTexts(
        of asked: some Collection<Asked>, in questions: String, isKnown: (_ id: String) -> Bool
    ) throws -> (texts: [SharedText], unnamed: Int) {
        let isInOrder =
            repeated != nil
            && asked.lazy.map { $0.sharedID ?? $0.id }.elementsEqual(answers.lazy.map(\.id.text))
        if !isInOrder { try checkThatNoneIsSecond(asked) }
        var texts: [SharedText] = []
        texts.reserveCapacity(asked.count)
        var isUsed = Array(repeating: false, count: answers.count)
        var unnamed = 0
        var missing: (count: Int, first: String?) = (0, nil)
        var foreign: (count: Int, first: (question: Asked, answer: Int)?) = (0, nil)
        for (number, question) in asked.enumerated() {
            guard let index = isInOrder ? number : index(ofAnswerTo: question) else {
                missing = (missing.count + 1, missing.first ?? question.id)
                continue
            }
            let answer = answers[index]
            if !question.isAnswered(byPrompt: answer.prompt.text, image: answer.image.text) {
                foreign = (foreign.count + 1, foreign.first ?? (question, index))
            }
            if answer.image.isNone, !question.isNamed(by: answer.prompt.text) { unnamed += 1 }
            texts.append(answer.text)
            isUsed[index] = true
        }
        if let first = missing.first {
            throw EvaluationError(
                "\(paths.joined(separator: ", ")): \(missing.count) of \(asked.count) questions of \(questions) have no answer, "
                    + "the first is \(first); answer every question, or use --limit")
        }
        if let (question, index) = foreign.first {
            let answer = answers[index]
            let about = answer.image.text.map { " about \($0)" } ?? ""
            throw EvaluationError(
                "\(place(of: index)): \(foreign.count) of \(asked.count) answers are to other questions than "
                    + "\(questions) has: the first to \"\(Self.firstLine(answer.prompt.text ?? "?"))\"\(about), where question "
                    + "\(question.id) is \"\(Self.firstLine(question.prompt))\" about \(question.image); "
                    + "give the answers to these questions")
        }
        let surplus = answers.indices.filter { !isUsed[$0] && !isKnown(answers[$0].id.text) }
        if let first = surplus.first {
            throw EvaluationError(
                "\(place(of: first)): \(surplus.count) of \(answers.count) answers match no question, the first is "
                    + "\(answers[first].id.text); give all questions that these answers were made from")
        }
        return (texts, unnamed)
    }

    private func checkThatNoneIsSecond(_ asked: some Collection<Asked>) throws {
        guard hasShared else { return }
        let sharedIDs = Set(asked.lazy.compactMap(\.sharedID))
        let second = asked.lazy.filter { !sharedIDs.contains($0.id) }.compactMap {
            indices(of: SharedText($0.id)).dropFirst().first
        }.first
        guard let index = repeated ?? second.map({ Int($0) }) else { return }
        throw EvaluationError(
            "\(place(of: index)): a second answer to question \(answers[index].id.text); keep one answer to a "
                + "question")
    }

    /// Of the answers with this id, in their order.
    private func indices(of id: SharedText) -> ArraySlice<Int32> {
        var (low, high) = (0, byID.count)
        while low < high {
            let middle = (low + high) / 2
            if answers[Int(byID[middle])].id < id { low = middle + 1 } else { high = middle }
        }
        return byID[low...].prefix { answers[Int($0)].id == id }
    }

    private func index(ofAnswerTo asked: Asked) -> Int? {
        let own = indices(of: SharedText(asked.id))
        if own.count == 1 { return own.first.map { Int($0) } }
        // Of several under one id its prompt says which it is.
        let all = own.isEmpty ? asked.sharedID.map { indices(of: SharedText($0)) } ?? [] : own
        let named = all.first {
            let answer = answers[Int($0)]
            return asked.isNamed(by: answer.prompt.text)
                && asked.isAnswered(byPrompt: answer.prompt.text, image: answer.image.text)
        }
        return (named ?? own.first).map { Int($0) }
    }

    private static func firstLine(_ text: String) -> String {
        ImageMarker.removed(from: text).components(separatedBy: "\n")[0]
    }

    /// The name under which the answers to `questions` are written.
    package static func fileName(_ questions: String) -> String { baseName(questions) + ".jsonl" }

    /// `a` of `x/a.jsonl`.
    private static func baseName(_ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        guard let dot = name.utf8.lastIndex(of: UInt8(ascii: ".")), dot > name.startIndex else { return name }
        return String(name[..<dot])
    }

    package static func lines(_ answers: some Sequence<Answer>) -> String { answers.map(line).joined() }

    /// Writes answers as they come.
    package static func write(_ answers: some Sequence<Answer>, to path: String) throws {
        let file = try AtomicFile(path)
        var block: [UInt8] = []
        for answer in answers {
            block += line(answer).utf8
            guard block.count > 1 << 20 else { continue }
            try file.write(block)
            block.removeAll(keepingCapacity: true)
        }
        try file.write(block)
        try file.commit()
    }

    private static func line(_ answer: Answer) -> String {
        var object = JSONObject()
        object.set("question_id", .string(answer.id))
        object.set("image", .string(answer.image))
        object.set("prompt", .string(answer.prompt))
        object.set("text", .string(answer.text))
        return object.text + "\n"
    }
}

extension AnswerFile.Answer {
    package init(_ asked: Asked, text: String) {
        self.init(id: asked.id, image: asked.image, prompt: asked.prompt, text: text)
    }
}
