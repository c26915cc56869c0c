import CKernels
import COpenBLAS

/// Who multiplies matrices, known to this file alone.
///
/// Products with `Packed` weights (forward: many or few rows, any batch) go through our own kernel, because matrix
/// libraries pick kernel and blocking by the number of rows and a row's last bits then depend on its neighbours.
/// Gradients of what is trained in f32 (whole batches, no neighbour rule) go to OpenBLAS, in single-threaded calls
/// over fixed blocks so that the thread count does not show; those of bf16 products are ours again.
package enum GEMM {
    /// What OpenBLAS runs on ("Cooperlake", "Haswell", …) and what our kernels run on, for the ledger.
    package static let core =
        "\(String(cString: openblas_get_corename()))+\(String(cString: sl_instruction_set()))"

    /// Sees every product of the engine.
    package static let meter = ProductMeter()

    /// OpenBLAS's own words on how it was built.
    package static let library = String(cString: openblas_get_config())

    /// OpenBLAS threads would multiply with ours.
    private static let singleThreaded: Void = openblas_set_num_threads(1)

    /// Lets OpenBLAS use threads of its own in `single` while `body` runs, to be measured against.
    package static func withLibraryThreads<T>(_ threads: Int, _ body: () throws -> T) rethrows -> T {
        _ = singleThreaded
        openblas_set_num_threads(Int32(threads))
        defer { openblas_set_num_threads(1) }
        return try body()
    }

    /// dx `[m × k]` (+)= dy `[m × n]` · w `[n × k]`.
    package static func multiplyInputGradient(_ dy: Matrix, _ w: Matrix, into dx: Matrix, accumulate: Bool) {
        precondition(dy.columns == w.rows && dx.columns == w.columns && dx.rows == dy.rows)
        let product = ProductMeter.Product(
            rows: dx.rows, columns: dx.columns, inner: dy.columns, accumulates: accumulate)
        meter.time(product) {
            Parallel.ranges(dy.rows, grain: 192) { rows in
                call(dy.rows(rows), false, w, false, into: dx.rows(rows), beta: accumulate ? 1 : 0)
            }
        }
    }

    /// dw `[n × k]` += dyᵀ `[n × m]` · x `[m × k]`, both rounded to bf16.
    package static func addWeightGradientBF16(_ dy: Matrix, _ x: Matrix, into dw: Matrix) {
        precondition(dy.rows == x.rows && dw.rows == dy.columns && dw.columns == x.columns)
        let product = ProductMeter.Product(
            rows: dw.rows, columns: dw.columns, inner: dy.rows, transposesLeft: true, accumulates: true,
            compute: .bf16)
        @Sendable func add(_ rows: Range<Int>, _ columns: Range<Int>) {
            sl_add_weight_gradient(
                rows.count, columns.count, dy.rows, dy.base + rows.lowerBound, dy.stride,
                x.base + columns.lowerBound, x.stride, dw.row(rows.lowerBound) + columns.lowerBound, dw.stride
            )
        }
        meter.time(product) {
            if dw.rows >= dw.columns {
                Parallel.ranges(dw.rows, grain: 448) { add($0, 0..<dw.columns) }
            } else {
                Parallel.ranges(dw.columns, grain: 448) { add(0..<dw.rows, $0) }
            }
        }
    }

    /// dw `[n × k]` += scale · dyᵀ `[n × m]` · x `[m × k]`.
    package static func addWeightGradient(_ dy: Matrix, _ x: Matrix, into dw: Matrix, scale: Float = 1) {
        precondition(dy.rows == x.rows && dw.rows == dy.columns && dw.columns == x.columns)
        let product = ProductMeter.Product(
            rows: dw.rows, columns: dw.columns, inner: dy.rows, transposesLeft: true, accumulates: true)
        meter.time(product) {
            // The longer side is cut, at fixed places, so that every call is a broad one.
            if dw.rows >= dw.columns {
                Parallel.ranges(dw.rows, grain: 192) { rows in
                    call(dy.columns(rows), true, x, false, into: dw.rows(rows), alpha: scale, beta: 1)
                }
            } else {
                Parallel.ranges(dw.columns, grain: 192) { columns in
                    call(
                        dy, true, x.columns(columns), false, into: dw.columns(columns), alpha: scale, beta: 1)
                }
            }
        }
    }

    /// c = alpha · op(a) · op(b) + beta · c, on the calling thread. Small strided products of attention.
    package static func single(
        _ a: Matrix, _ transposeA: Bool, _ b: Matrix, _ transposeB: Bool, into c: Matrix, alpha: Float = 1,
        beta: Float = 0
    ) {
        let product = ProductMeter.Product(
            rows: c.rows, columns: c.columns, inner: transposeA ? a.rows : a.columns,
            transposesLeft: transposeA, transposesRight: transposeB, accumulates: beta != 0,
            isOnOneThread: true)
        meter.time(product) { call(a, transposeA, b, transposeB, into: c, alpha: alpha, beta: beta) }
    }

    private static func call(
        _ a: Matrix, _ transposeA: Bool, _ b: Matrix, _ transposeB: Bool, into c: Matrix, alpha: Float = 1,
        beta: Float = 0
    ) {
        _ = singleThreaded
        let inner = transposeA ? a.rows : a.columns
        cblas_sgemm(
            CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans, transposeB ? CblasTrans : CblasNoTrans,
            blasint(c.rows), blasint(c.columns), blasint(inner), alpha, a.base, blasint(a.stride), b.base,
            blasint(b.stride), beta, c.base, blasint(c.stride))
    }
}
