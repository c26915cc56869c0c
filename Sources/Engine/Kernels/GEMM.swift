import CKernels
import COpenBLAS

/// Who multiplies matrices, known to this file alone.
///
/// `multiply` (forward: many or few rows, any batch) goes through our packed kernel, because OpenBLAS picks
/// kernel and blocking by the number of rows and a row's last bits then depend on its neighbours. Gradients
/// (whole batches, no neighbour rule) go to OpenBLAS, in single-threaded calls over fixed blocks so that the
/// thread count does not show.
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

    /// Weights `[n × k]` packed for `multiply`, in panels of 32 output columns; `transposed`, weights `[k × n]`
    /// for the input gradient.
    package final class Packed: @unchecked Sendable {
        /// By the type of their elements.
        enum Panels { case f32(Buffer) }

        let panels: Panels
        private let transposed: Bool
        package let n: Int
        package let k: Int

        /// Packs `weights`.
        package init(_ weights: Matrix, transposed: Bool = false) {
            self.transposed = transposed
            n = transposed ? weights.columns : weights.rows
            k = transposed ? weights.rows : weights.columns
            panels = .f32(Buffer(count: (n + Int(SL_PANEL) - 1) / Int(SL_PANEL) * Int(SL_PANEL) * k))
            pack(weights)
        }

        /// Packs again after the weights changed.
        package func pack(_ weights: Matrix) {
            precondition(weights.rows == (transposed ? k : n) && weights.columns == (transposed ? n : k))
            let (n, k) = (n, k)
            let strides = transposed ? (1, weights.stride) : (weights.stride, 1)
            meter.time(.init(rows: 0, columns: n, inner: k)) {
                Parallel.ranges((n + 31) / 32, grain: 8) { range in
                    let first = range.lowerBound * 32
                    let count = min(n, range.upperBound * 32) - first
                    let from = weights.base + first * strides.0
                    switch panels {
                    case .f32(let buffer):
                        sl_pack_weights(count, k, from, strides.0, strides.1, buffer.base + first * k)
                    }
                }
            }
        }
    }

    /// y `[m × n]` = x `[m × k]` · wᵀ (or += when `accumulate`). A row of y depends on its row of x alone.
    package static func multiply(_ x: Matrix, _ w: Packed, into y: Matrix, accumulate: Bool = false) {
        precondition(x.columns == w.k && y.columns == w.n && x.rows == y.rows)
        let product = ProductMeter.Product(
            rows: x.rows, columns: w.n, inner: w.k, transposesRight: true, accumulates: accumulate)
        meter.time(product) { multiplyRows(x, w, into: y, accumulate: accumulate) }
    }

    private static func multiplyRows(_ x: Matrix, _ w: Packed, into y: Matrix, accumulate: Bool) {
        let (n, k) = (w.n, w.k)
        @Sendable func product(_ rows: Range<Int>, _ columns: Range<Int>) {
            switch w.panels {
            case .f32(let buffer):
                sl_gemm_packed(
                    rows.count, columns.count, k, x.row(rows.lowerBound), x.stride,
                    buffer.base + columns.lowerBound * k, y.row(rows.lowerBound) + columns.lowerBound,
                    y.stride, accumulate ? 1 : 0)
            }
        }
        let threads = Parallel.threads
        let panels = (n + 31) / 32
        if x.rows * n * k < 60_000 || threads == 1 {
            product(0..<x.rows, 0..<n)
        } else if x.rows >= 224 * threads || (x.rows >= 28 * threads && panels < 2 * threads) {
            // As many pieces for one thread as for another.
            let pieces = (x.rows + 224 * threads - 1) / (224 * threads) * threads
            Parallel.ranges(x.rows, grain: (x.rows + pieces - 1) / pieces) { product($0, 0..<n) }
        } else {
            Parallel.ranges(panels, grain: (panels + threads - 1) / threads) {
                product(0..<x.rows, $0.lowerBound * 32..<min(n, $0.upperBound * 32))
            }
        }
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
