import Kernels

/// Keys and values of every layer for decoding, in slots; rounded to bf16 where the decoder multiplies so.
package final class KeyValueCache: @unchecked Sendable {
    package final class Layer: @unchecked Sendable {
        /// Per head `[slots × D]`: one head's rows lie together, so that reading them is one stream.
        let keys: [StoredMatrix]
        let values: [StoredMatrix]
        private let storage: Buffer
        private let half: HalfFloat?
        private let headWidth: Int
        /// Elements of one head.
        private let size: Int

        init(slots: Int, heads: Int, headWidth: Int, half: HalfFloat?) {
            let size = slots * headWidth
            let bytes = half == nil ? 4 : 2
            let storage = Buffer(count: (2 * heads * size * bytes + 3) / 4)
            func views(from first: Int) -> [StoredMatrix] {
                (first..<first + heads).map {
                    StoredMatrix(
                        mapped: UnsafeRawBufferPointer(
                            start: UnsafeRawPointer(storage.base) + $0 * size * bytes, count: size * bytes),
                        as: half, rows: slots, columns: headWidth, owner: storage, isFile: false)
                }
            }
            (keys, values) = (views(from: 0), views(from: heads))
            (self.storage, self.half, self.headWidth, self.size) = (storage, half, headWidth, size)
        }

        /// Puts row i of k and v `[T × KV·D]` into slot `slots[i]`.
        func store(_ k: Matrix, _ v: Matrix, slots: [Int]) {
            let heads = keys.count
            Parallel.run(heads) { head in
                for (row, slot) in slots.enumerated() {
                    put(k.row(row) + head * headWidth, at: head * size + slot * headWidth)
                    put(v.row(row) + head * headWidth, at: (heads + head) * size + slot * headWidth)
                }
            }
        }

        private func put(_ floats: UnsafePointer<Float>, at place: Int) {
            guard let half else { return (storage.base + place).update(from: floats, count: headWidth) }
            half.narrow(
                UnsafeBufferPointer(start: floats, count: headWidth),
                into: UnsafeMutableRawPointer(storage.base) + 2 * place)
        }
    }

    package let layers: [Layer]

    package init(_ model: Llama, slots: Int) {
        let config = model.config
        layers = model.layers.map { _ in
            Layer(
                slots: slots, heads: config.keyValueHeadCount, headWidth: config.headDim,
                half: Self.half(model))
        }
    }

    private static func half(_ model: Llama) -> HalfFloat? { model.compute == .bf16 ? .bf16 : nil }

    /// Bytes that one slot takes over all layers.
    package static func bytesPerSlot(_ model: Llama) -> Int {
        let bytes = half(model) == nil ? 4 : 2
        return model.layers.count * 2 * bytes * model.config.keyValueHeadCount * model.config.headDim
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
