import Kernels
import Model
import Testing

/// Against `DownSampleBlock` of NVlabs/VILA, branch vila1.5.
@Suite struct PatchSquaresTests {
    @Test func fourPatchesBecomeARowDownTheColumns() {
        let arena = Arena()
        let expected: [Int: [Float]] = [
            2: [1, 2, 3, 4], 3: [1, 2, 4, 5, 7, 8, 0, 0, 3, 0, 6, 0, 9, 0, 0, 0],
            4: [1, 2, 5, 6, 9, 10, 13, 14, 3, 4, 7, 8, 11, 12, 15, 16],
        ]
        for (side, rows) in expected {
            let count = side * side
            let patches = arena.matrix(2 * count, 1)
            for i in 0..<2 * count { patches.base[i] = Float(i % count + 1) }
            let squares = PatchSquares(side: side)
            let joined = squares.join(patches, tiles: 2, arena)
            #expect(joined.values == rows + rows && joined.columns == 4)
            let back = arena.matrix(2 * count, 1)
            squares.split(joined, tiles: 2, into: back)
            #expect(back.values == patches.values)
        }
    }
}
