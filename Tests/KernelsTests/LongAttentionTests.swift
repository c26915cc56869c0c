import Kernels
import Testing

/// Segments that are longer than a block of query rows.
@Suite struct LongAttentionTests {
    /// Values and gradients of the rows `segments` cover.
    private func results(_ segments: [AttentionSegment], rows: Int, _ compute: Compute = .f32) -> [[Float]] {
        let shape = AttentionShape(heads: 2, keyValueHeads: 1, headWidth: 4, compute: compute)
        let (q, k, v) = (Strided(rows, 8, seed: 1), Strided(rows, 4, seed: 2), Strided(rows, 4, seed: 3))
        let (out, sums) = (Strided(rows, 8, seed: 4), Strided(rows, 2, seed: 5))
        let (dq, dk, dv) = (Strided(rows, 8, seed: 0), Strided(rows, 4, seed: 0), Strided(rows, 4, seed: 0))
        let dOut = Strided(rows, 8, seed: 6)
        [dq, dk, dv].forEach { $0.matrix.fill(0) }
        attention(
            q.matrix, k.matrix, v.matrix, segments, shape, into: out.matrix, logSumExp: sums.matrix)
        attentionBackward(
            q.matrix, k.matrix, v.matrix, segments, shape, out: out.matrix, logSumExp: sums.matrix,
            dOut: dOut.matrix, dq: dq.matrix, dk: dk.matrix, dv: dv.matrix)
        return [out, sums, dq, dk, dv].map { $0.matrix.values }
    }

    /// Two thousand rows and some are what they are as spans below one another.
    @Test func isThatOfItsParts() {
        let rows = 2100
        let whole = results([AttentionSegment(queries: 0..<rows, own: 0..<rows)], rows: rows)
        let cuts = [0, 500, 1300, 1301, rows]
        let parts = results(
            zip(cuts, cuts.dropFirst()).map { first, last in
                AttentionSegment(
                    queries: first..<last, shared: first > 0 ? [0..<first] : [], own: first..<last)
            }, rows: rows)
        for (left, right) in zip(whole, parts) {
            #expect(zip(left, right).allSatisfy { abs($0 - $1) < 2e-5 * max(1, abs($1)) })
        }
    }

    /// Without a mask every block sees all rows: the order of keys doesn't matter.
    @Test func everyRowOfATowerSeesAll() {
        let rows = 1500
        let whole = results(
            [AttentionSegment(queries: 0..<rows, own: 0..<rows, causal: false)], rows: rows)
        let pieces = results(
            stride(from: 0, to: rows, by: 300).map {
                AttentionSegment(queries: $0..<$0 + 300, own: 0..<rows, causal: false)
            }, rows: rows)
        for (left, right) in zip(whole, pieces) {
            #expect(zip(left, right).allSatisfy { abs($0 - $1) < 2e-5 * max(1, abs($1)) })
        }
    }

    /// Of bf16 factors: near what f32 gives, not the same, and a segment's own whatever lies beside it.
    @Test func halfPrecisionIsNear() {
        let rows = 150
        let segments = [
            AttentionSegment(queries: 0..<70, own: 0..<70),
            AttentionSegment(queries: 70..<113, shared: [0..<70], own: 70..<113),
            AttentionSegment(queries: 113..<rows, own: 113..<rows, causal: false),
        ]
        let half = results(segments, rows: rows, .bf16)
        for (left, right) in zip(half, results(segments, rows: rows)) {
            let error = zip(left, right).map { abs($0 - $1) }.max()!
            #expect(error > 0 && error < 0.02 * right.map(abs).max()!)
        }
        let alone = results([segments[0]], rows: rows, .bf16)
        #expect(alone[0].prefix(70 * 8) == half[0].prefix(70 * 8))
    }
}
