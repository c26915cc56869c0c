import Checkpoint
import Kernels

/// CLIP's text transformer: causal, learned positions, read at the end-of-text token. Keys under `text_model.`.
package final class ClipTextTower: @unchecked Sendable {
    package let config: ClipTextConfig
    let embedding: Parameter
    let positions: Parameter
    let encoder: ClipEncoder
    let finalNorm: Norm

    package init(_ source: any ParameterSource, config: ClipTextConfig, prefix: String) throws {
        self.config = config
        let width = config.hiddenSize
        embedding = try source.parameter(
            prefix + "embeddings.token_embedding.weight", [config.vocabSize, width],
            start: .normal(deviation: 0.07))
        positions = try source.parameter(
            prefix + "embeddings.position_embedding.weight", [config.maxPositionEmbeddings, width],
            start: .normal(deviation: 0.03))
        encoder = try ClipEncoder(
            source, prefix: prefix,
            ClipEncoder.Settings(
                width: width, inner: config.intermediateSize, layers: config.layerCount,
                heads: config.headCount, epsilon: Float(config.layerNormEpsilon),
                activation: Activation(config.activation)))
        finalNorm = try Norm(source, prefix + "final_layer_norm", width)
    }

    package var parameters: [Parameter] {
        [embedding, positions] + encoder.parameters + finalNorm.parameters
    }

    package var linears: [Linear] { encoder.linears }

    package struct Tape {
        let tokens: [Int32]
        let positions: [Int]
        let encoder: ClipEncoder.Tape
        let ends: [Int]
        let last: Matrix
        let statistics: Matrix
        /// Normalised hidden state at each text's end, `[texts × C]`.
        package let pooled: Matrix
    }

    /// - Parameter texts: ids with start and end tokens, at most `maxPositions` each, unpadded: in a causal
    ///   tower what follows the end token cannot reach it.
    package func forward(_ texts: [[Int32]], _ arena: Arena) -> Tape {
        let width = config.hiddenSize
        let tokens = texts.flatMap { $0 }
        let at = texts.flatMap { Array($0.indices) }
        let x = arena.matrix(tokens.count, width)
        let placed = arena.matrix(tokens.count, width)
        gatherRows(tokens.map { Int($0) }, of: embedding.value, into: x)
        gatherRows(at, of: positions.value, into: placed)
        addRows(placed, to: x)
        var segments: [AttentionSegment] = []
        var ends: [Int] = []
        var start = 0
        for text in texts {
            let rows = start..<start + text.count
            segments.append(AttentionSegment(queries: rows, own: rows))
            ends.append(start + end(of: text))
            start = rows.upperBound
        }
        let tape = encoder.forward(x, segments, depth: config.layerCount, arena)
        let last = arena.matrix(texts.count, width)
        gatherRows(ends, of: tape.output, into: last)
        let (pooled, statistics) = finalNorm.forward(last, Float(config.layerNormEpsilon), arena)
        return Tape(
            tokens: tokens, positions: at, encoder: tape, ends: ends, last: last, statistics: statistics,
            pooled: pooled)
    }

    package func backward(_ tape: Tape, dPooled: Matrix, _ arena: Arena) {
        let width = config.hiddenSize
        let dLast = arena.zeros(dPooled.rows, width)
        finalNorm.backward(tape.last, tape.statistics, dy: dPooled, dx: dLast)
        let dx = arena.zeros(tape.tokens.count, width)
        scatterRows(dLast, to: tape.ends, of: dx)
        encoder.backward(tape.encoder, dy: dx, arena)
        if let gradient = embedding.gradient {
            scatterRows(dx, to: tape.tokens.map { Int($0) }, of: gradient)
        }
        if let gradient = positions.gradient { scatterRows(dx, to: tape.positions, of: gradient) }
    }

    /// transformers reads old configurations (eos_token_id 2) at the largest id, newer ones at the first eos.
    private func end(of text: [Int32]) -> Int {
        if config.poolsAtHighestID {
            return text.indices.max { (text[$0], -$0) < (text[$1], -$1) } ?? 0
        }
        return text.firstIndex(of: Int32(config.eosTokenID)) ?? 0
    }
}
