import Decoding
import Kernels
import Model

/// How fast the decoder is on this machine, as one layer of its shape with made-up weights shows in a moment: for an
/// estimate before weights are read.
package struct Pace {
    private let layer: Llama
    private let layers: Double
    /// Of a pass.
    private let rows: Int
    /// Tokens drawn after it.
    private static let drawn = 8

    package init(_ decoder: Llama) throws {
        layers = Double(decoder.layers.count)
        rows = max(1, min(256, decoder.config.context - Self.drawn - 1))
        layer = try decoder.oneLayer()
    }

    /// Seconds that a row of a prompt, or of an answer that is scored, takes.
    package func reading() -> Double {
        let forest = forest
        return perRow { _ = layer.forward(forest, features: nil, $0) }
    }

    /// Seconds that a row takes forward and backward.
    ///
    /// - Parameter rank: of an adapter that alone learns; nil where all weights do.
    package func training(rank: Int?, recomputes: Bool) -> Double {
        let forest = forest
        if let rank { layer.attachAdapter(rank: rank, scale: 1, seed: 1) }
        (rank == nil ? layer.parameters : layer.adapterParameters).forEach { $0.train() }
        return perRow { arena in
            let tape = layer.forward(forest, features: nil, recomputes: recomputes, arena)
            let gradient = arena.zeros(tape.hidden.rows, tape.hidden.columns)
            // Gradients go on through a layer, but through the first: features make this one pass them on.
            layer.backward(tape, dHidden: gradient, dFeatures: arena.zeros(1, gradient.columns), arena)
        }
    }

    /// Seconds that the next token of each of `streams` answers takes.
    package func drawing(streams: Int) throws -> Double {
        func seconds(tokens: Int) throws -> Double {
            let plan = GrowthPlan(
                samplers: Array(repeating: Sampler(temperature: 1, topK: 0, topP: 1), count: streams),
                stops: [],
                maxTokens: tokens, seed: 1)
            let grower = Grower(
                model: layer, plan: plan, memory: 1 << 30, longestPrompt: rows, records: 1)
            let request = GrowthRequest(id: "pace", tokens: tokenIDs, picture: nil)
            return try fastest { _ = try grower.grow([request]) { _, _, _ in [] } }
        }
        return max(0, try seconds(tokens: 1 + Self.drawn) - seconds(tokens: 1)) / Double(Self.drawn)
            * layers
    }

    private var tokenIDs: [Int32] { (0..<rows).map { Int32($0 % 16) } }

    private var forest: TokenForest {
        var forest = TokenForest()
        forest.add(tokenIDs)
        return forest
    }

    private func perRow(_ pass: (Arena) -> Void) -> Double {
        let arena = Arena()
        return layers / Double(rows)
            * fastest {
                arena.reset()
                pass(arena)
            }
    }

    /// Of a few runs, in seconds: the first lays weights out.
    private func fastest(_ body: () throws -> Void) rethrows -> Double {
        try body()
        let clock = ContinuousClock()
        return try (0..<3).map { _ in try clock.measure(body) / .seconds(1) }.min()!
    }
}
