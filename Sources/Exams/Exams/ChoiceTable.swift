import Foundation
import Records

/// Questions with choices in VLMEvalKit's tables: `index`, `question`, `A` to `D`, and `hint`, `answer` and the names of
/// parts where they are there. A column `image` has the pictures themselves in base64, without `data:` before it, or the
/// index of the row that has the same one; where there is no such column they lie unpacked as `INDEX.jpg`.
struct ChoiceTable {
    let file: ExamFile
    /// Whether each must have its answer.
    let answered: Bool
    /// Columns that are kept.
    let tags: [String]

    init(_ file: ExamFile, answered: Bool, tags: [String]) {
        (self.file, self.answered, self.tags) = (file, answered, tags)
    }

    static let letters = ["A", "B", "C", "D"]

    /// In folders of downloads, under the names that `names` has: the first that is there, else the first of all.
    static func files(in folder: String, named names: [String]) -> [String] {
        let paths = names.map { "\(folder)/\($0)" }
        return [paths.first(where: FileManager.default.fileExists) ?? paths[0]]
    }

    /// - Throws: `EvaluationError` with file and line for what is no question and no picture.
    func questions() throws -> [TaggedQuestion] {
        var rows: [Row] = []
        var ids = QuestionIDs()
        let table = QuotedTable(lines: try file.lines(), separator: UInt8(ascii: "\t"))
        try table.forEach(required: ["index", "question", "A", "B"] + (answered ? ["answer"] : [])) { row in
            try at(row.line) {
                let own = try self.row(row)
                try ids.add(String(own.index), line: row.line)
                rows.append(own)
            }
        }
        // Pictures first: a row may have the index of one that stands below it.
        var pictures = Pictures()
        for row in rows { try at(row.line) { try pictures.add(row.picture, of: row.index) } }
        for row in rows { try at(row.line) { try pictures.share(row.picture, with: row.index) } }
        return rows.map { question($0, pictures) }
    }

    private func at<Result>(_ line: Int, _ body: () throws -> Result) throws -> Result {
        do { return try body() } catch let error as RecordError {
            throw EvaluationError("\(file.path):\(line): \(error)")
        }
    }

    private struct Row {
        let index: Int
        let line: Int
        let prompt: String
        let answer: String?
        let tags: [String: String]
        let picture: Pictures.Cell
    }

    private func row(_ row: QuotedTable.Row) throws -> Row {
        guard let index = row["index"].flatMap({ Int($0) }), index >= 0 else {
            throw RecordError.invalid(
                key: "index", found: "\"\(row["index"] ?? "")\"", remedy: "write a whole number")
        }
        guard let words = row["question"] else { throw RecordError.missing(key: "question") }
        let choices = Self.letters.compactMap { letter in row[letter].map { (letter: letter, text: $0) } }
        let answer = row["answer"]
        if let answer, !choices.contains(where: { $0.letter == answer }) {
            throw RecordError.invalid(
                key: "answer", found: "\"\(answer)\"", remedy: "name the letter of a choice of the row")
        }
        if answered && answer == nil { throw RecordError.missing(key: "answer") }
        // What is asked ends at the first choice that is missing, as in LLaVA's `model_vqa_mmbench.py`.
        let asked = zip(Self.letters, choices).prefix { $0 == $1.letter && !Self.isNone($1.text) }.map(\.1)
        let text = (row["hint"].flatMap { Self.isNone($0) ? nil : $0 + "\n" } ?? "") + words
        var tags: [String: String] = [:]
        for tag in self.tags { tags[tag] = row[tag] }
        for choice in choices { tags[choice.letter] = choice.text }
        // What a server that scores the answers is told of them.
        if answer == nil { tags["question"] = words }
        return Row(
            index: index, line: row.line, prompt: Choices(asked).asked(text), answer: answer, tags: tags,
            picture: row.has("image") ? .told(row["image"] ?? "") : .unpacked)
    }

    private func question(_ row: Row, _ pictures: Pictures) -> TaggedQuestion {
        let picture = pictures.named(row.index)
        var tags = row.tags
        tags["group"] = String(row.index % Self.rotation)
        return TaggedQuestion(
            Asked(id: String(row.index), image: picture.name, embedded: picture.uri, prompt: row.prompt),
            place: "\(file.path):\(row.line)", references: row.answer.map { [$0] } ?? [], tags: tags)
    }

    /// A question's rotations have its index and so many more.
    static let rotation = 1_000_000

    private static func isNone(_ text: String) -> Bool { ["nan", "none"].contains(text.lowercased()) }
}

extension ChoiceTable {
    /// The pictures of a table, of which rows may share one.
    fileprivate struct Pictures {
        enum Cell {
            /// There is no such column.
            case unpacked
            case told(String)
        }

        /// As many bytes as an index may have; a picture has more.
        private static let longestIndex = 64

        /// By index: whose picture it is, and the picture.
        private var known: [String: (owner: Int, uri: String)] = [:]

        /// - Throws: `RecordError` for a long text that is no picture.
        mutating func add(_ cell: Cell, of index: Int) throws {
            guard case .told(let text) = cell, text.utf8.count > Self.longestIndex else { return }
            known[String(index)] = (index, try EmbeddedPicture.uri(base64: text))
        }

        /// - Throws: `RecordError` for a short text that is not the index of a picture.
        mutating func share(_ cell: Cell, with index: Int) throws {
            guard case .told(let text) = cell, text.utf8.count <= Self.longestIndex else { return }
            guard let other = known[text] else {
                throw RecordError.invalid(
                    key: "image", found: "\"\(text)\"",
                    remedy: "give a picture in base64, or the index of a row that has it")
            }
            known[String(index)] = other
        }

        /// What the picture of a row is called, and the picture where the table has it. Rotations show that of the question
        /// that they rotate.
        func named(_ index: Int) -> (name: String, uri: String?) {
            let own = known[String(index)]
            return ("\((own?.owner ?? index) % ChoiceTable.rotation).jpg", own?.uri)
        }
    }
}

extension TaggedScore {
    /// Those of a table, by their letters.
    var choices: Choices {
        Choices(ChoiceTable.letters.compactMap { letter in tags[letter].map { (letter, $0) } })
    }
}
