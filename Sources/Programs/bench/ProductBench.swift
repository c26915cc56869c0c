import Foundation
import Kernels
import Random

/// The matrix products inside a piece of work, and a library alone on the same ones: OpenBLAS, or for bf16 what PyTorch
/// brings.
struct ProductBench {
    struct Line: Codable {
        let product: String
        let calls: Int
        let gigaflops: Double
        let insideSeconds: Double
        let aloneSeconds: Double
    }

    struct Report: Codable {
        /// `aloneSeconds / insideSeconds`
        let fraction: Double
        let insideSeconds: Double
        let aloneSeconds: Double
        let stepSeconds: Double
        let products: [Line]
    }

    let threads: Int
    /// For products of bf16.
    let library: Peer?

    /// Meters one run of `work` after one that warms up, then multiplies the same sizes with nothing around.
    func measure(_ work: () throws -> Void) throws -> Report {
        try work()
        var stepSeconds = 0.0
        let tallies = try GEMM.meter.measure { stepSeconds = try wallSeconds { try work() } }
        let lines = try GEMM.withLibraryThreads(threads) {
            try tallies.map { try line(of: $0.key, $0.value) }
        }
        .sorted { $0.insideSeconds > $1.insideSeconds }
        let inside = lines.reduce(0) { $0 + $1.insideSeconds }
        let alone = lines.reduce(0) { $0 + $1.aloneSeconds }
        return Report(
            fraction: alone / inside, insideSeconds: inside, aloneSeconds: alone, stepSeconds: stepSeconds,
            products: lines)
    }

    private func line(of product: ProductMeter.Product, _ tally: ProductMeter.Tally) throws -> Line {
        let flop = 2 * Double(product.rows) * Double(product.columns) * Double(product.inner)
        let calls = Double(tally.calls)
        return Line(
            product: name(product), calls: tally.calls, gigaflops: flop * calls * 1e-9,
            insideSeconds: tally.seconds / (product.isOnOneThread ? Double(threads) : 1),
            aloneSeconds: product.rows == 0 ? 0 : try alone(product) * calls)
    }

    private func name(_ product: ProductMeter.Product) -> String {
        let sizes = "\(product.rows)×\(product.columns)×\(product.inner)"
        if product.rows == 0 { return "packing \(product.columns)×\(product.inner)" }
        return sizes + (product.transposesLeft ? " aᵀ" : "") + (product.transposesRight ? " bᵀ" : "")
            + (product.accumulates ? " +=" : "") + (product.compute == .bf16 ? " bf16" : "")
            + (product.isOnOneThread ? " (one thread)" : "")
    }

    /// Median seconds of a call of the bare library that uses all threads.
    private func alone(_ product: ProductMeter.Product) throws -> Double {
        let (m, n, k) = (product.rows, product.columns, product.inner)
        if product.compute == .bf16, let library {
            let (left, right) = (product.transposesLeft ? 1 : 0, product.transposesRight ? 1 : 0)
            return try library.turn("\(m) \(n) \(k) \(left) \(right)")
        }
        let (a, b, c) = (Buffer(count: m * k), Buffer(count: k * n), Buffer(count: m * n))
        var random = SplitMix64(seed: 1)
        for buffer in [a, b] {
            for i in 0..<buffer.count { buffer.base[i] = Float(random.nextUniform() - 0.5) }
        }
        let (left, right) = (product.transposesLeft, product.transposesRight)
        func call() {
            GEMM.single(
                a.matrix(rows: left ? k : m, columns: left ? m : k), left,
                b.matrix(rows: right ? n : k, columns: right ? k : n), right,
                into: c.matrix(rows: m, columns: n), beta: product.accumulates ? 1 : 0)
        }
        return withExtendedLifetime((a, b, c)) {
            call()
            // Small products are timed in bundles, which the clock can tell apart.
            let bundle = max(1, 20_000_000 / (m * n * k))
            return median(
                (0..<7).map { _ in wallSeconds { for _ in 0..<bundle { call() } } / Double(bundle) })
        }
    }
}
