import CKernels

extension GEMM {
    /// Weights `[n × k]` laid out for products, in panels of 32 outputs, and the way they are multiplied. Both the
    /// product with the weights and that with their transpose, which int8 has none of, read the same panels.
    package final class Packed: Sendable {
        package let n: Int
        package let k: Int
        package let compute: Compute
        private let type: sl_type
        private let storage: Buffer

        /// Packs `weights`, in their own type for `.f32` and else in that which is computed in. Mapped pages are given
        /// back.
        package init(_ weights: StoredMatrix, compute: Compute = .f32) {
            (n, k, self.compute) = (weights.rows, weights.columns, compute)
            type = Self.type(weights.type, compute)
            storage = Buffer(count: Self.bytes(rows: n, columns: k, as: type) / 4)
            pack(weights)
        }

        package convenience init(_ weights: Matrix, compute: Compute = .f32) {
            self.init(StoredMatrix(weights), compute: compute)
        }

        /// Bytes that weights of this shape take.
        ///
        /// - Parameter half: whether they are stored in two bytes.
        package static func bytes(rows: Int, columns: Int, half: Bool, compute: Compute) -> Int {
            bytes(rows: rows, columns: columns, as: type(half ? SL_BF16 : SL_F32, compute))
        }

        /// The panels, and the scales behind them.
        private static func bytes(rows: Int, columns: Int, as type: sl_type) -> Int {
            (rows + 31) / 32 * sl_panel_bytes(type, columns) + (type == SL_I8 ? 4 * rows : 0)
        }

        private static func type(_ stored: sl_type, _ compute: Compute) -> sl_type {
            switch compute {
            case .f32: stored
            case .bf16: SL_BF16
            case .int8: SL_I8
            }
        }

        /// Whether `pack` can take them: what was half and has become f32 can't lie where it lay.
        package func fits(_ weights: StoredMatrix) -> Bool {
            weights.rows == n && weights.columns == k && type == Self.type(weights.type, compute)
        }

        /// Packs again after the weights changed.
        package func pack(_ weights: StoredMatrix) {
            precondition(fits(weights))
            let panelBytes = sl_panel_bytes(type, k)
            let panels = UnsafeMutableRawPointer(storage.base)
            nonisolated(unsafe) let target = panels
            nonisolated(unsafe) let scales = scales
            GEMM.meter.time(.init(rows: 0, columns: n, inner: k, compute: compute)) {
                // In blocks, so that a large matrix isn't held twice.
                let block = max(8, (64 << 20) / (32 * max(1, k) * weights.elementBytes) / 8 * 8)
                for start in stride(from: 0, to: (n + 31) / 32, by: block) {
                    let end = min((n + 31) / 32, start + block)
                    Parallel.ranges(end - start, grain: 8) { range in
                        let panel = start + range.lowerBound
                        let first = panel * 32
                        sl_pack(
                            type, weights.type, min(n, (start + range.upperBound) * 32) - first, k,
                            weights.base + first * weights.stride * weights.elementBytes, weights.stride,
                            target + panel * panelBytes, scales.map { $0 + first })
                    }
                    weights.forget(start * 32..<min(n, end * 32))
                }
            }
        }

        /// Reads all of them once, on all threads, as the product with one row has to.
        /// - Returns: their bytes.
        package func readThrough() -> Int {
            let (base, bytes) = (UnsafeRawPointer(storage.base), storage.count * 4)
            nonisolated(unsafe) let from = base
            Parallel.ranges(bytes, grain: (bytes / Parallel.threads + 63) / 64 * 64) {
                blackHole(sl_read(from + $0.lowerBound, $0.count))
            }
            return bytes
        }

        private var scales: UnsafeMutablePointer<Float>? {
            type == SL_I8 ? storage.base + (storage.count - n) : nil
        }

        var panels: sl_panels { sl_panels(base: storage.base, n: n, k: k, type: type, scales: scales) }
    }

    /// y `[m × n]` = x `[m × k]` · wᵀ (or += when `accumulate`). A row of y depends on its row of x alone.
    package static func multiply(_ x: Matrix, _ w: Packed, into y: Matrix, accumulate: Bool = false) {
        precondition(x.columns == w.k && y.columns == w.n)
        product(x, w, isTransposed: false, into: y, accumulate: accumulate, block: 224)
    }

    /// dx `[m × k]` = dy `[m × n]` · w (or += when `accumulate`), not of int8. A row of dx depends on its row of dy alone.
    package static func multiplyTransposed(
        _ dy: Matrix, _ w: Packed, into dx: Matrix, accumulate: Bool = false
    ) {
        precondition(dy.columns == w.n && dx.columns == w.k && w.compute != .int8)
        product(dy, w, isTransposed: true, into: dx, accumulate: accumulate, block: 448)
    }

    private static func product(
        _ x: Matrix, _ w: Packed, isTransposed: Bool, into y: Matrix, accumulate: Bool, block: Int
    ) {
        precondition(x.rows == y.rows)
        let product = ProductMeter.Product(
            rows: x.rows, columns: y.columns, inner: x.columns, transposesRight: !isTransposed,
            accumulates: accumulate, compute: w.compute)
        let call = isTransposed ? sl_multiply_transposed : sl_multiply
        meter.time(product) {
            cut(rows: x.rows, columns: y.columns, inner: x.columns, block: block) { rows, columns in
                withUnsafePointer(to: w.panels) {
                    call(
                        $0, columns.lowerBound, columns.count, w.compute == .f32 ? 0 : 1, rows.count,
                        x.row(rows.lowerBound), x.stride, y.row(rows.lowerBound) + columns.lowerBound,
                        y.stride, accumulate ? 1 : 0)
                }
            }
        }
    }

    /// Spreads a product over the threads, by its rows where they are many, else by panels of columns.
    ///
    /// - Parameter block: rows that a call takes at a time.
    private static func cut(
        rows: Int, columns: Int, inner: Int, block: Int,
        _ body: @Sendable (_ rows: Range<Int>, _ columns: Range<Int>) -> Void
    ) {
        let threads = Parallel.threads
        let panels = (columns + 31) / 32
        if rows * columns * inner < 60_000 || threads == 1 {
            body(0..<rows, 0..<columns)
        } else if rows >= block * threads || (rows >= 28 * threads && panels < 2 * threads) {
            // As many pieces for one thread as for another.
            let pieces = (rows + block * threads - 1) / (block * threads) * threads
            Parallel.ranges(rows, grain: (rows + pieces - 1) / pieces) { body($0, 0..<columns) }
        } else {
            Parallel.ranges(panels, grain: (panels + threads - 1) / threads) {
                body(0..<rows, $0.lowerBound * 32..<min(columns, $0.upperBound * 32))
            }
        }
    }
}

/// Nobody sees it, and the compiler doesn't know.
@inline(never) private func blackHole(_ value: UInt32) {}
