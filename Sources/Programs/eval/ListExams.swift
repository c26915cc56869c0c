import ArgumentParser
import Exams
import JSON
import StageKit
import Tables

/// The benchmarks that `eval` knows: names, files, where these are had, and their licenses.
struct ListExams: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "eval list",
        abstract: "List the benchmarks that eval takes, with the files that each needs.",
        discussion: """
            A name is the word after eval run and eval score, and the option of eval for files of other names. Files lie
            in --data under their official names.
            """)

    @Flag(help: "One JSON object per line.") var json = false

    func run() throws {
        let rows = ExamList.all.exams.filter { $0.help != nil }.map { exam in
            let facts = exam.facts.map { [$0.files, $0.source, $0.license] } ?? ["", "", ""]
            return [exam.name] + facts.map { $0.replacing("`", with: "") }
        }
        let heads = ["name", "files", "source", "license"]
        guard json else { return try Program.put(TextTable([heads] + rows, right: []).plainText) }
        let lines = rows.map { row in
            var object = JSONObject()
            for (key, text) in zip(heads, row) { object.set(key, .string(text)) }
            return object.text + "\n"
        }
        try Program.put(lines.joined())
    }
}
