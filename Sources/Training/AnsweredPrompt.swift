import Kernels
import Model

/// A prompt with answers to it as tokens. The answers are children of the prompt, which is computed once.
protocol AnsweredPrompt {
    /// −1 − i stands for row i of `features`.
    var prompt: [Int32] { get }
    /// The picture's projected patches `[tokensPerImage × C]`.
    var features: Buffer? { get }
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

/// The examples as one forest, with their pictures' features `[patches × C]` one after the other.
/// - Returns: `answers`, the spans of all answers in order.
func answerForest(
    _ examples: ArraySlice<some AnsweredPrompt>, width: Int, _ arena: Arena
) -> (forest: TokenForest, features: Matrix, answers: [Int]) {
    let features = arena.matrix(examples.reduce(0) { $0 + ($1.features?.count ?? 0) } / width, width)
    var forest = TokenForest()
    var answers: [Int] = []
    var firstFeature = 0
    for example in examples {
        let root = forest.add(example.prompt.map { $0 < 0 ? $0 - Int32(firstFeature) : $0 })
        if let picture = example.features {
            let count = picture.count / width
            features.rows(firstFeature..<firstFeature + count)
                .copy(from: picture.matrix(rows: count, columns: width))
            firstFeature += count
        }
        for answer in example.answers { answers.append(forest.add(answer, parent: root)) }
    }
    return (forest, features, answers)
}
