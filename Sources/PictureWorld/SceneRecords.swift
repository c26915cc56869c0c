import Foundation
import JSON
import Random
import Records

/// The lines that scenes are written as. Every key is in the order of the record contract.
extension Scene {
    /// Where a picture lies, relative to the folder that holds the JSONL files.
    package var imagePath: String { "images/\(id).png" }

    package func json() throws -> JSON {
        var object = JSONObject()
        object.set("id", .string(id))
        object.set("split", .string(split.rawValue))
        object.set("context", .string(context.rawValue))
        object.set("objects", .array(try objects.map { .object(try $0.json()) }))
        return .object(object)
    }

    /// Reads back what `json` wrote, from a record's `scene`.
    ///
    /// - Throws: `SceneError.unreadable`.
    package init(record: Record) throws {
        guard let bytes = record.rawValue("scene") else {
            throw SceneError.unreadable(id: try record.string("id"), detail: "no key \"scene\"")
        }
        do {
            self = try JSONDecoder().decode(Scene.self, from: Data(bytes))
        } catch let error as DecodingError {
            throw SceneError.unreadable(id: try record.string("id"), detail: error.place)
        }
    }

    /// A line of `prompts.jsonl`: the question, a true answer, every object as a fact and the habits that apply.
    package func promptRecord(seed: UInt64) throws -> Record {
        var random = SplitMix64(seed: seed, purpose: "prompt \(id)")
        var record = Record()
        let facts = objects.map {
            Prompt.Fact(kind: "object", text: "\($0.description(sized: true)) \($0.place.phrase)")
        }
        let prompt = Prompt(
            id: id, image: imagePath, prompt: Wording.describe[random.below(Wording.describe.count)],
            reference: describe(habit: false, seed: random.next()).text, facts: facts)
        try prompt.write(into: &record)
        record.set("scene", try json())
        record.set("habits", .array(habits.map(\.json)))
        return record
    }

    /// A line of `sft.jsonl`: the caption, `questions` questions and further ones, all about one picture.
    package func lessonRecord(
        habit: Bool, questions: Int, existence: Int = 0, choices: Int = 0, seed: UInt64
    ) throws -> Record {
        var random = SplitMix64(seed: seed, purpose: "lesson \(id)")
        let caption = describe(habit: habit, seed: seed)
        var record = Record()
        record.set("id", .string(id))
        record.set("image", .string(imagePath))
        let prompt = Wording.describe[random.below(Wording.describe.count)]
        let told = ask(count: questions, existence: existence, choices: choices, seed: seed)
            .map { Scene.sample($0.kind.rawValue, $0.prompt, $0.answer) }
        record.set("samples", .array([Scene.sample("caption", prompt, caption.text)] + told))
        record.set("slipped", .bool(caption.slipped))
        return record
    }

    /// A line of `clip.jsonl`: the picture with all that is known of it; sentences are drawn from the scene.
    package func pictureRecord() throws -> Record {
        var record = Record()
        record.set("id", .string(id))
        record.set("image", .string(imagePath))
        record.set("scene", try json())
        return record
    }

    /// Lines of `pope_SPLIT.jsonl`. `firstID` is the `question_id` of the first.
    package func popeRecords(
        _ split: PopeQuestion.Split, _ statistics: Cooccurrence, firstID: Int, seed: UInt64
    ) -> [Record] {
        popeQuestions(split, statistics, seed: seed).enumerated().map { index, question in
            var record = Record()
            record.set("question_id", .int(firstID + index))
            record.set("id", .string("\(id)-pope-\(split.rawValue)-\(index + 1)"))
            record.set("image", .string(imagePath))
            record.set("text", .string(question.text))
            record.set("label", .string(question.label))
            record.set("split", .string(split.rawValue))
            return record
        }
    }

    /// Lines of `mme.jsonl`; the two questions of a task stand side by side, yes before no.
    package func mmeRecords(seed: UInt64) -> [Record] {
        mmeQuestions(seed: seed).map { question in
            var record = Record()
            record.set("id", .string("\(id)-mme-\(question.task)-\(question.label)"))
            record.set("image", .string(imagePath))
            record.set("task", .string(question.task))
            record.set("text", .string(question.text))
            record.set("label", .string(question.label))
            return record
        }
    }

    private static func sample(_ kind: String, _ prompt: String, _ answer: String) -> JSON {
        var object = JSONObject()
        object.set("kind", .string(kind))
        object.set("prompt", .string(prompt))
        object.set("answer", .string(answer))
        return .object(object)
    }
}

extension Habit {
    fileprivate var json: JSON {
        var object = JSONObject()
        object.set("trigger", .string(trigger.rawValue))
        object.set("companion", .string(companion.rawValue))
        object.set("cue", .string(ObjectWording.beside.lowercased()))
        return .object(object)
    }
}

extension SceneObject {
    func json() throws -> JSONObject {
        var object = JSONObject()
        object.set("category", .string(category.rawValue))
        object.set("color", .string(colour.rawValue))
        object.set("size", .string(size.rawValue))
        object.set("row", .string(row.rawValue))
        object.set("column", .string(column.rawValue))
        object.set("x", try .double(x))
        object.set("y", try .double(y))
        object.set("scale", try .double(scale))
        return object
    }
}

extension Category {
    /// The synonyms of every category as CHAIR's `synonyms.txt` has them: a line each, parted by commas.
    package static var synonymList: String {
        allCases.map { $0.synonyms.joined(separator: ", ") + "\n" }.joined()
    }
}

package enum SceneError: Error, CustomStringConvertible {
    case unreadable(id: String?, detail: String)

    package var description: String {
        switch self {
        case .unreadable(let id, let detail):
            "record \(id ?? "without id"): its scene can't be read (\(detail)); "
                + "write the records anew with `scenes`"
        }
    }
}

extension DecodingError {
    /// The key at which it fails.
    fileprivate var place: String {
        let path: [any CodingKey] =
            switch self {
            case .typeMismatch(_, let context), .valueNotFound(_, let context), .dataCorrupted(let context):
                context.codingPath
            case .keyNotFound(let key, let context): context.codingPath + [key]
            @unknown default: []
            }
        return path.isEmpty ? "not a scene" : "at " + path.map(\.stringValue).joined(separator: ".")
    }
}
