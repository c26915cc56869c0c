import JSON
import ModelOptions
import Records
import Relevance
import Rewards
import StageKit

/// From a batch of records to the same records with scores. What is wrong with one doesn't touch the others.
struct Scoring {
    struct Work {
        let prompt: Prompt
        var sample: Sample
        /// The file of the record's own image and the picture that its reward looks at, where a model wants to
        /// see it.
        let ownImage: String?
        let image: PictureFile?
        let seen: RewardView.Seen
        /// What the filter took out, by rule.
        let dropped: [String: Int]
    }

    let scorer: SentenceScorer
    let relevance: OpenRelevance?
    let rescorer: Rescorer?
    let images: ImageOptions
    let view: RewardView
    let filter: SentenceFilter?

    func score(_ batch: [InputRecord]) -> [RecordResult] {
        let works = batch.map { input in
            Result {
                var work = try read(input)
                if let rescorer { try rescorer.rescore(&work.sample, of: work.prompt, image: work.ownImage) }
                return work
            }
        }
        let readable = works.compactMap { try? $0.get() }
        var scored = scorer.score(readable.map { ($0.sample, $0.image) })[...]
        return zip(batch, works).map { input, work in
            do {
                let work = try work.get()
                let record = try write(scored.removeFirst().get(), seen: work.seen, into: input.record)
                return .records([record], dropped: work.dropped)
            } catch { return .bad(error) }
        }
    }

    /// - Throws: `RecordError`, `StageError`, all about this record.
    func read(_ input: InputRecord) throws -> Work {
        let prompt = try Prompt(input.record)
        var sample = try Sample(input.record)
        for (index, candidate) in sample.candidates.enumerated()
        where candidate.path.isEmpty && candidate.hasWords {
            throw RecordError.invalid(
                key: "candidates[\(index)].path", found: "empty",
                remedy: "an answer is scored by its sentences; let sample draw it")
        }
        if relevance != nil { _ = try input.record.required("image", prompt.image) }
        let dropped = filter.map { sample.remove(by: $0) } ?? [:]
        let seen = try view.seen(input)
        return Work(
            prompt: prompt, sample: sample,
            ownImage: try rescorer == nil ? nil : prompt.image.map { try images.resolve($0) },
            image: try relevance == nil ? nil : seen.picture(images),
            seen: seen, dropped: dropped)
    }

    private func write(_ sample: Sample, seen: RewardView.Seen, into record: Record) throws -> Record {
        var record = record
        try sample.write(into: &record)
        if relevance != nil { seen.note(in: &record) }
        let rule = scorer.calibration
        var note = try record.object("calibration") ?? JSONObject()
        note.set("mode", .string(rule.mode.rawValue))
        note.set("lambda", try .double(rule.lambda))
        note.set("path_rule", .string(rule.pathRule.rawValue))
        note.set("among", .string(rule.peers.rawValue))
        note.set("likelihood", .string(rule.likelihood.rawValue))
        if let filter { note.set("filter", .array(filter.rules.map { .string($0.description) })) }
        // Without the model the relevance is an earlier run's, and so is what is said of it here.
        relevance?.note(in: &note)
        if let rescorer { note.set("rescored_by", .string(rescorer.digest)) }
        record.set("calibration", .object(note))
        return record
    }
}
