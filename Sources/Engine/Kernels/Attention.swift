import CKernels
import Foundation

/// Scaled dot-product attention over a forest of spans.
///
/// Queries are rows of one matrix, keys and values rows ("slots") of another; a `Segment` says which slots
/// its query rows see. Heads lie side by side in a row: q `[T × H·D]`, k and v `[S × KV·D]`, with H a
/// multiple of KV (grouped-query attention, Ainslie et al. 2023).
package struct AttentionSegment: Sendable {
    /// The query rows of one span, in order.
    package var queries: Range<Int>
    /// Slots that every query row sees: the ancestors, root first.
    package var shared: [Range<Int>]
    /// Slots of the span itself. With `causal`, query row i sees all of them but the last
    /// `queries.count - 1 - i`; otherwise every row sees all.
    package var own: Range<Int>
    package var causal: Bool

    package init(queries: Range<Int>, shared: [Range<Int>] = [], own: Range<Int>, causal: Bool = true) {
        self.queries = queries
        self.shared = shared
        self.own = own
        self.causal = causal
    }

    var ranges: [Range<Int>] { shared + [own] }
    var keyCount: Int { shared.reduce(own.count) { $0 + $1.count } }

    /// Visible keys of query row `i` of the segment, counted along `ranges`.
    func visible(_ i: Int) -> Int { causal ? keyCount - (queries.count - 1 - i) : keyCount }
}

package struct AttentionShape: Sendable {
    package let heads: Int
    package let keyValueHeads: Int
    package let headWidth: Int
    /// Of the products of segments with more than a few rows.
    let compute: Compute

    package init(heads: Int, keyValueHeads: Int, headWidth: Int, compute: Compute) {
        self.heads = heads
        self.keyValueHeads = keyValueHeads
        self.headWidth = headWidth
        self.compute = compute
    }

    var scale: Float { 1 / Float(headWidth).squareRoot() }
    func columns(_ head: Int) -> Range<Int> { head * headWidth..<(head + 1) * headWidth }

    /// Keys or values `[S × KV·D]` as one matrix `[S × D]` per head.
    func split(_ x: Matrix) -> [StoredMatrix] {
        (0..<keyValueHeads).map { StoredMatrix(x.columns(columns($0))) }
    }

    func keyValueHead(of head: Int) -> Int { head / (heads / keyValueHeads) }
}

/// out `[T × H·D]` = softmax(q·kᵀ/√D) · v; `logSumExp` `[T × H]`, kept for the backward pass.
/// Each segment is computed by itself, so its result does not depend on the others.
package func attention(
    _ q: Matrix, _ k: Matrix, _ v: Matrix, _ segments: [AttentionSegment], _ shape: AttentionShape,
    into out: Matrix, logSumExp: Matrix?
) {
    attention(q, shape.split(k), shape.split(v), segments, shape, into: out, logSumExp: logSumExp)
}

/// The same with keys and values in one matrix `[S × D]` per key/value head, of floats or bf16.
package func attention(
    _ q: Matrix, _ k: [StoredMatrix], _ v: [StoredMatrix], _ segments: [AttentionSegment],
    _ shape: AttentionShape,
    into out: Matrix, logSumExp: Matrix?
) {
    let groups = siblings(segments)
    // All heads of a group in one task where there are plenty of groups: what they share is then laid out once.
    let headsPerTask = groups.count < 4 * Parallel.threads ? 1 : shape.heads
    let parts = shape.heads / headsPerTask
    Parallel.run(groups.count * parts) { task in
        let group = segments[groups[task / parts]]
        let heads = task % parts * headsPerTask..<(task % parts + 1) * headsPerTask
        let short = isShort(group.first!) ? ShortRows(group) : nil
        let rows = group.first!.queries.lowerBound..<group.last!.queries.upperBound
        for head in heads {
            let (kh, vh) = (k[shape.keyValueHead(of: head)], v[shape.keyValueHead(of: head)])
            let qh = q.rows(rows).columns(shape.columns(head))
            let oh = out.rows(rows).columns(shape.columns(head))
            let sums = logSumExp?.rows(rows).columns(head..<head + 1)
            if let short {
                short.attend(qh, kh, vh, shape.scale, into: oh, logSumExp: sums)
            } else {
                withFloats(group.first!, kh, vh) { segment, kh, vh in
                    for block in segment.blocks {
                        let own =
                            block.queries.lowerBound - rows.lowerBound..<block.queries.upperBound
                            - rows.lowerBound
                        attendBlock(
                            block, qh.rows(own), kh, vh, shape, into: oh.rows(own),
                            logSumExp: sums?.rows(own))
                    }
                }
            }
        }
    }
}

/// Few enough query rows that a call of the matrix library costs more than it saves. A span's own length
/// decides, so a record keeps its kernel.
private func isShort(_ segment: AttentionSegment) -> Bool { segment.queries.count < 4 }

/// Neighbouring short segments below the same ancestors, whose keys are then read once for all of them. Groups
/// are kept small, so that there are enough for all threads.
private func siblings(_ segments: [AttentionSegment]) -> [Range<Int>] {
    var groups: [Range<Int>] = []
    for (index, segment) in segments.enumerated() {
        if let group = groups.last, group.count < 16, isShort(segment), !segment.shared.isEmpty,
            isShort(segments[index - 1]), segments[index - 1].shared == segment.shared,
            segments[index - 1].queries.upperBound == segment.queries.lowerBound
        {
            groups[groups.count - 1] = group.lowerBound..<index + 1
        } else {
            groups.append(index..<index + 1)
        }
    }
    return groups
}

/// The rows of short segments with the same ancestors, and the keys they see.
private struct ShortRows {
    private let first: [Int]
    private let count: [Int]
    private let ownFirst: [Int]
    private let ownCount: [Int]
    private let keys: Int

    init(_ segments: ArraySlice<AttentionSegment>) {
        let shared = segments.first!.shared.filter { !$0.isEmpty }
        first = shared.map(\.lowerBound)
        count = shared.map(\.count)
        ownFirst = segments.flatMap { Array(repeating: $0.own.lowerBound, count: $0.queries.count) }
        ownCount = segments.flatMap { segment in
            segment.queries.map { row in
                segment.own.count - (segment.causal ? segment.queries.upperBound - 1 - row : 0)
            }
        }
        keys = count.reduce(0, +) + (ownCount.max() ?? 0)
    }

    /// One head.
    func attend(
        _ q: Matrix, _ k: StoredMatrix, _ v: StoredMatrix, _ scale: Float, into out: Matrix,
        logSumExp: Matrix?
    ) {
        withScratch(1, q.rows * (keys + 1) + Int(SL_ATTEND_ROWS) * q.columns) { scratch in
            let scores = scratch.base + q.rows
            sl_attend(
                q.columns, scale, q.rows, q.base, q.stride, k.base, v.base, k.stride, k.half == nil ? 0 : 1,
                count.count, first, count, ownFirst, ownCount, scores, keys, out.base, out.stride,
                scratch.base)
            if let logSumExp {
                for i in 0..<q.rows { logSumExp[i, 0] = scratch.base[i] }
            }
        }
    }
}

/// Rows of a long segment are taken so many at a time, so that their scores don't grow with the square of its length.
private let blockRows = 1024

extension AttentionSegment {
    /// The segment in pieces of `blockRows` query rows, each of which sees the keys that its rows see.
    fileprivate var blocks: [AttentionSegment] {
        guard queries.count > blockRows else { return [self] }
        return stride(from: 0, to: queries.count, by: blockRows).map { first in
            let last = min(queries.count, first + blockRows)
            let unseen = causal ? queries.count - last : 0
            return AttentionSegment(
                queries: queries.lowerBound + first..<queries.lowerBound + last, shared: shared,
                own: own.lowerBound..<own.upperBound - unseen, causal: causal)
        }
    }
}

/// Calls `body` with the keys and values of one head that a segment sees as floats, and the segment with its places
/// there.
private func withFloats(
    _ segment: AttentionSegment, _ k: StoredMatrix, _ v: StoredMatrix,
    _ body: (AttentionSegment, Matrix, Matrix) -> Void
) {
    if let k = k.floats, let v = v.floats { return body(segment, k, v) }
    var moved = segment
    let count = segment.keyCount
    withScratch(2 * count, k.columns) { scratch in
        var next = 0
        func move(_ range: Range<Int>) -> Range<Int> {
            for row in range {
                k.read(row: row, into: scratch.row(next))
                v.read(row: row, into: scratch.row(count + next))
                next += 1
            }
            return next - range.count..<next
        }
        moved.shared = segment.shared.map(move)
        moved.own = move(segment.own)
        body(moved, scratch.rows(0..<count), scratch.rows(count..<2 * count))
    }
}

/// All query rows at once, by products over the ranges.
private func attendBlock(
    _ segment: AttentionSegment, _ q: Matrix, _ k: Matrix, _ v: Matrix, _ shape: AttentionShape,
    into out: Matrix, logSumExp: Matrix?
) {
    withScores(segment, q, k, shape) { scores in
        for i in 0..<q.rows {
            let visible = segment.visible(i)
            let row = scores.row(i)
            let (peak, sum) = softmax(row, visible, into: row)
            (row + visible).update(repeating: 0, count: scores.columns - visible)
            logSumExp?[i, 0] = peak + log(sum)
        }
        forEachRange(segment) { range, at in
            GEMM.single(
                scores.columns(at), false, v.rows(range), false, into: out, beta: at.lowerBound > 0 ? 1 : 0,
                compute: shape.compute)
        }
    }
}

/// Adds to dq, dk, dv. `out`, `logSumExp` are those of the forward call; dk and dv of one key/value head are
/// summed by one task in the order of segments, so the sum has one order.
package func attentionBackward(
    _ q: Matrix, _ k: Matrix, _ v: Matrix, _ segments: [AttentionSegment], _ shape: AttentionShape,
    out: Matrix, logSumExp: Matrix, dOut: Matrix, dq: Matrix, dk: Matrix, dv: Matrix
) {
    let group = shape.heads / shape.keyValueHeads
    Parallel.run(shape.keyValueHeads) { kvHead in
        let kvColumns = shape.columns(kvHead)
        for segment in segments.flatMap(\.blocks) {
            for head in kvHead * group..<(kvHead + 1) * group {
                let columns = shape.columns(head)
                let qh = q.rows(segment.queries).columns(columns)
                let oh = out.rows(segment.queries).columns(columns)
                let doh = dOut.rows(segment.queries).columns(columns)
                let dqh = dq.rows(segment.queries).columns(columns)
                withScores(segment, qh, k.columns(kvColumns), shape) { p in
                    withScratch(p.rows, p.columns) { ds in
                        for i in 0..<p.rows {
                            let visible = segment.visible(i)
                            let shift = logSumExp[segment.queries.lowerBound + i, head]
                            _ = sl_exp_sum(visible, p.row(i), shift, p.row(i))
                            (p.row(i) + visible).update(repeating: 0, count: p.columns - visible)
                        }
                        forEachRange(segment) { range, at in
                            GEMM.single(
                                doh, false, v.rows(range).columns(kvColumns), true, into: ds.columns(at),
                                compute: shape.compute)
                        }
                        for i in 0..<p.rows {
                            // dO·O is Σ p·dp, but not to the last bit where dp comes of rounded factors, and what
                            // is missing would go into every key.
                            let delta =
                                shape.compute == .f32
                                ? sl_dot(shape.headWidth, doh.row(i), oh.row(i))
                                : sl_dot(p.columns, p.row(i), ds.row(i))
                            sl_softmax_backward(p.columns, p.row(i), delta, shape.scale, ds.row(i))
                        }
                        forEachRange(segment) { range, at in
                            let kr = k.rows(range).columns(kvColumns)
                            let dkr = dk.rows(range).columns(kvColumns)
                            let dvr = dv.rows(range).columns(kvColumns)
                            let (dsr, pr, compute) = (ds.columns(at), p.columns(at), shape.compute)
                            GEMM.single(dsr, false, kr, false, into: dqh, beta: 1, compute: compute)
                            GEMM.single(dsr, true, qh, false, into: dkr, beta: 1, compute: compute)
                            GEMM.single(pr, true, doh, false, into: dvr, beta: 1, compute: compute)
                        }
                    }
                }
            }
        }
    }
}

/// Calls `body` with the scaled scores q·kᵀ `[queries × keys]` of one head, unmasked.
private func withScores(
    _ segment: AttentionSegment, _ q: Matrix, _ k: Matrix, _ shape: AttentionShape, _ body: (Matrix) -> Void
) {
    withScratch(q.rows, segment.keyCount) { scores in
        forEachRange(segment) { range, at in
            GEMM.single(
                q, false, k.rows(range), true, into: scores.columns(at), alpha: shape.scale,
                compute: shape.compute)
        }
        body(scores)
    }
}

private func forEachRange(_ segment: AttentionSegment, _ body: (Range<Int>, Range<Int>) -> Void) {
    var first = 0
    for range in segment.ranges where !range.isEmpty {
        body(range, first..<first + range.count)
        first += range.count
    }
}

private func withScratch(_ rows: Int, _ columns: Int, _ body: (Matrix) -> Void) {
    withUnsafeTemporaryAllocation(of: Float.self, capacity: max(1, rows * columns)) {
        body(Matrix($0.baseAddress!, rows: rows, columns: columns))
    }
}
