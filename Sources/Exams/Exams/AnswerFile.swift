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
    /// By id the index of its answer, and of those behind it under the same.
    private let first: [SharedText: Int32]
    private let others: [SharedText: [Int]]
    /// The first answer that repeats both id and prompt of another; only its place can say what it answers.
    private let repeated: Int?

    /// An answer as it was read.
    private struct Given {
        let id: SharedText
        /// Which of the files, and where in it.
        let file: Int32
        let line: Int32
        /// What it says that it was asked, and about which picture; other tools leave it out.
        let prompt: SharedText?
        let image: SharedText?
        let text: SharedText
    }

    /// - Parameter layouts: in which the answers may be besides LLaVA's.
    /// - Throws: `EvaluationError` for an answer without id or text.
    package init(path: String, bytes: [UInt8]? = nil, _ layouts: [AnswerLayout] = []) throws {
        try self.init([FileLines(path, bytes: bytes)], layouts)
    }

    private init(_ files: [FileLines], _ layouts: [AnswerLayout]) throws {
        var (first, others): ([SharedText: Int32], [SharedText: [Int]]) = ([:], [:])
        var answers: [Given] = []
        var repeated: Int?
        for (number, file) in files.enumerated() {
            try layouts.forEachAnswer(in: file) { id, text, object, line in
                let answer = Given(
                    id: SharedText(id), file: Int32(number), line: Int32(line),
                    prompt: try object?.string("prompt").map { SharedText($0) },
                    image: try object?.string("image").map { SharedText($0) }, text: SharedText(text))
                if let other = first[answer.id] {
                    let all = [Int(other)] + others[answer.id, default: []]
                    if all.contains(where: { answers[$0].prompt == answer.prompt }) {
                        repeated = repeated ?? answers.count
                    }
                    others[answer.id, default: []].append(answers.count)
                } else {
                    first[answer.id] = Int32(answers.count)
                }
                answers.append(answer)
            }
        }
        paths = files.map(\.path)
        (self.answers, self.first, self.others, self.repeated) = (answers, first, others, repeated)
    }

    private func place(of answer: Given) -> String { "\(paths[Int(answer.file)]):\(answer.line)" }

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
        var unnamed = 0
        var missing: (count: Int, first: String?) = (0, nil)
        var foreign: (count: Int, first: (question: Asked, answer: Given)?) = (0, nil)
        for (index, question) in asked.enumerated() {
            guard let answer = isInOrder ? answers[index] : answer(to: question) else {
                missing = (missing.count + 1, missing.first ?? question.id)
                continue
            }
            if !question.isAnswered(byPrompt: answer.prompt?.text, image: answer.image?.text) {
                foreign = (foreign.count + 1, foreign.first ?? (question, answer))
            }
            if answer.image == nil, !question.isNamed(by: answer.prompt?.text) { unnamed += 1 }
            texts.append(answer.text)
        }
        if let first = missing.first {
            throw EvaluationError(
                "\(paths.joined(separator: ", ")): \(missing.count) of \(asked.count) questions of \(questions) have no answer, "
                    + "the first is \(first); answer every question, or use --limit")
        }
        if let (question, answer) = foreign.first {
            let about = answer.image.map { " about \($0.text)" } ?? ""
            throw EvaluationError(
                "\(place(of: answer)): \(foreign.count) of \(asked.count) answers are to other questions than "
                    + "\(questions) has: the first to \"\(Self.firstLine(answer.prompt?.text ?? "?"))\"\(about), where question "
                    + "\(question.id) is \"\(Self.firstLine(question.prompt))\" about \(question.image); "
                    + "give the answers to these questions")
        }
        let surplus = answers.filter { !isKnown($0.id.text) }
        if let first = surplus.first {
            throw EvaluationError(
                "\(place(of: first)): \(surplus.count) of \(answers.count) answers match no question, the first is "
                    + "\(first.id.text); give all questions that these answers were made from")
        }
        return (texts, unnamed)
    }

    private func checkThatNoneIsSecond(_ asked: some Collection<Asked>) throws {
        let sharedIDs = Set(asked.lazy.compactMap(\.sharedID))
        let second =
            others.isEmpty
            ? nil
            : asked.lazy.filter { !sharedIDs.contains($0.id) }.compactMap {
                others[SharedText($0.id)]?.first
            }.first
        guard let index = repeated ?? second else { return }
        throw EvaluationError(
            "\(place(of: answers[index])): a second answer to question \(answers[index].id.text); keep one answer to a "
                + "question")
    }

    private func answer(to asked: Asked) -> Given? {
        func given(_ id: SharedText) -> [Given] {
            ((first[id].map { [Int($0)] } ?? []) + (others[id] ?? [])).map { answers[$0] }
        }
        let id = SharedText(asked.id)
        if let only = first[id], others[id] == nil { return answers[Int(only)] }
        let own = given(id)
        // Of several under one id its prompt says which it is.
        let all = own.isEmpty ? asked.sharedID.map { given(SharedText($0)) } ?? [] : own
        return all.first {
            asked.isNamed(by: $0.prompt?.text)
                && asked.isAnswered(byPrompt: $0.prompt?.text, image: $0.image?.text)
        }
            ?? own.first
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
