import Kernels

/// VILA-1.5's joining of patches (`DownSampleBlock` of NVlabs/VILA, `multimodal_projector/base_projector.py`): the four
/// that share a corner become one row, upper left, upper right, lower left, lower right; beyond an odd side stand zeros.
/// The rows go down the columns of squares, first column first.
package struct PatchSquares {
    /// Patches.
    private let side: Int

    package init(side: Int) { self.side = side }

    private var squares: Int { (side + 1) / 2 }

    /// `patches` `[tiles·side² × C]` as `[tiles·squares² × 4C]`.
    package func join(_ patches: Matrix, tiles: Int, _ arena: Arena) -> Matrix {
        let width = patches.columns
        let result = arena.zeros(tiles * squares * squares, 4 * width)
        forEachPatch(tiles) { patch, row, corner in
            let (from, to) = (
                patches.base + patch * width, result.base + row * 4 * width + corner * width
            )
            to.update(from: from, count: width)
        }
        return result
    }

    /// The gradient of `join`, written to `dPatches`.
    package func split(_ dJoined: Matrix, tiles: Int, into dPatches: Matrix) {
        let width = dPatches.columns
        forEachPatch(tiles) { patch, row, corner in
            let (from, to) = (
                dJoined.base + row * 4 * width + corner * width, dPatches.base + patch * width
            )
            to.update(from: from, count: width)
        }
    }

    private func forEachPatch(_ tiles: Int, _ body: (_ patch: Int, _ row: Int, _ corner: Int) -> Void) {
        for tile in 0..<tiles {
            for y in 0..<side {
                for x in 0..<side {
                    let row = (tile * squares + x / 2) * squares + y / 2
                    body((tile * side + y) * side + x, row, 2 * (y % 2) + x % 2)
                }
            }
        }
    }
}
