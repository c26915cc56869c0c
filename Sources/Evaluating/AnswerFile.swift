import Foundation
import JSON
import Records

/// A question as its answer must know it.
package struct Asked: Sendable {
    package let id: String
    /// The id that it has in files where two questions share one.
    package let sharedID: String?
    package let image: String
    package let prompt: String

    package init(id: String, sharedID: String? = nil, image: String, prompt: String) {
        (self.id, self.sharedID, self.image, self.prompt) = (id, sharedID, image, prompt)
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

/// Answers in LLaVA's format: JSON Lines with `question_id`, `prompt` and `text`. A file of answers is named as
/// the file of its questions. Two answers may share an id where their prompts differ, as those about a picture of MME.
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

    package let path: String
    private let given: [String: [Given]]
    /// In the order of the file.
    private let ids: [String]

    /// An answer as it was read.
    private struct Given {
        let line: Int
        /// What it says that it was asked, and about which picture; other tools leave it out.
        let prompt: String?
        let image: String?
        let text: String
    }

    /// - Throws: `EvaluationError` for a line without id or text, or an id that occurs twice.
    package init(path: String, bytes: [UInt8]) throws {
        self.path = path
        var given: [String: [Given]] = [:]
        ids = try ObjectLines.read(bytes, path) { object, line in
            let id = try object.questionID()
            let answer = Given(
                line: line, prompt: try object.string("prompt"), image: try object.string("image"),
                text: try object.requiredString("text"))
            let other = given[id]?.first
            guard other == nil || other?.prompt != answer.prompt && given[id]?.count == 1 else {
                throw RecordError.invalid(
                    key: "question_id", found: "\"\(id)\" for the second time",
                    remedy: "keep one answer to a question")
            }
            given[id, default: []].append(answer)
            return id
        }
        self.given = given
    }

    package init(path: String) throws { try self.init(path: path, bytes: EvaluationError.reading(path)) }

    /// The file that answers `questions`, among files and folders of files. One file that is named alone answers all
    /// questions, whatever its name.
    ///
    /// - Throws: `EvaluationError` where there is none, or more than one.
    package static func find(for questions: String, in places: [String]) throws -> AnswerFile {
        let name = baseName(questions)
        let found = places.flatMap { place -> [String] in
            var isFolder: ObjCBool = false
            let exists = FileManager.default.fileExists(atPath: place, isDirectory: &isFolder)
            guard exists, isFolder.boolValue else {
                return places.count == 1 || baseName(place) == name ? [place] : []
            }
            let file = "\(place)/\(fileName(questions))"
            return FileManager.default.fileExists(atPath: file) ? [file] : []
        }
        guard let file = found.first, found.count == 1 else {
            throw EvaluationError(
                "--answers: \(found.count) files named \(name) for the questions of \(questions); "
                    + "name the file of answers as that of the questions")
        }
        return try AnswerFile(path: file)
    }

    /// The text of the answer to each of `asked`. Answers are matched by id, and must then be to that question: what
    /// an answer says that it was asked begins with the question's text, and its picture is the question's.
    ///
    /// - Parameters:
    ///   - questions: the file of `asked`, for errors.
    ///   - known: ids of all questions that this file may answer.
    /// - Returns: the texts, and how many of the answers don't say what they were asked.
    /// - Throws: `EvaluationError` for questions without answer, answers to other questions and answers to none, with
    ///   their numbers.
    package func texts(
        of asked: [Asked], in questions: String, known: Set<String>
    ) throws -> (texts: [String], unnamed: Int) {
        let sharedIDs = Set(asked.compactMap(\.sharedID))
        for asked in asked where !sharedIDs.contains(asked.id) {
            guard let other = given[asked.id], other.count > 1 else { continue }
            throw EvaluationError(
                "\(path):\(other[1].line): a second answer to question \(asked.id); keep one answer to a question"
            )
        }
        let missing = asked.filter { answer(to: $0) == nil }
        if let first = missing.first {
            throw EvaluationError(
                "\(path): \(missing.count) of \(asked.count) questions of \(questions) have no answer, "
                    + "\(first.id) the first; answer every question, or use --limit")
        }
        let answers = asked.compactMap(answer)
        let foreign = zip(asked, answers).filter { !$0.isAnswered(byPrompt: $1.prompt, image: $1.image) }
        if let (question, answer) = foreign.first {
            let about = answer.image.map { " about \($0)" } ?? ""
            throw EvaluationError(
                "\(path):\(answer.line): \(foreign.count) of \(asked.count) answers are to other questions than those "
                    + "of \(questions): the first to \"\(Self.firstLine(answer.prompt ?? "?"))\"\(about), where question "
                    + "\(question.id) is \"\(Self.firstLine(question.prompt))\" about \(question.image); "
                    + "give the answers to these questions")
        }
        let surplus = ids.filter { !known.contains($0) }
        if let first = surplus.first, let answer = given[first]?.first {
            throw EvaluationError(
                "\(path):\(answer.line): \(surplus.count) of \(ids.count) answers are to no question, \(first) the "
                    + "first; give the questions that these answers were made from, all of them")
        }
        return (
            answers.map(\.text), zip(asked, answers).count { !$0.isNamed(by: $1.prompt) && $1.image == nil }
        )
    }

    private func answer(to asked: Asked) -> Given? {
        let own = given[asked.id] ?? []
        guard own.count != 1 else { return own[0] }
        // Of two under one id its prompt says which it is.
        let all = own.isEmpty ? asked.sharedID.flatMap { given[$0] } ?? [] : own
        return all.first {
            asked.isNamed(by: $0.prompt) && asked.isAnswered(byPrompt: $0.prompt, image: $0.image)
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

    package static func lines(captions pictures: [KnownPicture], _ texts: [String]) -> String {
        lines(
            zip(pictures, texts).map { Answer(id: $0.id, image: $0.image, prompt: $0.prompt, text: $1) })
    }

    package static func lines(_ answers: [Answer]) -> String {
        answers.map { answer in
            var object = JSONObject()
            object.set("question_id", .string(answer.id))
            object.set("image", .string(answer.image))
            object.set("prompt", .string(answer.prompt))
            object.set("text", .string(answer.text))
            return object.text + "\n"
        }.joined()
    }
}
