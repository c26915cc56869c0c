import Metrics
import Records
import Tables

/// SEED-Bench (Li et al. 2023), by letters as LLaVA scores it (`scripts/convert_seed_for_submission.py` at 524a75b): right
/// is what equals the letter, without any mending. Its own file (`SEED-Bench.json`) is read as it is. Of a video the
/// middle frame is asked about, as a picture.
///
/// By likelihood it is another exam, as its authors take it (`eval.py` at 250947c): the question is asked without its
/// choices, and the answer is the choice with the least loss, which for LLaVA is the mean over the choice's tokens and the
/// end token (`SEED-Bench-2/model/llava_v2_interface.py` at 503df77).
package struct SEEDBench: Exam {
    package enum Reading: Sendable { case letters, likelihood }

    private let reading: Reading

    package init(_ reading: Reading = .letters) { self.reading = reading }

    package var name: String { reading == .letters ? "seed-bench" : "seed-bench-likelihood" }
    package var title: String { reading == .letters ? "SEED-Bench" : "SEED-Bench by likelihood" }
    package var help: String? {
        reading == .letters
            ? "SEED-Bench.json; frames of videos as SEED-Bench-video-image/ID.png."
            : "The same; the likeliest choice is the answer."
    }
    package var facts: ExamFacts? {
        ExamFacts(
            files: reading == .letters
                ? "`SEED-Bench.json`; `SEED-Bench-image/`, middle frames as `SEED-Bench-video-image/ID.png`"
                : "the same",
            source: "SEED-Bench's data set page", license: "CC BY-NC 4.0")
    }
    package var answers: AnswerLength { reading == .letters ? .short : .ranked }
    package var layouts: [AnswerLayout] {
        [AnswerLayout(id: reading == .letters ? "question_id" : "q_id", text: "prediction")]
    }

    package func files(in folder: String) -> [String] { ["\(folder)/SEED-Bench.json"] }

    /// By `question_type_id`, from 1.
    private static let types = [
        "Scene Understanding", "Instance Identity", "Instance Attributes", "Instance Location",
        "Instances Counting", "Spatial Relation", "Instance Interaction", "Visual Reasoning",
        "Text Understanding", "Action Recognition", "Action Prediction", "Procedure Understanding",
    ]
    private static let letters = ["A", "B", "C", "D"]

    package func read(_ file: ExamFile) throws -> (questions: [TaggedQuestion], labelFiles: [String]) {
        var ids = QuestionIDs()
        var questions: [TaggedQuestion] = []
        try file.lines().forEachObject(of: "questions") { object, line in
            let id = try object.word("question_id")
            try ids.add(id, line: line)
            let type = try object.word("question_type_id")
            guard let number = Int(type), (1...Self.types.count).contains(number) else {
                throw RecordError.invalid(
                    key: "question_type_id", found: type, remedy: "write 1 to \(Self.types.count)")
            }
            let kind = try object.requiredString("data_type")
            guard ["image", "video"].contains(kind) else {
                throw RecordError.invalid(
                    key: "data_type", found: "\"\(kind)\"", remedy: "write image or video")
            }
            let label = try object.requiredString("answer")
            guard Self.letters.contains(label) else {
                throw RecordError.invalid(key: "answer", found: "\"\(label)\"", remedy: "write A, B, C or D")
            }
            let choices = Choices(
                try ["a", "b", "c", "d"].map { try object.word("choice_\($0)") })
            let image =
                kind == "image"
                ? "SEED-Bench-image/\(try object.word("data_id"))" : "SEED-Bench-video-image/\(id).png"
            let question = try object.requiredString("question")
            let isRanked = reading == .likelihood
            questions.append(
                TaggedQuestion(
                    Asked(id: id, image: image, prompt: isRanked ? question : choices.asked(question)),
                    place: "\(file.path):\(line)", references: [label], tags: ["type": type, "kind": kind],
                    ranked: isRanked ? choices : nil))
        }
        return (questions, [])
    }

    // MARK: - Figures

    private var sums: AccuracySums { AccuracySums(reading == .letters ? "seed" : "seed-likelihood") }

    package var figures: [Figure] {
        let (start, title) =
            reading == .letters ? ("seed", "SEED") : ("seed_likelihood", "SEED by likelihood")
        let sums = self.sums
        func figure(_ part: String, _ name: String, isSummarized: Bool = true) -> Figure {
            Figure(
                "\(start)_\(part)", "\(title) \(name)", .fraction, better: .more, sums.formula(part),
                isSummarized: isSummarized)
        }
        return [figure("all", "all"), figure("image", "image"), figure("video", "video")]
            + Self.types.enumerated().map { figure("type_\($0 + 1)", $1) }
            + (reading == .letters ? [figure("strict", "all, strict", isSummarized: false)] : [])
    }

    package func count(_ scores: [TaggedScore], beside sheet: ScoreSheet, in sums: inout ClusteredSums) {
        let own = self.sums
        for score in scores {
            let right: Double = isRight(score) ? 1 : 0
            let strict: Double = Self.strict(score) == score.references[0] ? 1 : 0
            let parts = ["all", score["kind"], "type_" + score["type"]]
            own.add(parts.map { ($0, right) } + [("strict", strict)], to: score.image, &sums)
        }
    }

    private func isRight(_ score: TaggedScore) -> Bool {
        score.answer.utf8.elementsEqual(score.references[0].utf8)
    }

    private static func strict(_ score: TaggedScore) -> String? {
        Choices(["", "", "", ""]).strict(score.answer)
    }

    package var readings: [FigureReadings] {
        reading == .letters ? [FigureReadings(official: "seed_all", strict: "seed_strict")] : []
    }

    package func reading(of score: TaggedScore) -> AnswerReading? {
        // The script compares with the letter itself.
        let letter = ["A", "B", "C", "D"].first { score.answer.utf8.elementsEqual($0.utf8) }
        return AnswerReading(official: letter, strict: Self.strict(score))
    }

    package func trials(_ scores: [TaggedScore]) -> [TrialSeries] {
        ["image", "video"].map { kind in
            TrialSeries(
                exam: title, part: kind,
                scores.filter { $0["kind"] == kind }.map {
                    .init(image: $0.image, label: $0.references[0], isRight: isRight($0))
                })
        }
    }

    package func remarks(_ scores: [TaggedScore]) -> [[String]] {
        let unread = scores.count { Self.strict($0) == nil }
        let isAsked = reading == .letters && !scores.isEmpty
        return isAsked ? [["SEED answers without a letter, wrong", String(unread)]] : []
    }
}
