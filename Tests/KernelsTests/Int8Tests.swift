import Kernels
import Testing

/// Weights rounded to int8.
@Suite(.serialized) struct Int8Tests {
    private static let types: [HalfFloat?] = [nil, .f16, .bf16]

    /// Each row's largest element is 127 or −127, the others the nearest of what lies between.
    private static func quantized(_ w: Matrix) -> Buffer {
        let result = Buffer(count: w.count)
        for row in 0..<w.rows {
            let largest = (0..<w.columns).reduce(Float(0)) { max($0, abs(w[row, $1])) }
            for column in 0..<w.columns {
                let steps = (w[row, column] / largest * 127).rounded(.toNearestOrEven)
                result.base[row * w.columns + column] = largest == 0 ? 0 : steps * (largest / 127)
            }
        }
        return result
    }

    /// Against sums in Double of the factors as the computation rounds them.
    @Test(arguments: types.indices, PackedTests.sizes) func products(
        _ type: Int, _ size: (m: Int, n: Int, k: Int)
    ) {
        let w = Stored(
            size.n, size.k, half: Self.types[type], seed: 1, offset: Self.types[type] == nil ? 0 : 1)
        let packed = GEMM.Packed(w.matrix, compute: .int8)
        let x = Strided(size.m, size.k, seed: 2)
        let (y, sum) = (Strided(size.m, size.n, seed: 4), Strided(size.m, size.n, seed: 4))
        let before = sum.matrix.values
        let (xr, steps) = (rounded(x.matrix), Self.quantized(w.floats))
        let weights = steps.matrix(rows: size.n, columns: size.k)

        GEMM.multiply(x.matrix, packed, into: y.matrix)
        #expect(isProduct(y.matrix, xr.matrix, { weights[$0, $1] }, inner: size.k, tolerance: 1e-6))
        GEMM.multiply(x.matrix, packed, into: sum.matrix, accumulate: true)
        #expect(sum.matrix.values == zip(before, y.matrix.values).map { $0 + $1 })
        #expect(y.gapsHold && sum.gapsHold)
        withExtendedLifetime((xr, steps)) {}
    }

    /// A row's bits are the same alone, in any batch, at any place and with any number of threads.
    @Test(arguments: [(33, 7), (129, 300), (600, 192), (40, 3000)])
    func rowsDoNotKnowEachOther(_ size: (n: Int, k: Int)) {
        let rows = 470
        let packed = GEMM.Packed(Stored(size.n, size.k, half: .bf16, seed: 6).matrix, compute: .int8)
        let x = Strided(rows, size.k, seed: 5)
        let before = Parallel.threads
        defer { Parallel.threads = before }

        func products(_ range: Range<Int>) -> [Float] {
            let y = Strided(range.count, size.n, seed: 0)
            GEMM.multiply(x.matrix.rows(range), packed, into: y.matrix)
            return y.matrix.values
        }

        Parallel.threads = 1
        let alone = (0..<rows).map { products($0..<$0 + 1) }
        for threads in [1, 3] {
            Parallel.threads = threads
            for range in [3..<16, 7..<21, 7..<22, 7..<36, 5..<62, 0..<rows] {
                #expect(products(range) == alone[range].flatMap { $0 }, "\(range) \(threads)")
            }
        }
    }

    /// Zeros give 0 and what isn't finite gives NaN, in their own rows; the smallest and the largest numbers are numbers.
    @Test func extremes() {
        let (least, small) = (Float.leastNonzeroMagnitude, Float.leastNormalMagnitude / 2)
        let rows: [[Float]] = [
            [0, 0, 0], [1, .nan, 1], [1, -.infinity, 1], [least, 0, -least], [small, small / 2, 0],
            [3e38, -1e38, 0],
            [1, 2, -4],
        ]
        let w = Buffer(rows.flatMap { $0 })
        let packed = GEMM.Packed(w.matrix(rows: rows.count, columns: 3), compute: .int8)
        for count in [1, 40] {
            let x = Buffer(count: 3 * count)
            let y = Buffer(count: rows.count * count)
            for i in 0..<x.count { x.base[i] = 1 }
            GEMM.multiply(
                x.matrix(rows: count, columns: 3), packed, into: y.matrix(rows: count, columns: rows.count))
            for row in 0..<count {
                let result = y.matrix(rows: count, columns: rows.count).rows(row..<row + 1).values
                #expect(result[0] == 0 && result[1].isNaN && result[2].isNaN && abs(result[3]) <= 3 * least)
                #expect(abs(result[4] / small - 1.5) < 0.01 && abs(result[5] - 2e38) < 2e36)
                #expect(abs(result[6] - (32 + 64 - 127) * Float(4) / 127) < 1e-6)
            }
        }
    }

    /// A byte a weight, and a scale for each output.
    @Test func bytes() {
        #expect(GEMM.Packed.bytes(rows: 64, columns: 100, half: true, compute: .int8) == 6400 + 256)
    }
}
