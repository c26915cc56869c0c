import Foundation
import Kernels
import Random
import Testing

/// Weights of a file's element type, and the floats that they stand for.
struct Stored {
    let matrix: StoredMatrix
    let values: Buffer

    /// - Parameter offset: bytes by which the memory is shifted: a file promises no address.
    init(_ rows: Int, _ columns: Int, half: HalfFloat?, seed: UInt64, offset: Int = 0) {
        var generator = SplitMix64(seed: seed)
        let drawn = (0..<rows * columns).map { _ in Float(generator.nextGaussian()) }
        let bytes =
            half.map { $0.narrow(drawn).withUnsafeBytes(Array.init) } ?? drawn.withUnsafeBytes(Array.init)
        let memory = NSMutableData(length: bytes.count + offset)!
        bytes.withUnsafeBytes {
            memory.replaceBytes(
                in: NSRange(location: offset, length: bytes.count), withBytes: $0.baseAddress!)
        }
        matrix = StoredMatrix(
            mapped: UnsafeRawBufferPointer(start: memory.bytes + offset, count: bytes.count), as: half,
            rows: rows,
            columns: columns, owner: memory, isFile: false)
        values = Buffer(count: rows * columns)
        for row in 0..<rows { matrix.read(row: row, into: values.base + row * columns) }
    }

    /// The same, of bf16 factors.
    var floats: Matrix { values.matrix(rows: matrix.rows, columns: matrix.columns) }
}

/// a · bᵀ in Double, compared with c: within `tolerance` of Σ |terms|.
func isProduct(_ c: Matrix, _ a: Matrix, _ b: (Int, Int) -> Float, inner: Int, tolerance: Double)
    -> Bool
{
    for i in 0..<c.rows {
        for j in 0..<c.columns {
            var (sum, size) = (0.0, 0.0)
            for l in 0..<inner {
                let term = Double(a[i, l]) * Double(b(j, l))
                sum += term
                size += abs(term)
            }
            if abs(Double(c[i, j]) - sum) > tolerance * size + 1e-7 { return false }
        }
    }
    return true
}

@Suite(.serialized) struct PackedTests {
    static let types: [(half: HalfFloat?, compute: Compute)] = [
        (nil, .f32), (.f16, .f32), (.bf16, .f32), (nil, .bf16), (.f16, .bf16), (.bf16, .bf16),
    ]
    static let sizes: [(m: Int, n: Int, k: Int)] = [
        (1, 1, 1), (1, 40, 33), (3, 33, 7), (15, 17, 31), (29, 32, 64), (30, 47, 65), (200, 95, 33),
        (17, 129, 1200),
        (450, 65, 17), (5, 1300, 9), (950, 34, 40), (60, 7, 2100),
    ]

    /// Forward and transposed, against sums in Double of the factors as the computation rounds them.
    @Test(arguments: types.indices, sizes) func products(_ type: Int, _ size: (m: Int, n: Int, k: Int)) {
        let (half, compute) = Self.types[type]
        let w = Stored(size.n, size.k, half: half, seed: 1, offset: half == nil ? 0 : 1)
        let packed = GEMM.Packed(w.matrix, compute: compute)
        let x = Strided(size.m, size.k, seed: 2)
        let dy = Strided(size.m, size.n, seed: 3)
        let y = Strided(size.m, size.n, seed: 4)
        let dx = Strided(size.m, size.k, seed: 5)
        let (xr, wr, dyr) = (rounded(x.matrix), rounded(w.floats), rounded(dy.matrix))
        let isHalf = compute == .bf16
        let weights = isHalf ? wr.1 : w.floats

        GEMM.multiply(x.matrix, packed, into: y.matrix)
        #expect(
            isProduct(y.matrix, isHalf ? xr.1 : x.matrix, { weights[$0, $1] }, inner: size.k, tolerance: 1e-6)
        )
        GEMM.multiplyTransposed(dy.matrix, packed, into: dx.matrix)
        #expect(
            isProduct(
                dx.matrix, isHalf ? dyr.1 : dy.matrix, { weights[$1, $0] }, inner: size.n, tolerance: 1e-6))
        #expect(y.gapsHold && dx.gapsHold)
        withExtendedLifetime((xr, wr, dyr)) {}
    }

    /// A sum that is added to what stood there is the same sum.
    @Test(arguments: types.indices, [(40, 70, 33), (300, 40, 1500)]) func additions(
        _ type: Int, _ size: (m: Int, n: Int, k: Int)
    ) {
        let (half, compute) = Self.types[type]
        let packed = GEMM.Packed(Stored(size.n, size.k, half: half, seed: 1).matrix, compute: compute)
        let x = Strided(size.m, size.k, seed: 2)
        let dy = Strided(size.m, size.n, seed: 3)
        let (y, sum) = (Strided(size.m, size.n, seed: 4), Strided(size.m, size.n, seed: 4))
        let (dx, dsum) = (Strided(size.m, size.k, seed: 5), Strided(size.m, size.k, seed: 5))
        let (before, dbefore) = (y.matrix.values, dx.matrix.values)
        GEMM.multiply(x.matrix, packed, into: sum.matrix)
        GEMM.multiply(x.matrix, packed, into: y.matrix, accumulate: true)
        #expect(y.matrix.values == zip(before, sum.matrix.values).map { $0 + $1 })
        GEMM.multiplyTransposed(dy.matrix, packed, into: dsum.matrix)
        GEMM.multiplyTransposed(dy.matrix, packed, into: dx.matrix, accumulate: true)
        #expect(dx.matrix.values == zip(dbefore, dsum.matrix.values).map { $0 + $1 })
    }

    /// A row's bits are the same alone, in any batch, at any place and with any number of threads.
    @Test(arguments: types.indices, [(33, 7), (129, 300), (600, 192), (40, 3000)])
    func rowsDoNotKnowEachOther(
        _ type: Int, _ size: (n: Int, k: Int)
    ) {
        let rows = 470
        let (half, compute) = Self.types[type]
        let packed = GEMM.Packed(Stored(size.n, size.k, half: half, seed: 6).matrix, compute: compute)
        let x = Strided(rows, size.k, seed: 5)
        let dy = Strided(rows, size.n, seed: 7)
        let before = Parallel.threads
        defer { Parallel.threads = before }

        func products(_ range: Range<Int>) -> [[Float]] {
            let y = Strided(range.count, size.n, seed: 0)
            let dx = Strided(range.count, size.k, seed: 0)
            GEMM.multiply(x.matrix.rows(range), packed, into: y.matrix)
            GEMM.multiplyTransposed(dy.matrix.rows(range), packed, into: dx.matrix)
            return (0..<range.count).map {
                y.matrix.rows($0..<$0 + 1).values + dx.matrix.rows($0..<$0 + 1).values
            }
        }

        Parallel.threads = 1
        let alone = (0..<rows).flatMap { products($0..<$0 + 1) }
        for threads in [1, 3] {
            Parallel.threads = threads
            for range in [3..<16, 7..<36, 5..<62, 0..<rows] {
                #expect(products(range) == Array(alone[range]), "\(range) \(threads)")
            }
        }
    }

    /// The gradient of bf16 products, and that threads don't show in it.
    @Test(arguments: [
        (1, 1, 1), (3, 5, 2), (40, 33, 17), (200, 65, 31), (450, 501, 9), (70, 9, 501), (1300, 40, 50),
    ])
    func weightGradients(_ size: (m: Int, n: Int, k: Int)) {
        let x = Strided(size.m, size.k, seed: 1)
        let dy = Strided(size.m, size.n, seed: 2)
        let (xr, dyr) = (rounded(x.matrix), rounded(dy.matrix))
        let before = Parallel.threads
        defer { Parallel.threads = before }
        let results = [1, 2, 5].map { threads in
            Parallel.threads = threads
            let dw = Strided(size.n, size.k, seed: 3)
            dw.matrix.fill(0)
            GEMM.addWeightGradient(dy.matrix, x.matrix, into: dw.matrix, compute: .bf16)
            #expect(dw.gapsHold)
            return dw.matrix.values
        }
        #expect(results[1] == results[0] && results[2] == results[0])
        let result = Buffer(results[0])
        let (left, leftMemory) = transposed(dyr.1)
        #expect(
            isProduct(
                result.matrix(rows: size.n, columns: size.k), left, { xr.1[$1, $0] }, inner: size.m,
                tolerance: 1e-6))
        withExtendedLifetime((xr, dyr, leftMemory)) {}
    }

    private func transposed(_ x: Matrix) -> (Matrix, Buffer) {
        let buffer = Buffer(count: x.count)
        let result = buffer.matrix(rows: x.columns, columns: x.rows)
        for i in 0..<x.rows { for j in 0..<x.columns { result[j, i] = x[i, j] } }
        return (result, buffer)
    }

    /// Infinity and NaN come through the rounding of what is multiplied.
    @Test func whatIsNotFiniteStaysSo() {
        let w = Stored(2, 4, half: .bf16, seed: 1)
        let packed = GEMM.Packed(w.matrix, compute: .bf16)
        let x = Buffer(count: 12)
        let y = Buffer(count: 6)
        for i in 0..<12 { x.base[i] = 1 }
        x.base[0] = .nan
        x.base[4] = .infinity
        GEMM.multiply(x.matrix(rows: 3, columns: 4), packed, into: y.matrix(rows: 3, columns: 2))
        #expect(y.base[0].isNaN && !y.base[2].isFinite && y.base[4].isFinite)
    }

    @Test func whatWasHalfAndBecameFloatsIsPackedAnew() {
        let packed = GEMM.Packed(Stored(3, 5, half: .bf16, seed: 1).matrix)
        #expect(!packed.fits(Stored(3, 5, half: nil, seed: 1).matrix))
        #expect(
            GEMM.Packed(Stored(3, 5, half: .bf16, seed: 1).matrix, compute: .bf16)
                .fits(Stored(3, 5, half: nil, seed: 1).matrix))
    }
}
