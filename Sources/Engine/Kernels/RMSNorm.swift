import CKernels

/// y = x / √(mean(x²) + ε) · w per row (Zhang & Sennrich 2019). x, y `[T × C]`, w `[1 × C]`,
/// `inverse` `[T × 1]` keeps 1/√(…) for the backward pass.
package func rmsNorm(_ x: Matrix, _ w: Matrix, epsilon: Float, into y: Matrix, inverse: Matrix) {
    Parallel.ranges(x.rows, grain: 64) { rows in
        for r in rows {
            inverse.base[r] = sl_rms_norm(x.columns, x.row(r), w.base, epsilon, y.row(r))
        }
    }
}

/// Adds to dx, and to dw where it is wanted.
package func rmsNormBackward(
    _ x: Matrix, _ w: Matrix, inverse: Matrix, dy: Matrix, dx: Matrix, dw: Matrix?
) {
    sumOverRows(x.rows, into: dw.map { [$0] } ?? []) { r, sums in
        sl_rms_norm_backward(
            x.columns, x.row(r), w.base, inverse.base[r], dy.row(r), dx.row(r), sums.first?.base)
    }
}

/// Runs `body` over all rows. Sums that every row adds to are gathered per block of 256 rows and the blocks
/// added in order, so that their rounding does not depend on the number of threads.
func sumOverRows(_ rows: Int, into totals: [Matrix], _ body: @Sendable (Int, [Matrix]) -> Void) {
    let grain = 256
    let blocks = (rows + grain - 1) / grain
    let partial = Buffer(count: blocks * totals.reduce(0) { $0 + $1.count })
    @Sendable func sums(_ block: Int) -> [Matrix] {
        var at = partial.base + block * totals.reduce(0) { $0 + $1.count }
        return totals.map { total in
            defer { at += total.count }
            return Matrix(at, rows: total.rows, columns: total.columns)
        }
    }
    Parallel.run(blocks) { block in
        let own = sums(block)
        for r in block * grain..<min(rows, (block + 1) * grain) { body(r, own) }
    }
    for block in 0..<blocks {
        for (total, part) in zip(totals, sums(block)) { sl_add(total.count, part.base, total.base) }
    }
}
