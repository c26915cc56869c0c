/// Several sets mixed by weights: of every so many examples a set gives its share, the largest debt first, each set
/// in fresh shuffles of its own. A function of seed and step alone, as `BatchOrder`.
package struct MixedOrder: ExampleOrder, Sendable {
    private let weights: [Double]
    /// Where each set begins among all examples.
    private let starts: [Int]
    private let batch: Int
    private var orders: [BatchOrder]
    /// Examples that each set has given, up to `nextStep`.
    private var given: [Int]
    private var nextStep = 0

    /// - Parameters:
    ///   - counts: examples of each set, which lie one after the other.
    ///   - weights: one for each set, above 0.
    package init(counts: [Int], weights: [Double], batch: Int, seed: UInt64) {
        precondition(counts.count == weights.count && counts.allSatisfy { $0 > 0 })
        self.weights = weights.map { $0 / weights.reduce(0, +) }
        self.batch = batch
        starts = counts.indices.map { counts[..<$0].reduce(0, +) }
        orders = counts.enumerated().map { BatchOrder(count: $1, batch: 1, seed: seed &+ UInt64($0)) }
        given = counts.map { _ in 0 }
    }

    package mutating func examples(step: Int) -> [Int] {
        if step < nextStep { (nextStep, given) = (0, given.map { _ in 0 }) }
        while nextStep < step { _ = next() }
        return next()
    }

    private mutating func next() -> [Int] {
        nextStep += 1
        return (0..<batch).map { _ in
            let number = Double(given.reduce(1, +))
            func debt(_ set: Int) -> Double { weights[set] * number - Double(given[set]) }
            let set = weights.indices.max { debt($0) < debt($1) } ?? 0
            defer { given[set] += 1 }
            return starts[set] + orders[set].examples(step: given[set])[0]
        }
    }
}
