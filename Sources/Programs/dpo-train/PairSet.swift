import Files
import Foundation
import Kernels
import Model
import ModelOptions
import Random
import Records
import StageKit
import Training

/// The pairs of a run as tokens, with their pictures and reference log-probabilities.
final class PairSet {
    struct Pair {
        let id: String
        let record: Record
        let image: String?
        let prompt: [Int32]
        let chosen: [Int32]
        let rejected: [Int32]
        /// nil where every token counts the same.
        let weights: PairTokens?

        /// - Parameter gamma: times the weights of the record's spans.
        /// - Throws: `RecordError`, `ImagePathError`, `ImageError` or `PromptError`, all about this record.
        init(
            _ input: InputRecord, _ model: VisionLanguageModel, _ images: ImageOptions, gamma: Double
        ) throws {
            let pair = try PreferencePair(input.record)
            id = input.id
            record = input.record
            image = try pair.image.map { try images.resolve($0) }
            let encoded = try model.encode(
                prompt: pair.prompt, history: pair.history.texts,
                picture: try image.map { try model.shape(at: $0) },
                answers: [pair.chosen, pair.rejected])
            // What breaks off has no end to learn.
            let answers = encoded.answers.map { pair.isPartial ? $0.dropLast() : $0 }
            (prompt, chosen, rejected) = (encoded.prompt, answers[0], answers[1])
            guard let spans = pair.weights else {
                weights = nil
                return
            }
            let both = zip(answers, [spans.chosen, spans.rejected]).map { answer, spans in
                Self.weights(spans, model.bytes(of: answer, after: encoded.prompt), gamma)
            }
            weights =
                both.allSatisfy { $0.allSatisfy { $0 == 1 } }
                ? nil : PairTokens(chosen: both[0], rejected: both[1])
        }

        /// Of each token, by the span that it overlaps; the end token stands for no text and counts once.
        private static func weights(
            _ spans: [PreferencePair.WeightedSpan], _ tokens: [Range<Int>], _ gamma: Double
        ) -> [Double] {
            tokens.map { bytes in
                spans.first { $0.begin < bytes.upperBound && bytes.lowerBound < $0.end }
                    .map { $0.weight * gamma } ?? 1
            }
        }
    }

    let examples: [Pair]
    /// Of the features that are kept of their pictures.
    let pictureBytes: Int
    private let pictures: PictureCache
    /// Whether an unweighted pair's score is its summed log-probability, as records keep it.
    private let scoresAreSums: Bool
    /// Of each pair; none before `findReference`.
    private var reference: [PairScores] = []

    init(_ examples: [Pair], _ model: VisionLanguageModel, featureMemory: Int, scoresAreSums: Bool) {
        (self.examples, self.scoresAreSums) = (examples, scoresAreSums)
        pictureBytes = model.pictureBytes(examples.map { ($0.image, $0.prompt) }, atMost: featureMemory)
        pictures = PictureCache(model, memory: featureMemory)
    }

    /// Tokens of each pair in a pass.
    var lengths: [Int] { examples.map { $0.prompt.count + $0.chosen.count + $0.rejected.count } }

    /// The pairs at `indices`, ready for the engine.
    func examples(_ indices: [Int]) throws -> [PreferenceExample] {
        let shown = try pictures.pictures(at: indices.map { examples[$0].image })
        return zip(indices, shown).map { index, picture in
            let pair = examples[index]
            var example = PreferenceExample(
                id: pair.id, prompt: pair.prompt, picture: picture, chosen: pair.chosen,
                rejected: pair.rejected, weights: pair.weights)
            if !reference.isEmpty { example.reference = reference[index] }
            return example
        }
    }

    /// Scores every pair under the reference: by what the record brings for this model, else computed. The records
    /// with their `ref_logps` are left in `folder`, where a resumed run finds them.
    func findReference(
        _ trainer: GroupTrainer<PreferenceLoss>, digest: String, folder: URL, _ run: StageRun
    ) throws {
        let kept = folder.appendingPathComponent("pairs.jsonl")
        let records = try stored(kept) ?? examples.map(\.record)
        let areSums = examples.map { scoresAreSums && $0.weights == nil }
        let known = try zip(records, areSums).map { record, isSum in
            isSum ? try PreferencePair(record).referenceLogProbabilities[digest] : nil
        }
        var result: [PairScores] = []
        let progress = run.progress(total: examples.count, unit: "reference pairs")
        for start in stride(from: 0, to: examples.count, by: 32) {
            let range = start..<min(examples.count, start + 32)
            let missing = range.filter { known[$0] == nil }
            var fresh = trainer.referenceScores(try examples(missing))[...]
            for index in range {
                result.append(
                    known[index].map { PairScores(chosen: $0.chosen, rejected: $0.rejected) }
                        ?? fresh.removeFirst())
            }
            progress.advance(by: range.count)
        }
        progress.finish()
        try write(zip(result, areSums).map { $1 ? $0 : nil }, records, digest, to: kept)
        reference = result
    }

    private func stored(_ url: URL) throws -> [Record]? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        let records = try Data(contentsOf: url).split(separator: UInt8(ascii: "\n")).map {
            try Record(parsing: ArraySlice($0))
        }
        let ids = try records.map { try $0.requiredID() }
        return ids == examples.map(\.id) ? records : nil
    }

    private func write(
        _ reference: [PairScores?], _ records: [Record], _ digest: String, to url: URL
    ) throws {
        var bytes: [UInt8] = []
        for (record, logs) in zip(records, reference) {
            var record = record
            if let logs {
                var pair = try PreferencePair(record)
                pair.referenceLogProbabilities[digest] = .init(chosen: logs.chosen, rejected: logs.rejected)
                try pair.write(into: &record)
            }
            bytes += record.bytes + [UInt8(ascii: "\n")]
        }
        try AtomicFile.write(bytes, to: url.path)
    }

    func dump(_ model: VisionLanguageModel, _ console: Console) {
        let dump = TokenDump(model)
        for pair in examples { console.say(dump.text(of: pair.prompt, learned: pair.chosen, id: pair.id)) }
    }
}
