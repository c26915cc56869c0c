import Foundation
import Imaging
import Kernels
import Model
import ModelOptions
import PictureWorld
import Random
import StageKit
import Tokenizer
import Training

/// Pictures with their scenes, and the sentences that are drawn from them for a step.
struct ScenePictures: Sendable {
    let ids: [String]
    let scenes: [Scene]
    let paths: [String]

    init(_ input: InputOptions, _ images: ImageOptions, _ run: StageRun) throws {
        let all = try run.records(input) {
            (
                id: $0.id, scene: try Scene(record: $0.record),
                path: try images.resolve($0.record.requiredPicture())
            )
        }
        guard !all.isEmpty else { throw StageError.failed("no records to train on; give files of scenes") }
        (ids, scenes, paths) = (all.map(\.id), all.map(\.scene), all.map(\.path))
    }

    var count: Int { ids.count }

    /// True sentences of every chosen picture, each with falsehoods made from it; `truth[i][j]` says what
    /// sentence j is of picture i, whoever it was made for. With `inventions` the first true sentence has what
    /// habits would invent for a twin as well.
    func lesson(
        _ chosen: [Int], sentences: Int, phrases: Int, falsehoods: Int, inventions: Bool, seed: UInt64,
        _ tokenizer: Tokenizer, _ processor: ImageProcessor
    ) throws -> ContrastiveTrainer.Lesson {
        let pixels = try loadPixels(chosen, processor)
        var random = SplitMix64(seed: seed, purpose: "falsehoods")
        var book = SentenceBook()
        var twins: [ContrastiveTrainer.Twin] = []
        for (image, index) in chosen.enumerated() {
            let scene = scenes[index]
            let told =
                scene.trueSentences(seed: seed, relations: 1).prefix(sentences)
                + scene.truePhrases(seed: seed).prefix(phrases)
            for (place, sentence) in told.enumerated() {
                // What hallucinations are made of comes always, the rest in turn.
                let kinds =
                    [.absentObject] + random.shuffled(Falsehood.allCases.filter { $0 != .absentObject })
                let wrong = kinds.compactMap { scene.falsify(sentence, $0, using: &random) }
                let truth = book.number(of: sentence)
                let invented = inventions && place == 0 ? scene.inventions(seed: seed) : []
                for text in wrong.prefix(falsehoods) + invented {
                    twins.append(.init(image: image, truth: truth, falsehood: book.number(of: text)))
                }
            }
        }
        let rows = Slots<[Bool?]>(count: chosen.count)
        let parsed = book.sentences.map { ParsedSentence($0) }
        Parallel.run(chosen.count) { i in
            rows[i] = parsed.map { sentence in
                switch scenes[chosen[i]].verdict(on: sentence) {
                case .true: true
                case .false: false
                case .unknown: nil
                }
            }
        }
        return .init(
            pixels: pixels, texts: book.sentences.map { tokenizer.encode($0, addSpecialTokens: true) },
            truth: rows.values, twins: twins)
    }

    func loadPixels(_ chosen: [Int], _ processor: ImageProcessor) throws -> [[Float]] {
        let rows = Slots<Result<[Float], any Error>>(count: chosen.count)
        Parallel.run(chosen.count) { i in
            rows[i] = Result { try processor.pixels(at: paths[chosen[i]]) }
        }
        return try rows.values.map { try $0.get() }
    }
}

/// Sentences numbered in the order of their first mention.
private struct SentenceBook {
    private(set) var sentences: [String] = []
    private var numbers: [String: Int] = [:]

    mutating func number(of sentence: String) -> Int {
        if let number = numbers[sentence] { return number }
        numbers[sentence] = sentences.count
        sentences.append(sentence)
        return sentences.count - 1
    }
}
