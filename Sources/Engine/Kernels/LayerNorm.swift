import CKernels

/// y = (x − mean) / √(variance + ε) · w + b per row (Ba et al. 2016). x, y `[T × C]`, w, b `[1 × C]`,
/// `statistics` `[T × 2]` keeps mean and 1/√(…) for the backward pass.
package func layerNorm(
    _ x: Matrix, _ w: Matrix, _ b: Matrix, epsilon: Float, into y: Matrix, statistics: Matrix
) {
    Parallel.ranges(x.rows, grain: 64) { rows in
        for r in rows {
            sl_layer_norm(x.columns, x.row(r), w.base, b.base, epsilon, y.row(r), statistics.row(r))
        }
    }
}

/// Adds to dx, and to dw and db where they are wanted (both or neither).
package func layerNormBackward(
    _ x: Matrix, _ w: Matrix, statistics: Matrix, dy: Matrix, dx: Matrix, dw: Matrix?, db: Matrix?
) {
    let totals = [dw, db].compactMap { $0 }
    precondition(totals.count != 1)
    sumOverRows(x.rows, into: totals) { r, sums in
        sl_layer_norm_backward(
            x.columns, x.row(r), w.base, statistics.row(r), dy.row(r), dx.row(r), sums.first?.base,
            sums.last?.base)
    }
}
