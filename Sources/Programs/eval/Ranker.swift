import Foundation
import Kernels
import Model

/// Finds which of a question's choices a model thinks likeliest as its whole answer: that whose tokens, the end token with
/// them, have the highest log-probability in the mean. A picture with all that is asked about it is one token forest, in
/// which beginnings are computed once.
final class Ranker {
    /// A question about a picture, as tokens.
    struct Question {
        /// What follows the common beginning.
        let tokens: [Int32]
        /// Each with its end token.
        let choices: [[Int32]]
    }

    private let model: VisionLanguageModel
    private let pictures: PictureCache
    private let arena = Arena()

    init(_ model: VisionLanguageModel, _ pictures: PictureCache) {
        (self.model, self.pictures) = (model, pictures)
    }

    /// - Parameters:
    ///   - root: the common beginning, with the picture's rows.
    ///   - path: of the picture.
    /// - Returns: per question the index of the likeliest choice, of equal ones the first.
    /// - Throws: `ImageError`.
    func likeliest(_ questions: [Question], after root: [Int32], picture path: String) throws -> [Int] {
        let picture = try pictures.picture(at: path)
        var forest = TokenForest()
        let start = forest.add(root, grid: picture?.grid)
        let labels = questions.map { question in
            let asked = forest.add(question.tokens, parent: start)
            return question.choices.map { forest.add($0, parent: asked) }
        }.map { spans in spans.map { forest.labels(of: $0) } }
        arena.reset()
        let all = labels.flatMap { $0.flatMap { $0 } }
        var values = model.decoder.logProbabilities(of: all, in: forest, picture: picture, arena)[...]
        return labels.map { choices in
            let means = choices.map { labels in
                let own = values.prefix(labels.count)
                values = values.dropFirst(labels.count)
                return own.reduce(0) { $0 + Double($1) } / Double(own.count)
            }
            return means.indices.reduce(0) { means[$1] > means[$0] ? $1 : $0 }
        }
    }
}
