import ArgumentParser
import Foundation
import Kernels
import Model
import Random
import Records
import Relevance
import StageKit

/// The option of programs whose rewards look at a picture.
package struct RewardPictureOptions: ParsableArguments {
    package enum Choice: String, ExpressibleByArgument, CaseIterable { case own, other }

    @Option(
        help: """
            Picture that rewards look at: the record's own or, as a control, that of another record of the \
            same scene context, chosen by seed and id.
            """)
    package var picture = Choice.own

    package init() {}

    /// For programs in which nothing else is drawn.
    package func refuseIdle(_ given: GivenOptions) throws {
        try given.refuse(["seed"], where: picture == .own, belongingTo: "--picture other")
    }

    /// - Parameter input: all of it is drawn from, whatever the shard.
    /// - Throws: `StageError` (usage) for other pictures of a stream: they must be known before its first record
    ///   is rewarded, and a stream can't be read twice.
    package func view(of input: InputOptions, seed: UInt64, _ run: StageRun) throws -> RewardView {
        guard picture == .other else { return .own }
        guard input.isRereadable else {
            throw StageError.usage(
                "--picture other: draws from the whole input, and a stream can't be read twice; "
                    + "name files as input")
        }
        var whole = input
        whole.shard = nil
        var all: [OtherPictures.Entry] = []
        try run.survey(whole) { input in
            // A bad record is met again in the run proper and reported there.
            if let entry = try? OtherPictures.Entry(input.record) { all.append(entry) }
        }
        return RewardView(others: OtherPictures(all, seed: seed))
    }
}

/// What rewards see of records.
package struct RewardView: Sendable {
    /// Every record with its own picture.
    package static let own = RewardView(others: nil)

    private let others: OtherPictures?

    package init(others: OtherPictures?) { self.others = others }

    /// One record as a reward sees it.
    package struct Seen: Sendable {
        /// The record's own question; image, reference, facts and answer are those of the picture looked at.
        package let prompt: Prompt
        /// The record whose picture it is, where that is another.
        package let other: String?

        /// What there is to look at, with the id of the record whose picture it is.
        ///
        /// - Throws: `ImagePathError`, `ImageError`, `StageError` as `ImageOptions.resolve`.
        package func picture(_ images: ImageOptions) throws -> PictureFile? {
            try prompt.image.map { PictureFile(try images.resolve($0), id: other ?? prompt.id) }
        }

        /// Says in the record on whose picture its rewards were computed.
        package func note(in record: inout Record) {
            record.set("reward_picture", other.map { .string($0) })
        }
    }

    /// - Throws: `RecordError`, `NoOtherPicture`, both about this record.
    package func seen(_ input: InputRecord) throws -> Seen {
        guard let others else { return Seen(prompt: try Prompt(input.record), other: nil) }
        let own = try OtherPictures.Entry(input.record)
        let other = try others.other(than: own)
        var prompt = own.prompt
        // All that is known of a picture comes with it: a reference of the own one would give it away.
        (prompt.image, prompt.reference) = (other.image, other.reference)
        (prompt.facts, prompt.answer) = (other.facts, other.answer)
        return Seen(prompt: prompt, other: other.id)
    }
}

/// The pictures that may stand in for a record's own: those of the other records of its scene's context, or, for
/// a record without a scene, of the others without.
package struct OtherPictures: Sendable {
    package struct Entry: Sendable {
        package let prompt: Prompt
        /// nil where no scene comes with the record, or one that isn't of the picture world.
        package let context: String?

        /// - Throws: `RecordError`, also where there is no image.
        package init(_ record: Record) throws {
            prompt = try Prompt(record)
            _ = try record.required("image", prompt.image)
            context = (try? record.object("scene"))?.flatMap { try? $0.string("context") }
        }
    }

    private let pools: [String?: [Prompt]]
    private let seed: UInt64

    /// - Parameter entries: in any order.
    package init(_ entries: [Entry], seed: UInt64) {
        self.seed = seed
        pools = Dictionary(grouping: entries, by: \.context).mapValues { entries in
            entries.map(\.prompt).sorted { $0.id.utf8.lexicographicallyPrecedes($1.id.utf8) }
        }
    }

    /// A function of the seed, the record's id and the sorted ids of its context.
    ///
    /// - Throws: `NoOtherPicture` where all of them show the record's own.
    package func other(than own: Entry) throws -> Prompt {
        let pool = pools[own.context] ?? []
        // "./a.png" is "a.png".
        func path(_ prompt: Prompt) -> String {
            URL(fileURLWithPath: prompt.image ?? "").standardizedFileURL.path
        }
        let image = path(own.prompt)
        func isOther(_ prompt: Prompt) -> Bool { !path(prompt).utf8.elementsEqual(image.utf8) }
        guard pool.contains(where: isOther) else {
            throw NoOtherPicture(id: own.prompt.id, context: own.context)
        }
        var generator = SplitMix64(seed: seed, key: own.prompt.id)
        while true {
            let index = generator.next().multipliedFullWidth(by: UInt64(pool.count)).high
            if isOther(pool[Int(index)]) { return pool[Int(index)] }
        }
    }
}

/// A record that no other picture can stand in for.
package struct NoOtherPicture: Error, CustomStringConvertible {
    let id: String
    let context: String?

    package var description: String {
        "--picture other: no other picture \(context.map { "of the context \"\($0)\"" } ?? "without a scene") "
            + "for \"\(id)\"; give records of two pictures of each, or leave it out"
    }
}
