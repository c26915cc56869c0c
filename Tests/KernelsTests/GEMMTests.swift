import Kernels
import Random
import Testing

/// Memory with a gap after each row, so that a kernel that ignores strides, or writes beyond its columns, shows.
struct Strided {
    let buffer: Buffer
    let matrix: Matrix
    private static let gap: Float = 12345.5

    init(_ rows: Int, _ columns: Int, seed: UInt64, gap: Int = 3) {
        let stride = columns + gap
        buffer = Buffer(count: max(1, rows * stride))
        for i in 0..<buffer.count { buffer.base[i] = Self.gap }
        matrix = Matrix(buffer.base, rows: rows, columns: columns, stride: stride)
        var generator = SplitMix64(seed: seed)
        for r in 0..<rows { for c in 0..<columns { matrix[r, c] = Float(generator.nextGaussian()) } }
    }

    /// Nothing was written between the rows.
    var gapsHold: Bool {
        (0..<matrix.rows).allSatisfy { row in
            (matrix.columns..<matrix.stride).allSatisfy { matrix.row(row)[$0] == Self.gap }
        }
    }
}

/// Each element to the nearest bf16.
func rounded(_ x: Matrix) -> (buffer: Buffer, matrix: Matrix) {
    let buffer = Buffer(HalfFloat.bf16.narrow(x.values).map { Float(bitPattern: UInt32($0) << 16) })
    return (buffer, buffer.matrix(rows: x.rows, columns: x.columns))
}

/// op(a) · op(b) in Double, and Σ |terms|, the scale of its rounding.
private func naive(
    _ a: Matrix, _ transposeA: Bool, _ b: Matrix, _ transposeB: Bool
) -> [(value: Double, size: Double)] {
    let (rows, inner) = transposeA ? (a.columns, a.rows) : (a.rows, a.columns)
    let columns = transposeB ? b.rows : b.columns
    return (0..<rows * columns).map { at in
        (0..<inner).reduce(into: (0.0, 0.0)) { sum, i in
            let left = transposeA ? a[i, at / columns] : a[at / columns, i]
            let right = transposeB ? b[at % columns, i] : b[i, at % columns]
            sum.0 += Double(left) * Double(right)
            sum.1 += abs(Double(left) * Double(right))
        }
    }
}

private func agrees(
    _ c: Matrix, _ wanted: [(value: Double, size: Double)], added before: [Float]? = nil, scale: Double = 1
) -> Bool {
    zip(c.values, wanted).enumerated().allSatisfy { index, pair in
        let start = Double(before?[index] ?? 0)
        return abs(Double(pair.0) - start - scale * pair.1.value)
            <= 1e-6 * (scale * pair.1.size + abs(start)) + 1e-7
    }
}

@Suite(.serialized) struct GEMMTests {
    static let sizes: [(m: Int, n: Int, k: Int)] =
        (1...40).map { ($0, 33, 7) } + [
            (1, 1, 1), (5, 15, 3), (14, 16, 40), (15, 17, 31), (28, 31, 1), (29, 32, 64), (30, 47, 65),
            (200, 95, 33), (63, 129, 70), (450, 65, 17),
        ]

    @Test(arguments: sizes) func packedProduct(_ size: (m: Int, n: Int, k: Int)) {
        let x = Strided(size.m, size.k, seed: 1)
        let w = Strided(size.n, size.k, seed: 2)
        let y = Strided(size.m, size.n, seed: 3)
        let packed = GEMM.Packed(w.matrix)
        let wanted = naive(x.matrix, false, w.matrix, true)
        let before = y.matrix.values
        GEMM.multiply(x.matrix, packed, into: y.matrix, accumulate: true)
        #expect(agrees(y.matrix, wanted, added: before))
        GEMM.multiply(x.matrix, packed, into: y.matrix)
        #expect(agrees(y.matrix, wanted))
        #expect(y.gapsHold)
    }

    @Test func packsAgain() {
        let x = Strided(6, 9, seed: 1)
        let w = Strided(35, 9, seed: 2)
        let y = Strided(6, 35, seed: 3)
        let packed = GEMM.Packed(w.matrix)
        for r in 0..<35 { for c in 0..<9 { w.matrix[r, c] = Float(r - c) } }
        packed.pack(StoredMatrix(w.matrix))
        GEMM.multiply(x.matrix, packed, into: y.matrix)
        #expect(agrees(y.matrix, naive(x.matrix, false, w.matrix, true)))
    }

    /// A row's bits are the same alone, in any batch, at any place and with any number of threads.
    @Test(arguments: [(33, 7), (64, 40), (129, 300), (600, 192)]) func rowsDoNotKnowEachOther(
        _ size: (n: Int, k: Int)
    ) {
        let rows = 260
        let x = Strided(rows, size.k, seed: 5)
        let w = Strided(size.n, size.k, seed: 6)
        let packed = GEMM.Packed(w.matrix)
        let start = Strided(rows, size.n, seed: 7)
        let before = Parallel.threads
        defer { Parallel.threads = before }

        func product(_ range: Range<Int>, accumulate: Bool) -> [Float] {
            let y = Strided(range.count, size.n, seed: 0)
            y.matrix.copy(from: start.matrix.rows(range))
            GEMM.multiply(x.matrix.rows(range), packed, into: y.matrix, accumulate: accumulate)
            return y.matrix.values
        }

        for accumulate in [false, true] {
            Parallel.threads = 1
            let alone = (0..<rows).flatMap { product($0..<$0 + 1, accumulate: accumulate) }
            for threads in [1, 2, 3] {
                Parallel.threads = threads
                for range in [0..<2, 3..<16, 1..<16, 7..<36, 5..<62, 0..<rows, 11..<rows] {
                    let slice = alone[range.lowerBound * size.n..<range.upperBound * size.n]
                    #expect(product(range, accumulate: accumulate) == Array(slice), "\(range) \(threads)")
                }
            }
        }
    }

    @Test(arguments: [(1, 1, 1), (3, 5, 2), (40, 33, 17), (200, 65, 31), (450, 201, 9), (70, 9, 201)])
    func gradients(_ size: (m: Int, n: Int, k: Int)) {
        let x = Strided(size.m, size.k, seed: 1)
        let w = Strided(size.n, size.k, seed: 2)
        let dy = Strided(size.m, size.n, seed: 3)
        let dx = Strided(size.m, size.k, seed: 4)
        let dw = Strided(size.n, size.k, seed: 5)

        let input = naive(dy.matrix, false, w.matrix, false)
        let before = dx.matrix.values
        GEMM.multiplyInputGradient(dy.matrix, w.matrix, into: dx.matrix, accumulate: true)
        #expect(agrees(dx.matrix, input, added: before))
        GEMM.multiplyInputGradient(dy.matrix, w.matrix, into: dx.matrix, accumulate: false)
        #expect(agrees(dx.matrix, input))
        #expect(dx.gapsHold)

        let start = dw.matrix.values
        GEMM.addWeightGradient(dy.matrix, x.matrix, into: dw.matrix, scale: 0.5)
        #expect(agrees(dw.matrix, naive(dy.matrix, true, x.matrix, false), added: start, scale: 0.5))
        #expect(dw.gapsHold)
    }

    /// Gradients don't depend on the number of threads either.
    @Test func threadsDoNotShowInGradients() {
        let x = Strided(450, 201, seed: 1)
        let w = Strided(390, 201, seed: 2)
        let dy = Strided(450, 390, seed: 3)
        let before = Parallel.threads
        defer { Parallel.threads = before }
        let results = [1, 2, 5].map { threads in
            Parallel.threads = threads
            let dx = Strided(450, 201, seed: 4)
            let dw = Strided(390, 201, seed: 5)
            GEMM.multiplyInputGradient(dy.matrix, w.matrix, into: dx.matrix, accumulate: true)
            GEMM.addWeightGradient(dy.matrix, x.matrix, into: dw.matrix)
            return [dx.matrix.values, dw.matrix.values]
        }
        #expect(results[1] == results[0])
        #expect(results[2] == results[0])
    }

    /// Products of two matrices in bf16, turned or not, set, scaled and added.
    @Test(arguments: [
        (1, 1, 1), (3, 5, 2), (15, 33, 17), (14, 32, 32), (236, 64, 64), (40, 95, 600), (470, 7, 65),
    ])
    func halfPrecision(_ size: (m: Int, n: Int, k: Int)) {
        for (turnsA, turnsB) in [(false, false), (false, true), (true, false), (true, true)] {
            let a = Strided(turnsA ? size.k : size.m, turnsA ? size.m : size.k, seed: 1)
            let b = Strided(turnsB ? size.n : size.k, turnsB ? size.k : size.n, seed: 2)
            let c = Strided(size.m, size.n, seed: 3)
            let start = c.matrix.values
            let (ar, br) = (rounded(a.matrix), rounded(b.matrix))
            let wanted = naive(ar.matrix, turnsA, br.matrix, turnsB)
            func multiply(alpha: Float = 1, beta: Float) {
                GEMM.single(
                    a.matrix, turnsA, b.matrix, turnsB, into: c.matrix, alpha: alpha, beta: beta,
                    compute: .bf16)
            }
            multiply(beta: 1)
            #expect(agrees(c.matrix, wanted, added: start))
            multiply(alpha: 0.5, beta: 0)
            #expect(agrees(c.matrix, wanted, scale: 0.5))
            #expect(c.gapsHold)
            withExtendedLifetime((ar, br)) {}
        }
    }
}
