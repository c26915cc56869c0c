import Random

/// Which examples a step sees: a fresh shuffle each epoch, a function of the seed alone, so that a resumed run
/// sees what an uninterrupted one would.
package struct BatchOrder: Sendable {
    package let count: Int
    package let batch: Int
    package let seed: UInt64
    private var epoch = -1
    private var order: [Int] = []

    package init(count: Int, batch: Int, seed: UInt64) {
        precondition(count > 0 && batch > 0)
        (self.count, self.batch, self.seed) = (count, batch, seed)
    }

    package var stepsPerEpoch: Int { (count + batch - 1) / batch }

    /// Positions of the examples of `step`; the last batch of an epoch may be short.
    package mutating func examples(step: Int) -> [Int] {
        let wanted = step / stepsPerEpoch
        if wanted != epoch {
            var generator = SplitMix64(seed: seed, key: "epoch", index: UInt64(wanted))
            order = Array(0..<count).shuffled(using: &generator)
            epoch = wanted
        }
        let first = step % stepsPerEpoch * batch
        return Array(order[first..<min(count, first + batch)])
    }
}
