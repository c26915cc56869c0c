import Foundation
import Kernels

/// Attention over segments: causal or not, with and without ancestors, grouped heads, spans of one row.
enum AttentionCases {
    private struct Layout: Sendable {
        let name: String
        let rows: Int
        let slots: Int
        let shape: AttentionShape
        let segments: [AttentionSegment]
    }

    /// A root of 5, children of 1, 3 and 6, a grandchild of 4 under the last, with slots as rows.
    private static let tree = [
        AttentionSegment(queries: 0..<5, own: 0..<5),
        AttentionSegment(queries: 5..<6, shared: [0..<5], own: 5..<6),
        AttentionSegment(queries: 6..<9, shared: [0..<5], own: 6..<9),
        AttentionSegment(queries: 9..<15, shared: [0..<5], own: 9..<15),
        AttentionSegment(queries: 15..<19, shared: [0..<5, 9..<15], own: 15..<19),
    ]

    /// As decoding has it: queries are the last tokens of longer spans, slots lie elsewhere.
    private static let decoding = [
        AttentionSegment(queries: 0..<1, shared: [3..<8], own: 10..<14),
        AttentionSegment(queries: 1..<3, shared: [3..<8, 20..<22], own: 14..<19),
        AttentionSegment(queries: 3..<9, shared: [], own: 22..<31),
    ]

    /// Many keys, more than one block of the kernel for short spans, which takes siblings together.
    private static let siblings = [
        AttentionSegment(queries: 0..<1, shared: [2..<39], own: 39..<58),
        AttentionSegment(queries: 1..<3, shared: [2..<39], own: 58..<61),
        AttentionSegment(queries: 3..<4, shared: [2..<39], own: 61..<62),
    ]

    private static let layouts: [Layout] = {
        // Vectors in fours, one by one, and what is left.
        let wide = AttentionShape(heads: 2, keyValueHeads: 1, headWidth: 64 + 16 + 3, compute: .f32)
        let shapes = [(4, 2, 5), (3, 3, 8), (4, 1, 3)].map {
            AttentionShape(heads: $0.0, keyValueHeads: $0.1, headWidth: $0.2, compute: .f32)
        }
        return shapes.flatMap { shape -> [Layout] in
            let name = "\(shape.heads) over \(shape.keyValueHeads) heads"
            let whole = tree.prefix(1) + [AttentionSegment(queries: 5..<12, own: 5..<12, causal: false)]
            return [
                Layout(name: "tree, \(name)", rows: 19, slots: 19, shape: shape, segments: tree),
                Layout(name: "decoding, \(name)", rows: 9, slots: 31, shape: shape, segments: decoding),
                Layout(
                    name: "one causal, one not, \(name)", rows: 12, slots: 12, shape: shape,
                    segments: Array(whole)),
            ]
        } + [Layout(name: "siblings with wide heads", rows: 4, slots: 62, shape: wide, segments: siblings)]
    }()

    static let all: [GradientCase] = layouts.map { layout in
        let shape = layout.shape
        let width = shape.heads * shape.headWidth
        let keyWidth = shape.keyValueHeads * shape.headWidth
        return GradientCase(
            name: "attention, \(layout.name)",
            inputs: [(layout.rows, width), (layout.slots, keyWidth), (layout.slots, keyWidth)],
            output: (layout.rows, width),
            definition: { define(layout, $0[0], $0[1], $0[2]) },
            forward: { inputs, y in
                attention(inputs[0], inputs[1], inputs[2], layout.segments, shape, into: y, logSumExp: nil)
            },
            backward: { inputs, y, dy, gradients in
                withExtendedLifetime(Buffer(count: layout.rows * shape.heads)) { buffer in
                    let logSumExp = buffer.matrix(rows: layout.rows, columns: shape.heads)
                    attention(
                        inputs[0], inputs[1], inputs[2], layout.segments, shape, into: y,
                        logSumExp: logSumExp)
                    attentionBackward(
                        inputs[0], inputs[1], inputs[2], layout.segments, shape, out: y,
                        logSumExp: logSumExp, dOut: dy, dq: gradients[0], dk: gradients[1],
                        dv: gradients[2])
                }
            })
    }

    /// softmax(q·kᵀ/√D)·v, query by query and head by head.
    private static func define(_ layout: Layout, _ q: [Double], _ k: [Double], _ v: [Double]) -> [Double] {
        let (heads, depth) = (layout.shape.heads, layout.shape.headWidth)
        let keyWidth = layout.shape.keyValueHeads * depth
        var out = [Double](repeating: 0, count: layout.rows * heads * depth)
        for segment in layout.segments {
            for (index, query) in segment.queries.enumerated() {
                let hidden = segment.causal ? segment.queries.count - 1 - index : 0
                let slots = segment.shared.flatMap { Array($0) } + Array(segment.own.dropLast(hidden))
                for head in 0..<heads {
                    let at = (query * heads + head) * depth
                    let group = head * layout.shape.keyValueHeads / heads * depth
                    let weights = slots.map { slot in
                        exp(
                            (0..<depth).reduce(0) { $0 + q[at + $1] * k[slot * keyWidth + group + $1] }
                                / Double(depth).squareRoot())
                    }
                    let total = weights.reduce(0, +)
                    for (slot, weight) in zip(slots, weights) {
                        for i in 0..<depth { out[at + i] += weight / total * v[slot * keyWidth + group + i] }
                    }
                }
            }
        }
        return out
    }
}
