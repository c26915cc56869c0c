import JSON
import Records

/// How the script of a benchmark takes answers.
package struct AnswerLayout: Sendable, Equatable {
    package enum Container: Sendable, Equatable {
        /// Objects, one a line or all in one array.
        case objects
        /// One object: texts by id.
        case dictionary
        /// Objects that are the values of one member of the file's object.
        case members(of: String)
    }

    package let container: Container
    /// The keys of a question's id; the words of several are joined by `_`.
    package let id: [String]
    /// The key of an answer's text.
    package let text: String

    /// Objects with an id and a text.
    package init(id: String, text: String) { self.init(ids: [id], text: text) }
    package init(ids: [String], text: String) { (container, id, self.text) = (.objects, ids, text) }

    /// Objects with an id and a text, in the object that the file has under `key`.
    package init(membersOf key: String, id: String, text: String) {
        (container, self.id, self.text) = (.members(of: key), [id], text)
    }

    /// LLaVA's, which every exam takes.
    package static let llava = AnswerLayout(id: "question_id", text: "text")
    package static let dictionary = AnswerLayout(.dictionary)

    private init(_ container: Container) { (self.container, id, text) = (container, [], "") }
}

extension [AnswerLayout] {
    /// Walks through a file of answers in one of these layouts or LLaVA's.
    ///
    /// - Parameter body: is given what an answer says of itself besides, which is nothing in a dictionary.
    /// - Throws: `EvaluationError` for a file that can't be read, and with file and line for what is no answer.
    func forEachAnswer(
        in file: FileLines,
        _ body: (_ id: String, _ text: String, _ object: JSONObject?, _ line: Int) throws -> Void
    ) throws {
        if try isDictionary(file) {
            return try file.forEachMember { id, value, line in
                guard case .string(let text) = value else {
                    throw RecordError.wrongType(key: id, found: value.kind, wanted: "a string")
                }
                try body(id, text, nil, line)
            }
        }
        var layout: AnswerLayout?
        try forEachObject(in: file) { object, line in
            // All are in the layout of the first.
            let own = layout ?? first { $0.container != .dictionary && object[$0.text] != nil } ?? .llava
            layout = own
            let id = try own == .llava ? object.questionID() : object.words(own.id)
            try body(id, object.requiredString(own.text), object, line)
        }
    }

    /// The objects of a file, wherever these layouts have them.
    ///
    /// - Throws: as `FileLines.forEachObject`.
    func forEachObject(
        in file: FileLines, _ body: (_ object: JSONObject, _ line: Int) throws -> Void
    ) throws {
        let key =
            lazy.compactMap { layout in
                if case .members(let key) = layout.container { return key }
                return nil
            }.first as String?
        guard let key, try file.firstByte() == UInt8(ascii: "{") else { return try file.forEachObject(body) }
        if let first = try? JSONObject(parsing: file.firstLine()), first[key] == nil {
            return try file.forEachObject(body)
        }
        try file.forEachMember { member, value, line in
            guard member == key else { return }
            guard case .object(let objects) = value else {
                throw RecordError.wrongType(key: key, found: value.kind, wanted: "an object")
            }
            for (name, entry) in objects.entries {
                guard case .object(let object) = entry else {
                    throw RecordError.wrongType(key: name, found: entry.kind, wanted: "an object")
                }
                try body(object, line)
            }
        }
    }

    /// A dictionary may stand in one line, as the first of several answers does, but has none of their keys.
    private func isDictionary(_ file: FileLines) throws -> Bool {
        guard contains(.dictionary), try file.firstByte() == UInt8(ascii: "{") else { return false }
        let keys = [AnswerLayout.llava.text] + filter { $0.container == .objects }.map(\.text)
        guard let object = try? JSONObject(parsing: file.firstLine()) else { return true }
        return keys.allSatisfy { object[$0] == nil }
    }
}

extension JSONObject {
    /// A string, or a number as it is written, which benchmarks have for ids.
    package func word(_ key: String) throws -> String {
        switch self[key] {
        case .string(let text)?: text
        case .number(let number)?: number.raw
        case nil: throw RecordError.missing(key: key)
        case let value?:
            throw RecordError.wrongType(key: key, found: value.kind, wanted: "a string or number")
        }
    }

    /// Of several keys, joined by `_`.
    package func words(_ keys: [String]) throws -> String { try keys.map(word).joined(separator: "_") }

    /// `id`, else `question_id`, which POPE and LLaVA write as a number or a string.
    func questionID() throws -> String {
        if let id = try string("id") { return id }
        guard self["question_id"] != nil else { throw RecordError.missing(key: "id") }
        return try word("question_id")
    }
}
