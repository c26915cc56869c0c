import Checkpoint
import Kernels

/// The LLaMA decoder (Touvron et al. 2023) over a forest of token spans: RMSNorm, rotary positions,
/// grouped-query attention, SwiGLU. Checkpoint keys are those of transformers' `LlamaForCausalLM`.
package final class Llama: @unchecked Sendable {
    package let config: LlamaConfig
    package let embedding: Parameter
    package let layers: [Layer]
    package let norm: Parameter
    /// Shares the embedding's parameter when tied.
    package let head: Linear
    let rotary: RotaryTable
    let shape: AttentionShape

    /// One decoder layer; keys under `….layers.N.`.
    package final class Layer: @unchecked Sendable {
        let inputNorm: Parameter
        let q: Linear
        let k: Linear
        let v: Linear
        let o: Linear
        let postNorm: Parameter
        let gate: Linear
        let up: Linear
        let down: Linear

        init(_ source: any ParameterSource, _ prefix: String, _ config: LlamaConfig) throws {
            let width = config.hiddenSize
            let (heads, kv) = (config.headCount * config.headDim, config.keyValueHeadCount * config.headDim)
            // Residual branches start smaller with depth (GPT-2), which steadies small models without tuning.
            let branch = 1 / Double(2 * config.layerCount).squareRoot()
            inputNorm = try source.parameter(
                prefix + "input_layernorm.weight", [width], start: .constant(1))
            postNorm = try source.parameter(
                prefix + "post_attention_layernorm.weight", [width], start: .constant(1))
            func linear(
                _ name: String, _ inputs: Int, _ outputs: Int, bias: Bool, _ gain: Double = 1
            ) throws -> Linear {
                try Linear(source, prefix + name, inputs: inputs, outputs: outputs, bias: bias, gain: gain)
            }
            let (inner, bias) = (config.intermediateSize, config.attentionBias)
            q = try linear("self_attn.q_proj", width, heads, bias: bias)
            k = try linear("self_attn.k_proj", width, kv, bias: bias)
            v = try linear("self_attn.v_proj", width, kv, bias: bias)
            o = try linear("self_attn.o_proj", heads, width, bias: bias, branch)
            gate = try linear("mlp.gate_proj", width, inner, bias: config.mlpBias)
            up = try linear("mlp.up_proj", width, inner, bias: config.mlpBias)
            down = try linear("mlp.down_proj", inner, width, bias: config.mlpBias, branch)
        }

        package var projections: [Linear] { [q, k, v, o, gate, up, down] }
    }

    /// - Parameter prefix: `model.language_model.` inside a LLaVA, `model.` alone.
    package init(
        _ source: any ParameterSource, config: LlamaConfig, prefix: String = "model.",
        headName: String = "lm_head"
    ) throws {
        self.config = config
        embedding = try source.parameter(
            prefix + "embed_tokens.weight", [config.vocabSize, config.hiddenSize],
            start: .normal(deviation: 1 / Double(config.hiddenSize).squareRoot()))
        layers = try (0..<config.layerCount).map { try Layer(source, "\(prefix)layers.\($0).", config) }
        norm = try source.parameter(prefix + "norm.weight", [config.hiddenSize], start: .constant(1))
        head =
            config.tieWordEmbeddings
            ? Linear(weight: embedding)
            : try Linear(
                source, headName, inputs: config.hiddenSize, outputs: config.vocabSize)
        rotary = RotaryTable(
            headWidth: config.headDim, base: config.ropeTheta, positions: config.maxPositionEmbeddings)
        shape = AttentionShape(
            heads: config.headCount, keyValueHeads: config.keyValueHeadCount, headWidth: config.headDim)
    }

    package var parameters: [Parameter] {
        [embedding]
            + layers.flatMap { [$0.inputNorm, $0.postNorm] + $0.projections.flatMap(\.parameters) }
            + [norm] + (config.tieWordEmbeddings ? [] : head.parameters)
    }

    package var linears: [Linear] { layers.flatMap(\.projections) + [head] }

    /// What the backward pass wants back of one layer.
    struct LayerTape {
        var x, h1, inverse1, q, k, v, context, logSumExp, middle, h2, inverse2, gate, up, inner: Matrix
        var low: [Matrix?]
    }

    /// What is kept of a layer: all that its backward pass wants, or the input that it is made again from.
    enum Saved {
        case tape(LayerTape)
        case input(Matrix)
    }

    /// What a training pass leaves behind; its memory belongs to the arena.
    package struct Tape {
        let tokens: [Int32]
        let positions: [Int32]
        let segments: [AttentionSegment]
        let layers: [Saved]
        let last: Matrix
        let inverse: Matrix
        /// Final hidden states `[T × C]`, after the last norm.
        package let hidden: Matrix
    }

    /// Training: every row computed, and what the backward pass wants kept in `arena`.
    ///
    /// - Parameter recomputes: keep only the layers' inputs; `backward` computes the layers again, to the same bits.
    package func forward(
        _ forest: TokenForest, features: Matrix?, recomputes: Bool = false, _ arena: Arena
    ) -> Tape {
        let segments = forest.segments
        var x = embed(forest.tokens, features, arena)
        var saved: [Saved] = []
        for layer in layers {
            let output = recomputes ? arena.matrix(x.rows, x.columns) : nil
            let mark = arena.mark
            let (tape, y) = run(layer, x, positions: forest.positions, segments, cache: nil, arena)
            if let output {
                saved.append(.input(x))
                output.copy(from: y)
                arena.release(to: mark)
            } else {
                saved.append(.tape(tape))
            }
            x = output ?? y
        }
        let hidden = arena.matrix(x.rows, x.columns)
        let inverse = arena.matrix(x.rows, 1)
        rmsNorm(x, norm.value, epsilon: Float(config.rmsNormEpsilon), into: hidden, inverse: inverse)
        return Tape(
            tokens: forest.tokens, positions: forest.positions, segments: segments, layers: saved, last: x,
            inverse: inverse, hidden: hidden)
    }

    /// Decoding: the rows' keys and values go into `cache` at `slots`, segments point into the cache, and
    /// nothing else is kept. Returns the final hidden states of the rows in `wanted`, in order.
    package func forward(
        tokens: [Int32], positions: [Int32], slots: [Int], segments: [AttentionSegment], features: Matrix?,
        cache: KeyValueCache, wanted: [Int], _ arena: Arena
    ) -> Matrix {
        let result = arena.matrix(wanted.count, config.hiddenSize)
        let mark = arena.mark
        defer { arena.release(to: mark) }
        let x = embed(tokens, features, arena)
        let layerMark = arena.mark
        for (index, layer) in layers.enumerated().dropLast() {
            let (_, y) = run(
                layer, x, positions: positions, segments, cache: (cache.layers[index], slots), arena)
            x.copy(from: y)
            arena.release(to: layerMark)
        }
        // Of the last layer only keys and values are needed of the other rows: of a prompt, all but one.
        let asked = wanted.count == x.rows ? nil : rows(wanted, positions, segments)
        let last = layers.count - 1
        let (_, y) = run(
            layers[last], x, positions: positions, segments, cache: (cache.layers[last], slots), only: asked,
            arena)
        rmsNorm(
            y, norm.value, epsilon: Float(config.rmsNormEpsilon), into: result,
            inverse: arena.matrix(wanted.count, 1))
        return result
    }

    /// hidden `[T × C]` → logits `[T × V]`
    package func logits(_ hidden: Matrix, _ arena: Arena) -> Matrix { head.forward(hidden, arena).y }

    private func embed(_ tokens: [Int32], _ features: Matrix?, _ arena: Arena) -> Matrix {
        let x = arena.matrix(tokens.count, config.hiddenSize)
        let words = embedding.stored
        for (row, token) in tokens.enumerated() {
            if token >= 0 {
                words.read(row: Int(token), into: x.row(row))
            } else {
                x.row(row).update(from: features!.row(-1 - Int(token)), count: x.columns)
            }
        }
        return x
    }

    /// Some rows of a batch as a batch of their own, which sees the keys of the whole.
    struct Rows {
        let indices: [Int]
        let positions: [Int32]
        let segments: [AttentionSegment]
    }

    /// - Parameter wanted: ascending.
    private func rows(_ wanted: [Int], _ positions: [Int32], _ segments: [AttentionSegment]) -> Rows {
        var at = 0
        let own = wanted.enumerated().map { index, row in
            while !segments[at].queries.contains(row) { at += 1 }
            let whole = segments[at]
            let after = whole.causal ? whole.queries.upperBound - 1 - row : 0
            return AttentionSegment(
                queries: index..<index + 1, shared: whole.shared,
                own: whole.own.lowerBound..<whole.own.upperBound - after, causal: whole.causal)
        }
        return Rows(indices: wanted, positions: wanted.map { positions[$0] }, segments: own)
    }

    private func gather(_ rows: [Int], of x: Matrix, _ arena: Arena) -> Matrix {
        let result = arena.matrix(rows.count, x.columns)
        gatherRows(rows, of: x, into: result)
        return result
    }

    /// - Parameter only: the rows whose output is wanted; all without it.
    func run(
        _ layer: Layer, _ input: Matrix, positions: [Int32], _ segments: [AttentionSegment],
        cache: (KeyValueCache.Layer, slots: [Int])?, only: Rows? = nil, _ arena: Arena
    ) -> (LayerTape, Matrix) {
        let epsilon = Float(config.rmsNormEpsilon)
        var (x, h1) = (input, arena.matrix(input.rows, input.columns))
        let inverse1 = arena.matrix(x.rows, 1)
        rmsNorm(x, layer.inputNorm.value, epsilon: epsilon, into: h1, inverse: inverse1)
        let (k, lowK) = layer.k.forward(h1, arena)
        let (v, lowV) = layer.v.forward(h1, arena)
        rotary.rotate(k, positions: positions)
        if let only { (x, h1) = (gather(only.indices, of: x, arena), gather(only.indices, of: h1, arena)) }
        let (q, lowQ) = layer.q.forward(h1, arena)
        rotary.rotate(q, positions: only?.positions ?? positions)
        let context = arena.matrix(x.rows, q.columns)
        let logSumExp = arena.matrix(x.rows, shape.heads)
        if let (cache, slots) = cache {
            cache.store(k, v, slots: slots)
            attention(
                q, cache.keys, cache.values, only?.segments ?? segments, shape, into: context, logSumExp: nil)
        } else {
            attention(q, k, v, segments, shape, into: context, logSumExp: logSumExp)
        }
        let (middle, lowO) = layer.o.forward(context, arena)
        addRows(x, to: middle)
        let h2 = arena.matrix(x.rows, x.columns)
        let inverse2 = arena.matrix(x.rows, 1)
        rmsNorm(middle, layer.postNorm.value, epsilon: epsilon, into: h2, inverse: inverse2)
        let (gate, lowGate) = layer.gate.forward(h2, arena)
        let (up, lowUp) = layer.up.forward(h2, arena)
        let inner = arena.matrix(x.rows, gate.columns)
        siluMultiply(gate, up, into: inner)
        let (y, lowDown) = layer.down.forward(inner, arena)
        addRows(middle, to: y)
        let tape = LayerTape(
            x: x, h1: h1, inverse1: inverse1, q: q, k: k, v: v, context: context, logSumExp: logSumExp,
            middle: middle, h2: h2, inverse2: inverse2, gate: gate, up: up, inner: inner,
            low: [lowQ, lowK, lowV, lowO, lowGate, lowUp, lowDown])
        return (tape, y)
    }
}
