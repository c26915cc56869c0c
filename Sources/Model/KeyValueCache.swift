import Kernels

/// Keys and values of every layer for decoding, in slots.
package final class KeyValueCache: @unchecked Sendable {
    package final class Layer: @unchecked Sendable {
        package let keys: Matrix
        package let values: Matrix
        private let storage: Buffer

        init(slots: Int, width: Int) {
            storage = Buffer(count: 2 * slots * width)
            keys = Matrix(storage.base, rows: slots, columns: width)
            values = Matrix(storage.base + slots * width, rows: slots, columns: width)
        }
    }

    package let layers: [Layer]

    package init(_ model: Llama, slots: Int) {
        let width = model.config.keyValueHeadCount * model.config.headDim
        layers = model.layers.map { _ in Layer(slots: slots, width: width) }
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
