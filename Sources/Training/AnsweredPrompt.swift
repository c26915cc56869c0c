import Kernels
import Model

/// A prompt with answers to it as tokens. The answers are children of the prompt, which is computed once.
protocol AnsweredPrompt {
    /// −1 − i stands for row i of `picture`.
    var prompt: [Int32] { get }
    var picture: Picture? { get }
    var answers: [[Int32]] { get }
}

/// Consecutive examples for one forward pass each: as many as have `rowLimit` rows together, at least one.
func passes(_ examples: [some AnsweredPrompt], _ rowLimit: Int) -> [Range<Int>] {
    var ranges: [Range<Int>] = []
    var (first, rows) = (0, 0)
    for (index, example) in examples.enumerated() {
        let count = example.answers.reduce(example.prompt.count) { $0 + $1.count }
        if index > first, rows + count > rowLimit {
            ranges.append(first..<index)
            (first, rows) = (index, 0)
        }
        rows += count
    }
    if first < examples.count { ranges.append(first..<examples.count) }
    return ranges
}

/// The examples as one forest, with the rows of their pictures.
/// - Returns: `answers`, the spans of all answers in order.
func answerForest(
    _ examples: ArraySlice<some AnsweredPrompt>, _ arena: Arena
) -> (forest: TokenForest, features: Matrix?, answers: [Int]) {
    var pictures = PictureRows()
    var forest = TokenForest()
    var answers: [Int] = []
    for example in examples {
        let root = forest.add(pictures.add(example.picture, example.prompt))
        for answer in example.answers { answers.append(forest.add(answer, parent: root)) }
    }
    return (forest, pictures.matrix(arena), answers)
}
