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
    package static let core = {
        _ = prepared
        return "\(String(cString: openblas_get_corename()))+\(instructions)"
    }()

    private static let instructions = String(cString: sl_instruction_set())

    /// Sees every product of the engine.
    package static let meter = ProductMeter()

    /// OpenBLAS's own words on how it was built.
    package static let library = String(cString: openblas_get_config())

    private static let prepared: Void = {
        switch instructions {
        case "avx512": sl_know_processor("SkylakeX")
        case "avx2": sl_know_processor("Haswell")
        default: break
        }
        // OpenBLAS threads would multiply with ours.
        openblas_set_num_threads(1)
    }()

    /// Lets OpenBLAS use threads of its own in `single` while `body` runs, to be measured against.
    package static func withLibraryThreads<T>(_ threads: Int, _ body: () throws -> T) rethrows -> T {
        _ = prepared
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

    /// dw `[n × k]` += scale · dyᵀ `[n × m]` · x `[m × k]`; in bf16 the scale is 1.
    package static func addWeightGradient(
        _ dy: Matrix, _ x: Matrix, into dw: Matrix, scale: Float = 1, compute: Compute = .f32
    ) {
        precondition(dy.rows == x.rows && dw.rows == dy.columns && dw.columns == x.columns)
        let product = ProductMeter.Product(
            rows: dw.rows, columns: dw.columns, inner: dy.rows, transposesLeft: true, accumulates: true,
            compute: compute)
        // What one call takes of the longer side, so that every call is a broad one: in f32 always the same, since it
        // shows in the sums; else as much for one thread as for another.
        let side = max(dw.rows, dw.columns)
        let pieces = (side + 448 * Parallel.threads - 1) / (448 * Parallel.threads) * Parallel.threads
        let grain = compute == .f32 ? 192 : ((side + pieces - 1) / pieces + 31) / 32 * 32
        meter.time(product) {
            if dw.rows >= dw.columns {
                Parallel.ranges(dw.rows, grain: grain) { rows in
                    call(
                        dy.columns(rows), true, x, false, into: dw.rows(rows), alpha: scale, beta: 1,
                        compute)
                }
            } else {
                Parallel.ranges(dw.columns, grain: grain) { columns in
                    call(
                        dy, true, x.columns(columns), false, into: dw.columns(columns), alpha: scale, beta: 1,
                        compute)
                }
            }
        }
    }

    /// c = alpha · op(a) · op(b) + beta · c, on the calling thread. Small strided products of attention. In bf16 beta
    /// is 0, or 1 while alpha is 1.
    package static func single(
        _ a: Matrix, _ transposeA: Bool, _ b: Matrix, _ transposeB: Bool, into c: Matrix, alpha: Float = 1,
        beta: Float = 0, compute: Compute = .f32
    ) {
        let product = ProductMeter.Product(
            rows: c.rows, columns: c.columns, inner: transposeA ? a.rows : a.columns,
            transposesLeft: transposeA, transposesRight: transposeB, accumulates: beta != 0,
            isOnOneThread: true, compute: compute)
        meter.time(product) { call(a, transposeA, b, transposeB, into: c, alpha: alpha, beta: beta, compute) }
    }

    private static func call(
        _ a: Matrix, _ transposeA: Bool, _ b: Matrix, _ transposeB: Bool, into c: Matrix, alpha: Float = 1,
        beta: Float = 0, _ compute: Compute = .f32
    ) {
        let inner = transposeA ? a.rows : a.columns
        switch compute {
        case .f32:
            _ = prepared
            cblas_sgemm(
                CblasRowMajor, transposeA ? CblasTrans : CblasNoTrans,
                transposeB ? CblasTrans : CblasNoTrans,
                blasint(c.rows), blasint(c.columns), blasint(inner), alpha, a.base, blasint(a.stride), b.base,
                blasint(b.stride), beta, c.base, blasint(c.stride))
        case .bf16, .int8:
            precondition(beta == 0 || (beta == 1 && alpha == 1))
            sl_multiply_bf16(
                c.rows, c.columns, inner, a.base, a.stride, transposeA ? 1 : 0, b.base, b.stride,
                transposeB ? 1 : 0, c.base, c.stride, beta == 0 ? 0 : 1)
            if alpha != 1 { for row in 0..<c.rows { sl_scale(c.columns, alpha, c.row(row)) } }
        }
    }
}
