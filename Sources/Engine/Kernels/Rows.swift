import CKernels

// Rows copied, added, scaled and compared. Where several rows are added to one, it is in their order, so that the sum
// has one rounding whatever the number of threads.

/// y `[T × C]` += x `[T × C]`
package func addRows(_ x: Matrix, to y: Matrix) {
    Parallel.ranges(y.rows, grain: 128) { rows in
        for r in rows { sl_add(y.columns, x.row(r), y.row(r)) }
    }
}

/// Every row of y `[T × C]` += b `[1 × C]`
package func addBias(_ b: Matrix, to y: Matrix) {
    Parallel.ranges(y.rows, grain: 128) { rows in
        for r in rows { sl_add(y.columns, b.base, y.row(r)) }
    }
}

/// db `[1 × C]` += Σ rows of dy `[T × C]`
package func addColumnSums(_ dy: Matrix, to db: Matrix) {
    Parallel.ranges(dy.columns, grain: 64) { columns in
        for r in 0..<dy.rows {
            sl_add(columns.count, dy.row(r) + columns.lowerBound, db.base + columns.lowerBound)
        }
    }
}

/// Row i of y = row `rows[i]` of x
package func gatherRows(_ rows: [Int], of x: Matrix, into y: Matrix) {
    for (i, row) in rows.enumerated() { y.row(i).update(from: x.row(row), count: y.columns) }
}

/// Row `rows[i]` of y += row i of x, nowhere where that is nil: the backward pass of `gatherRows`.
package func scatterRows(_ x: Matrix, to rows: [Int?], of y: Matrix) {
    for (i, row) in rows.enumerated() {
        if let row { sl_add(y.columns, x.row(i), y.row(row)) }
    }
}

/// Row `to` of y += factor · row `from` of x
package func addRow(_ x: Matrix, _ from: Int, times factor: Float, to y: Matrix, _ to: Int) {
    sl_axpy(y.columns, factor, x.row(from), y.row(to))
}

/// x *= factor
package func scaleRows(_ x: Matrix, by factor: Float) {
    for r in 0..<x.rows { sl_scale(x.columns, factor, x.row(r)) }
}

/// y = x / ‖x‖ per row
package func unitRows(_ x: Matrix, into y: Matrix) {
    y.copy(from: x)
    for r in 0..<y.rows { sl_scale(y.columns, 1 / norm(y, r), y.row(r)) }
}

/// dy becomes dx: the part along y, which the norm takes away, goes.
/// - Parameters:
///   - x: what `unitRows` was given.
///   - y: what it made.
package func unitRowsBackward(_ x: Matrix, _ y: Matrix, dy: Matrix) {
    for r in 0..<dy.rows {
        let along = sl_dot(dy.columns, dy.row(r), y.row(r))
        sl_axpy(dy.columns, -along, y.row(r), dy.row(r))
        sl_scale(dy.columns, 1 / norm(x, r), dy.row(r))
    }
}

private func norm(_ x: Matrix, _ row: Int) -> Float {
    Float(sl_sum_of_squares(x.columns, x.row(row)).squareRoot())
}

/// Σ x², row by row.
package func sumOfSquares(_ x: Matrix) -> Double {
    (0..<x.rows).reduce(0) { $0 + sl_sum_of_squares(x.columns, x.row($1)) }
}

/// x·y of every row
package func rowDots(_ x: Matrix, _ y: Matrix) -> [Float] {
    (0..<x.rows).map { sl_dot(x.columns, x.row($0), y.row($0)) }
}

/// x·y. Its bits depend on the two vectors alone, which those of a matrix product need not.
package func dot(_ x: [Float], _ y: [Float]) -> Float {
    precondition(x.count == y.count)
    return x.withUnsafeBufferPointer { x in
        y.withUnsafeBufferPointer { sl_dot(x.count, x.baseAddress!, $0.baseAddress!) }
    }
}
