import Imaging
import Kernels
import Model

/// A prompt with answers to it as tokens. The answers are children of the prompt, which is computed once.
package protocol AnswerGroup: Sendable {
    var id: String { get }
    /// −1 − i stands for row i of the picture.
    var prompt: [Int32] { get }
    /// The picture where tower and projector are frozen.
    var picture: Picture? { get }
    /// The picture where they may be trained: planar `[3, H, W]`.
    var pixels: TowerInput? { get }
    var answers: [[Int32]] { get }
    /// How many of the first tokens of answer `answer` are given, as a question that belongs to it alone.
    func given(_ answer: Int) -> Int
}

extension AnswerGroup {
    package var picture: Picture? { nil }
    package var pixels: TowerInput? { nil }
    package func given(_ answer: Int) -> Int { 0 }
}

/// What a model says of a group, by answer: log p of each token that isn't given, or under a head the score at the
/// last token alone.
package typealias Reading = [[Double]]

/// Which tokens give an answer its log-probabilities.
package enum AnswerTokens: String, Sendable, CaseIterable {
    /// Its own.
    case label
    /// At each of its places the likeliest other one, under policy and reference each by itself: what SIMA's
    /// released trainer computes for rejected answers where its paper has plain DPO.
    case topAlternative = "top-alternative"
}

/// A loss over groups of answers, as a function of what a model says of them.
package protocol Objective: Sendable {
    /// Answers with what the loss knows of them besides: who is preferred, scores under the reference, rewards.
    associatedtype Group: AnswerGroup

    /// Whether the slopes of a group depend on what is said of the others of its batch. A batch that takes several
    /// passes is then read once more, before them.
    var isOverBatch: Bool { get }
    func tokens(ofAnswer answer: Int) -> AnswerTokens
    /// dLoss/dvalue of every value of the groups at `range`, for the loss of the whole batch.
    /// - Parameter read: of the batch's groups up to the end of `range`; of all where `isOverBatch`.
    func slopes(of range: Range<Int>, in batch: [Group], _ read: [Reading]) -> [Reading]
    /// The loss, first, and what tells how it goes, under TRL's names.
    func metrics(_ batch: [Group], _ read: [Reading]) -> Metrics
}

extension Objective {
    package var isOverBatch: Bool { false }
    package func tokens(ofAnswer answer: Int) -> AnswerTokens { .label }
}
