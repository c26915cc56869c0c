import Foundation
import Kernels
import Model
import ModelOptions
import Random
import Records
import RewardModels
import StageKit
import Training

/// The comparisons of a run as tokens, with their pictures.
final class Comparisons {
    struct Comparison {
        let id: String
        /// The file of the record's own picture, by which comparisons are held out.
        let about: String?
        /// That of the picture that is looked at.
        let image: String?
        let hasFacts: Bool
        let conversation: Grader.Conversation

        /// The picture by its name without its folder, which may have moved: what was learned of one comparison would
        /// help with another of the same picture.
        var holdOutKey: String { about.map { URL(fileURLWithPath: $0).lastPathComponent } ?? id }

        /// - Throws: `RecordError`, `ImagePathError`, `ImageError`, `NoOtherPicture` or `PromptError`, all about this record.
        init(
            _ input: InputRecord, _ grader: Grader, _ images: ImageOptions, _ view: RewardView, epochs: Int,
            seed: UInt64
        ) throws {
            let pair = try PreferencePair(input.record)
            try pair.requireWholeAnswers(
                remedy: "reward models grade whole answers; make the pairs without --unit sentence")
            let prompt = try view.seen(input).prompt
            id = input.id
            about = try pair.image.map { try images.resolve($0) }
            image = try prompt.image.map { try images.resolve($0) }
            hasFacts = !prompt.facts.isEmpty
            conversation = try grader.conversation(
                about: prompt, answers: [pair.chosen, pair.rejected],
                picture: try image.map { try grader.model.shape(at: $0) }, orders: epochs,
                seed: seed)
        }
    }

    let all: [Comparison]
    /// Of the features that are kept of their pictures.
    let pictureBytes: Int
    private let pictures: PictureCache

    init(_ all: [Comparison], _ model: VisionLanguageModel, featureMemory: Int) {
        self.all = all
        pictureBytes = model.pictureBytes(
            all.map { ($0.image, $0.conversation.prompt) }, atMost: featureMemory)
        pictures = PictureCache(model, memory: featureMemory)
    }

    /// Tokens of each comparison in a pass.
    var lengths: [Int] {
        all.map { $0.conversation.prompt.count + $0.conversation.graded().reduce(0) { $0 + $1.count } }
    }

    /// The comparisons at `indices` as they are read in epoch `epoch`.
    func examples(_ indices: [Int], epoch: Int = 0) throws -> [GradedExample] {
        let some = indices.map { all[$0] }
        return zip(some, try pictures.pictures(at: some.map(\.image))).map { comparison, picture in
            GradedExample(
                id: comparison.id, prompt: comparison.conversation.prompt, picture: picture,
                answers: comparison.conversation.graded(order: epoch))
        }
    }

    func dump(_ model: VisionLanguageModel, _ console: Console) {
        let dump = TokenDump(model)
        for comparison in all {
            let read = comparison.conversation
            console.say(dump.text(of: read.prompt + read.graded()[0], id: comparison.id))
        }
    }
}
