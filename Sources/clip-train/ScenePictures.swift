import Foundation
import Imaging
import Kernels
import Model
import PictureWorld
import StageKit
import Tokenizer

/// Pictures with their scenes, and the sentences that are drawn from them for a step.
struct ScenePictures: Sendable {
    let ids: [String]
    let scenes: [Scene]
    let paths: [String]

    init(_ records: [InputRecord], _ images: ImageOptions) throws {
        var scenes: [Scene] = []
        var paths: [String] = []
        for input in records {
            do {
                scenes.append(try Scene(record: input.record))
                paths.append(try images.resolve(input.record.requiredString("image")))
            } catch { throw StageError.failed("\(input.place): \(error)") }
        }
        guard !scenes.isEmpty else { throw StageError.failed("no records to train on; give files of scenes") }
        (ids, self.scenes, self.paths) = (records.map(\.id), scenes, paths)
    }

    var count: Int { ids.count }

    struct Lesson {
        let pixels: [[Float]]
        let texts: [[Int32]]
        let truth: [[Bool?]]
    }

    /// True sentences of every chosen picture and as many false ones; `truth[i][j]` says what sentence j is of
    /// picture i, whoever it was made for.
    func lesson(
        _ chosen: [Int], sentences: Int, seed: UInt64, _ tokenizer: Tokenizer, _ processor: ImageProcessor
    ) throws -> Lesson {
        let pixels = try loadPixels(chosen, processor)
        var random = WorldRandom(seed: seed, purpose: "falsehoods")
        var lines: [String] = []
        for index in chosen {
            let scene = scenes[index]
            for sentence in scene.trueSentences(seed: seed).prefix(sentences) {
                lines.append(sentence)
                // Half of the falsehoods are absent objects: that is what hallucinations are.
                let kinds: [Falsehood] =
                    random.chance(0.5)
                    ? [.absentObject]
                    : random.shuffled([.wrongColour, .wrongPlace, .wrongSize, .wrongRelation])
                for kind in kinds {
                    guard let false_ = scene.falsify(sentence, kind, using: &random) else { continue }
                    lines.append(false_)
                    break
                }
            }
            if let companion = absentCompanion(scene), random.chance(0.5) { lines.append(companion) }
        }
        lines = Array(Set(lines)).sorted()
        let parsed = lines.map { ParsedSentence($0) }
        let rows = Slots<[Bool?]>(count: chosen.count)
        Parallel.run(chosen.count) { i in
            rows[i] = parsed.map { sentence in
                switch scenes[chosen[i]].verdict(on: sentence) {
                case .true: true
                case .false: false
                case .unknown: nil
                }
            }
        }
        return Lesson(
            pixels: pixels, texts: lines.map { tokenizer.encode($0, addSpecialTokens: true) },
            truth: rows.values)
    }

    /// The companion sentence where it would be a slip: the falsehood that the policy tells.
    private func absentCompanion(_ scene: Scene) -> String? {
        let habit = scene.context.habit
        return scene.has(habit.trigger) && !scene.has(habit.companion) ? habit.sentence : nil
    }

    func loadPixels(_ chosen: [Int], _ processor: ImageProcessor) throws -> [[Float]] {
        let rows = Slots<Result<[Float], any Error>>(count: chosen.count)
        Parallel.run(chosen.count) { i in
            rows[i] = Result { try processor.pixels(decodeImage(at: paths[chosen[i]])) }
        }
        return try rows.values.map { try $0.get() }
    }
}
