import Imaging
import Kernels

/// Rotary positions along a path of tokens. They are the tokens' numbers, but where a picture has a grid: its rows then
/// stand at their row and column from where it begins, and text goes on after the longer side (M-RoPE, Wang et al. 2024,
/// §2.1), so that a position may be less than the number of tokens before it.
package struct RotaryPath: Sendable {
    /// Of the next token.
    package private(set) var next: Int

    package init(next: Int = 0) { self.next = next }

    /// The positions of tokens that follow.
    ///
    /// - Parameter grid: of the picture whose rows are the negative ones, all of them; nil where they count like text.
    package mutating func add(_ tokens: some Collection<Int32>, grid: PictureSize?) -> [RotaryPosition] {
        var shown = 0
        return tokens.map { token in
            guard token < 0, let grid else {
                defer { next += 1 }
                return RotaryPosition(next)
            }
            let (row, column) = (shown / grid.width, shown % grid.width)
            let place = RotaryPosition(
                time: Int32(next), row: Int32(next + row), column: Int32(next + column))
            shown += 1
            if shown == grid.height * grid.width { next += max(grid.height, grid.width) }
            return place
        }
    }
}
