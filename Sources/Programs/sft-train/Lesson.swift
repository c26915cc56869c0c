import Foundation
import Kernels
import Model
import ModelOptions
import Records
import StageKit
import Training

/// One picture of the training data with its samples, as text.
struct Lesson: Sendable {
    let id: String
    let file: String
    let place: String
    let image: String?
    let samples: [(prompt: String, history: [Turn], answer: String)]

    /// - Throws: `RecordError` or `ImagePathError`, `ImageError`, about this record.
    init(_ input: InputRecord, _ images: ImageOptions) throws {
        id = input.id
        file = input.file
        place = input.place
        let picture = try input.record.picture()
        try input.record.checkThatNothingWasSaidBefore(reader: "a lesson")
        image = try picture.map { try images.resolve($0) }
        samples = try input.record.required(
            "samples",
            input.record.objects("samples") {
                let (prompt, history) = (try $0.requiredString("prompt"), try $0.history())
                try $0.checkMarkers(in: history.map(\.prompt) + [prompt], key: "prompt", picture: picture)
                return (prompt: prompt, history: history, answer: try $0.requiredAnswer("answer"))
            })
        guard !samples.isEmpty else {
            throw RecordError.invalid(
                key: "samples", found: "an empty list", remedy: "give at least one prompt and answer")
        }
    }

    var texts: [String] { samples.flatMap { [$0.prompt, $0.answer] } }
}

/// Lessons as tokens and pixels.
struct LessonEncoder: Sendable {
    let model: VisionLanguageModel

    /// Pictures are read on all threads; what fails names its record.
    func encode(_ lessons: [Lesson]) throws -> [SupervisedExample] {
        let slots = Slots<Result<SupervisedExample, any Error>>(count: lessons.count)
        Parallel.run(lessons.count) { index in slots[index] = Result { try encode(lessons[index]) } }
        return try slots.values.map { try $0.get() }
    }

    private func encode(_ lesson: Lesson) throws -> SupervisedExample {
        do {
            let picture = try lesson.image.map { try model.shape(at: $0) }
            let encoded = try lesson.samples.map {
                try model.encode(
                    prompt: $0.prompt, history: $0.history.texts, picture: picture,
                    answers: [$0.answer])
            }
            // The root ends with the picture: what follows differs from question to question.
            let root = encoded[0].pictureEnd
            let samples = encoded.map {
                SupervisedExample.Sample(prompt: Array($0.prompt[root...]), answer: $0.answers[0])
            }
            return SupervisedExample(
                id: lesson.id, pixels: try lesson.image.map { try model.input(at: $0) },
                root: Array(encoded[0].prompt[..<root]), samples: samples)
        } catch { throw StageError.failed("\(lesson.place): \(error)") }
    }
}
