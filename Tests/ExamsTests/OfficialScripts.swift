import Exams
import Foundation
import Metrics
import Testing

/// Made-up file sets in the shape of benchmarks, with what their own scripts say of them
/// (`Tests/Fixtures/exams/make_exams.py`, which names their commits).
enum OfficialScripts {
    static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Fixtures/exams").path

    static func expected<Value: Decodable>(_ path: String, as type: Value.Type = Value.self) throws -> Value {
        try JSONDecoder().decode(type, from: Data(contentsOf: URL(filePath: "\(folder)/\(path)")))
    }

    /// The sheet of one exam with answers given.
    static func sheet<E: Exam>(_ exam: E, _ files: [String], answers: String) throws -> ScoreSheet {
        try sheet(exam, files.map { ExamFile("\(folder)/\($0)") }, answers: "\(folder)/\(answers)")
    }

    static func sheet<E: Exam>(_ exam: E, _ files: [ExamFile], answers: String) throws -> ScoreSheet {
        var sheet = ScoreSheet(ExamList([exam]))
        for file in files {
            var paper = ExamPaper(sheet.exams)
            try paper.add(exam, file)
            let texts = try paper.texts(in: [answers]).texts.map(\.text)
            let questions = try exam.read(file).questions
            sheet[exam] += zip(questions, texts).map { exam.score($0, answer: $1, ObjectFinder()) }
        }
        return sheet
    }
}

extension ScoreSheet {
    /// All figures, those too that no summary has.
    func allFigures() throws -> [String: Double] {
        Dictionary(uniqueKeysWithValues: try figures().map { ($0.figure.key, $0.value) })
    }
}

extension Exam {
    /// What reading `text` as its file of questions says is wrong.
    func complaint(_ name: String, _ text: String, labels: [String] = []) -> String? {
        do {
            _ = try read(path: name, bytes: Array(text.utf8), labels: labels)
            return nil
        } catch { return "\(error)" }
    }
}

/// Where published predictions stand; they are not part of the repository.
enum Golden {
    static let folder = ProcessInfo.processInfo.environment["SIGHTLINE_GOLDEN"]

    /// A file there, unpacked by `xz`; nil where there is no such program.
    static func unpacked(_ path: String) throws -> [UInt8]? {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = ["xz", "-dc", "\(try #require(folder))/\(path)"]
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let data = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        return process.terminationStatus == 0 ? Array(data) : nil
    }

    static let hasXZ = ["/usr/bin/xz", "/bin/xz", "/usr/local/bin/xz"].contains {
        FileManager.default.isExecutableFile(atPath: $0)
    }
}
