import Kernels

/// Keys and values of every layer for decoding, in slots.
package final class KeyValueCache: @unchecked Sendable {
    package final class Layer: @unchecked Sendable {
        /// Per head `[slots × D]`: one head's rows lie together, so that reading them is one stream.
        let keys: [Matrix]
        let values: [Matrix]
        private let storage: Buffer

        init(slots: Int, heads: Int, headWidth: Int) {
            let size = slots * headWidth
            let storage = Buffer(count: 2 * heads * size)
            func views(from first: Int) -> [Matrix] {
                (first..<first + heads).map {
                    Matrix(storage.base + $0 * size, rows: slots, columns: headWidth)
                }
            }
            (keys, values) = (views(from: 0), views(from: heads))
            self.storage = storage
        }

        /// Puts row i of k and v `[T × KV·D]` into slot `slots[i]`.
        func store(_ k: Matrix, _ v: Matrix, slots: [Int]) {
            Parallel.run(keys.count) { head in
                let width = keys[head].columns
                for (row, slot) in slots.enumerated() {
                    keys[head].row(slot).update(from: k.row(row) + head * width, count: width)
                    values[head].row(slot).update(from: v.row(row) + head * width, count: width)
                }
            }
        }
    }

    package let layers: [Layer]

    package init(_ model: Llama, slots: Int) {
        let config = model.config
        layers = model.layers.map { _ in
            Layer(slots: slots, heads: config.keyValueHeadCount, headWidth: config.headDim)
        }
    }

    /// Bytes that one slot takes over all layers.
    package static func bytesPerSlot(_ model: Llama) -> Int {
        model.layers.count * 2 * 4 * model.config.keyValueHeadCount * model.config.headDim
    }
}

/// Which slots are free. A span takes a run with room for the tokens it may still grow, so that it stays
/// contiguous; a pruned span gives its run back.
package struct FreeSlots: Sendable {
    /// In ascending order, never touching each other.
    private var runs: [Range<Int>]

    package init(_ slots: Range<Int>) { runs = slots.isEmpty ? [] : [slots] }

    /// The first free run of `count` slots, or nil when there is none.
    package mutating func take(_ count: Int) -> Range<Int>? {
        guard count > 0 else { return 0..<0 }
        guard let index = runs.firstIndex(where: { $0.count >= count }) else { return nil }
        let run = runs[index].lowerBound..<runs[index].lowerBound + count
        runs[index] = run.upperBound..<runs[index].upperBound
        if runs[index].isEmpty { runs.remove(at: index) }
        return run
    }

    package mutating func giveBack(_ run: Range<Int>) {
        guard !run.isEmpty else { return }
        let index = runs.firstIndex { $0.lowerBound >= run.upperBound } ?? runs.count
        runs.insert(run, at: index)
        if index + 1 < runs.count, runs[index].upperBound == runs[index + 1].lowerBound {
            runs[index] = runs[index].lowerBound..<runs.remove(at: index + 1).upperBound
        }
        if index > 0, runs[index - 1].upperBound == runs[index].lowerBound {
            runs[index - 1] = runs[index - 1].lowerBound..<runs.remove(at: index).upperBound
        }
    }
}
