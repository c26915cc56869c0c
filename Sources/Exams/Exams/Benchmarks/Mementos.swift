import Foundation
import Metrics
import Records
import Tables

/// Mementos (Wang et al. 2024): pictures that are sequences, each told in a paragraph by a person and by the model. A judge
/// lists objects and actions of both, and the model's are held against the person's. As the authors' notebook does it
/// (`GPT-4-assisted_evaluation.ipynb`, `si0wang/Mementos` at 7b03657): words that its graphs of synonyms know for one of the
/// person's become that one, each of these once, and then sets are compared.
///
/// Read are its own tables (`dl_description.csv`, `robo_description.csv`, `cmc_description.csv`); the question is that of
/// the paper, which no table has. Where the notebook stops at a reply that isn't in its form, 0 counts here.
package struct Mementos: JudgedExam {
    package let name = "mementos"
    package let help: String? = "Mementos' descriptions (dl, robo and cmc), with pictures by their names."
    package let facts: ExamFacts? = ExamFacts(
        files:
            "`dl_description.csv`, `robo_description.csv`, `cmc_description.csv`; `sym_graphs` for `judge-replies`",
        source: "`si0wang/Mementos`; pictures from its Google Drive", license: "none stated")
    package let title = "Mementos"
    package let takesSeveralFiles = true
    package let officialJudge = "gpt-4-1106-preview"
    package let whole = "all"
    package let parts = Domain.allCases.map(\.rawValue)
    package let unread: [Double] = [0, 0, 0, 0, 0, 0]
    package let readsWithFiles = true

    package init() {}

    private static let question =
        "Write a description for the given image sequence in a single paragraph, what is happening in this episode?"

    /// As files call them: daily life, robotics, comics.
    private enum Domain: String, CaseIterable {
        case dl, robo, cmc

        /// By the beginning of a picture's name.
        init?(picture: String) {
            switch picture.prefix(while: { $0 != "_" }) {
            case "rw": self = .dl
            case "rb": self = .robo
            case "cmc": self = .cmc
            default: return nil
            }
        }
    }

    package func files(in folder: String) -> [String] {
        parts.map { "\(folder)/\($0)_description.csv" }.filter(FileManager.default.fileExists)
    }

    package func read(_ file: ExamFile) throws -> (questions: [JudgedQuestion], labelFiles: [String]) {
        var ids = QuestionIDs()
        var questions: [JudgedQuestion] = []
        // One of the published tables isn't in UTF-8.
        let table = QuotedTable(lines: try file.lines(), separator: UInt8(ascii: ","), readsLatin1: true)
        try table.forEach(required: []) { row in
            do {
                let question = try question(row, file.path)
                try ids.add(question.id, line: row.line)
                questions.append(question)
            } catch let error as RecordError {
                throw EvaluationError("\(file.path):\(row.line): \(error)")
            }
        }
        return (questions, [])
    }

    private func question(_ row: QuotedTable.Row, _ file: String) throws -> JudgedQuestion {
        guard let picture = row["image_name"] ?? row["image"] else {
            throw RecordError.missing(key: "image_name")
        }
        guard let told = row["description"] ?? row["gt_description"] else {
            throw RecordError.missing(key: "description")
        }
        guard let domain = Domain(picture: picture) else {
            throw RecordError.invalid(
                key: "image_name", found: "\"\(picture)\"", remedy: "names begin with rw_, rb_ or cmc_")
        }
        return JudgedQuestion(
            id: picture, file: file, line: row.line, image: picture, text: Self.question,
            parts: [domain.rawValue], reference: told)
    }

    // MARK: - The judge

    package let ownPrompt = """
        Two paragraphs tell of the same sequence of pictures. List the things that each names, in one or two words, \
        and only what can be touched; then what these things do, each action in its basic form. Where words in \
        different lists mean the same, write the same word. Reply with these four lines and nothing else:
        Object list 1: [dog, toy]
        Action list 1: [bark, look up]
        Object list 2: [dog, house]
        Action list 2: [bark, play]

        1. {reference}
        2. {answer}
        """

    package func request(_ score: JudgedScore, _ prompt: JudgePrompt, attempt: Int) throws -> JudgeRequest {
        JudgeRequest(
            system: nil,
            user: try prompt.filled(["reference": score.reference, "answer": score.answer]),
            temperature: 0, maxTokens: 1000)
    }

    /// The numbers come of graphs too (`reader`).
    package func grade(_ reply: String) -> [Double]? { nil }

    package func reviews(_ file: FileLines) throws -> [[JudgeReview]]? { nil }

    /// - Parameter folder: the benchmark's `sym_graphs`.
    package func reader(_ folder: String) throws -> JudgeReader? {
        var graphs: [String: (objects: SynonymGraph, actions: SynonymGraph)] = [:]
        for part in parts {
            graphs[part] = (
                try SynonymGraph(file: "\(folder)/\(part)_object_graph_v1.pkl"),
                try SynonymGraph(file: "\(folder)/\(part)_action_graph_v1.pkl")
            )
        }
        return { [graphs] reply, score in
            guard let own = graphs[score.parts[0]], let lists = Self.lists(in: reply) else { return nil }
            return Self.measures(
                lists[1], against: lists[0],
                own.objects.rewritten(lists[1], as: lists[0], joiningPairs: false))
                + Self.measures(
                    lists[3], against: lists[2],
                    own.actions.rewritten(lists[3], as: lists[2], joiningPairs: true))
        }
    }

    /// Objects of the person and of the model, actions of the person and of the model; nil where a line has another form
    /// than `key: [a, b]`, or a list is missing.
    private static func lists(in reply: String) -> [[String]]? {
        var lists: [String: [String]] = [:]
        for line in CodePoints(reply).stripped.split(separator: "\n") {
            let sides = CodePoints(line).text.components(separatedBy: ": ")
            guard sides.count == 2 else { return nil }
            let inside = sides[1].trimmingCharacters(in: CharacterSet(charactersIn: "[]"))
            lists[sides[0]] = inside.components(separatedBy: ",").map { CodePoints($0).stripped.text }
        }
        let names = ["Object list 1", "Object list 2", "Action list 1", "Action list 2"]
        let found = names.compactMap { lists[$0] }
        return found.count == names.count ? found : nil
    }

    /// Recall, precision and F1 of sets.
    private static func measures(
        _ said: [String], against told: [String], _ rewritten: (words: [String], hasRest: Bool)
    ) -> [Double] {
        let (told, said) = (Set(told), Set(rewritten.words))
        let both = Double(told.intersection(said).count)
        // What is left over when the person's words are used up is one more, however much it is.
        let total = Double(said.count + (rewritten.hasRest ? 1 : 0))
        let (recall, precision) = (quotient(both, Double(told.count)), quotient(both, total))
        return [recall, precision, quotient(2 * (precision * recall), precision + recall)]
    }

    package var measures: [JudgedMeasure] {
        ["objects", "actions"].enumerated().flatMap { place, what in
            ["recall", "precision", "F1"].enumerated().map { index, name in
                JudgedMeasure(
                    "\(what)_\(name.lowercased())", "\(what), \(name),", .fraction, .more,
                    isSummarized: name == "F1", value: { $0[3 * place + index] },
                    shown: { fixed(100 * $0, 2) })
            }
        }
    }
}
