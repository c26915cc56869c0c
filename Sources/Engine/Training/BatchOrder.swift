import Random

/// A fresh shuffle of all examples each epoch, a function of seed and step alone.
package struct BatchOrder: ExampleOrder, Sendable {
    package let count: Int
    package let batch: Int
    package let seed: UInt64
    private var epoch = -1
    private var order: [Int] = []

    package init(count: Int, batch: Int, seed: UInt64) {
        precondition(count > 0 && batch > 0)
        self.count = count
        self.batch = batch
        self.seed = seed
    }

    package var stepsPerEpoch: Int { (count + batch - 1) / batch }

    /// The last batch of an epoch may be short.
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
