import Exams
import Foundation
import PictureWorld
import Testing

/// The picture world in the benchmarks' own files, read back by their exams.
@Suite struct BenchmarkFilesTests {
    private static let scenes = (0..<60).map { Scene.generate(seed: 3, split: .test, index: $0) }

    /// The files in a folder of their own, which goes with the object.
    private final class Files {
        let folder = FileManager.default.temporaryDirectory.path + "/benchmarks-\(UUID().uuidString)"

        init() throws {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/annotations", withIntermediateDirectories: true)
            let texts = try BenchmarkFiles(BenchmarkFilesTests.scenes, seed: 3).texts()
            for (name, text) in zip(BenchmarkFiles.names, texts) {
                try Data(text.utf8).write(to: URL(filePath: "\(folder)/\(name)"))
            }
        }

        deinit { try? FileManager.default.removeItem(atPath: folder) }

        /// All exams that find files there, answered.
        func figures(_ answer: (ExamRequest) -> String) throws -> [String: Double] {
            try figures { $0.requests.map(answer) }
        }

        func figures(answers: (ExamPaper) -> [String]) throws -> [String: Double] {
            var paper = ExamPaper()
            func add<E: Exam>(_ exam: E, _ path: String) throws { try paper.add(exam, ExamFile(path)) }
            for exam in [POPE(), CHAIR(), MME(), MMBench(), GQA(), TextVQA()] as [any Exam] {
                let files = exam.files(in: folder)
                #expect(!files.isEmpty)
                for file in files { try add(exam, file) }
            }
            let answered = "\(folder)/answers"
            try FileManager.default.createDirectory(atPath: answered, withIntermediateDirectories: true)
            let texts = answers(paper).map { SharedText($0) }
            return try paper.score(texts, writingTo: answered).allFigures()
        }
    }

    private static let tasks = ["existence", "count", "color", "position"]

    private static func scene(_ request: ExamRequest) -> Scene {
        scenes[(Int(request.image.split(separator: ".")[0]) ?? 0) - 1]
    }

    @Test func trueAnswersGetFullMarks() throws {
        let figures = try Files().figures { request in
            request.solution ?? Self.scene(request).describe(habit: false, seed: 99).text
        }
        for key in [
            "pope_mean_accuracy", "pope_mean_f1", "mmbench", "mmbench_strict", "mmbench_cp", "mmbench_fp_s",
            "gqa", "gqa_binary", "gqa_open", "gqa_obj", "gqa_attr", "gqa_rel", "gqa_global", "textvqa",
            "chair_wordnet_recall",
        ] { #expect(figures[key] == 1, "\(key)") }
        for task in Self.tasks { #expect(figures["mme_\(task)"] == 200, "\(task)") }
        for key in ["chair_wordnet_s", "chair_wordnet_i", "chair_original_s", "chair_original_i"] {
            #expect(figures[key] == 0, "\(key)")
        }
        #expect(figures["pope_mean_yes_ratio"] == 0.5)
    }

    /// Half of POPE's questions and of MME's, and no picture of MME; three of GQA's eight; nothing that isn't yes or no.
    @Test func yesGetsItsShare() throws {
        let figures = try Files().figures { $0.texts(by: .yes) }
        #expect(figures["pope_mean_accuracy"] == 0.5 && figures["pope_mean_yes_ratio"] == 1)
        for task in Self.tasks { #expect(figures["mme_\(task)"] == 50, "\(task)") }
        #expect(figures["gqa"] == 3.0 / 8 && figures["gqa_binary"] == 0.5 && figures["gqa_open"] == 0)
        #expect(figures["mmbench"] == 0 && figures["textvqa"] == 0)
        #expect(figures["chair_wordnet_s"] == 0 && figures["chair_wordnet_recall"] == 0)
    }

    /// A letter is right in one rotation of four, and so never in all.
    @Test func noLetterIsRightInAllRotations() throws {
        for letter in MMBenchQuestion.letters {
            let figures = try Files().figures { (_: ExamRequest) in letter }
            #expect(figures["mmbench"] == 0 && figures["mmbench_passes"] == 0.25)
        }
    }

    @Test func theUsualAnswerIsNoLook() throws {
        let figures = try Files().figures { $0.texts(by: .majority) }
        #expect(figures["pope_mean_accuracy"] == 0.5 && figures["mme_existence"] == 50)
        #expect(figures["mmbench"] == 0 && figures["chair_wordnet_recall"] == 0)
        let short = try #require(figures["textvqa"])
        // Of colors one in seven, of numbers more than every second.
        #expect((0.25...0.5).contains(short), "\(short)")
    }

    /// "What color" and "How many" are usually answered otherwise; of two equally frequent answers the first is taken.
    @Test func theUsualAnswerGoesByHowAQuestionBegins() throws {
        var paper = ExamPaper()
        func line(_ id: Int, _ text: String, _ answer: String) -> String {
            let answers = Array(repeating: "\"\(answer)\"", count: 10).joined(separator: ",")
            return #"{"question_id":\#(id),"image_id":"1","question":"\#(text)","answers":[\#(answers)]}"#
        }
        let questions = [
            line(1, "What color is it?", "red"), line(2, "How many are there?", "two"),
            line(3, "What color is that?", "blue"), line(4, "What color are they?", "red"),
            line(5, "How many more?", "one"),
        ]
        let file = "{\"data\":[\n\(questions.joined(separator: ",\n"))]}"
        try paper.add(TextVQA(), ExamFile("TextVQA_0.5.1_val.json", bytes: Array(file.utf8)))
        #expect(paper.texts(by: .majority) == ["red", "one", "red", "red", "one"])
        #expect(paper.texts(by: .yes) == Array(repeating: "Yes", count: 5))
    }
}
