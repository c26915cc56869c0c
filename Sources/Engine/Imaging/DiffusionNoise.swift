import Foundation
import Random

/// The forward process of a diffusion model, by which VCD (arXiv 2311.16922) and POVID (arXiv 2402.11411) blur what a
/// picture shows: x_t = √ᾱ_t·x + √(1−ᾱ_t)·ε, ε normal, drawn once.
package struct DiffusionNoise: Sendable, Equatable {
    package static let steps = 0..<1000
    package static let usualStep = 500

    /// √ᾱ_t, what is left of the picture.
    package let signal: Double
    /// √(1−ᾱ_t)
    package let noise: Double

    /// β_t = σ(s)·(0.005 − 1e-5) + 1e-5 with s from −6 to 6 in a thousand even steps.
    ///
    /// - Parameter step: t, in `steps`.
    package init(step: Int) {
        precondition(Self.steps.contains(step))
        let kept = (0...step).reduce(1.0) { kept, t in
            let s = -6 + 12 * Double(t) / Double(Self.steps.count - 1)
            return kept * (1 - ((0.005 - 1e-5) / (1 + exp(-s)) + 1e-5))
        }
        (signal, noise) = (kept.squareRoot(), (1 - kept).squareRoot())
    }

    /// What a tower reads of a picture, with noise on the normalized values, as VCD puts it.
    package func noised(_ input: TowerInput, _ generator: inout SplitMix64) -> TowerInput {
        let tiles = input.tiles.map { tile in
            tile.map { Float(signal * Double($0) + noise * generator.nextGaussian()) }
        }
        return TowerInput(tiles: tiles, grid: input.grid, original: input.original)
    }
}
