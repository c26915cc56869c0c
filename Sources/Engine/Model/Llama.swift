import Checkpoint
import Kernels

/// The LLaMA decoder (Touvron et al. 2023) over a forest of token spans: RMSNorm, rotary positions,
/// grouped-query attention, SwiGLU. Mistral, Qwen2 and Phi-3 are built like it: biases, widths, rotary scaling and what
/// lies in one matrix are the configuration's. Checkpoint keys are those of transformers' `…ForCausalLM`.
package final class Llama: @unchecked Sendable {
    package let config: LlamaConfig
    package let embedding: Parameter
    package let layers: [DecoderLayer]
    package let norm: Parameter
    /// Shares the embedding's parameter when tied.
    package let head: Linear
    let rotary: RotaryTable
    let shape: AttentionShape

    /// - Parameter prefix: `model.language_model.` inside a LLaVA, `model.` alone.
    package init(
        _ source: any ParameterSource, config: LlamaConfig, prefix: String = "model.",
        headName: String = "lm_head"
    ) throws {
        self.config = config
        embedding = try source.parameter(
            prefix + "embed_tokens.weight", [config.vocabSize, config.hiddenSize],
            start: .normal(deviation: 1 / Double(config.hiddenSize).squareRoot()))
        layers = try (0..<config.layerCount).map {
            try DecoderLayer(source, "\(prefix)layers.\($0).", config)
        }
        norm = try source.parameter(prefix + "norm.weight", [config.hiddenSize], start: .constant(1))
        head =
            config.tieWordEmbeddings
            ? Linear(weight: embedding)
            : try Linear(
                source, headName, inputs: config.hiddenSize, outputs: config.vocabSize)
        rotary = RotaryTable(
            frequencies: config.rotary.frequencies(headWidth: config.headDim), positions: config.context,
            factor: config.rotary.attentionFactor, sections: config.rotary.sections)
        shape = AttentionShape(
            heads: config.headCount, keyValueHeads: config.keyValueHeadCount, headWidth: config.headDim,
            compute: head.weight.compute)
    }

    package var parameters: [Parameter] {
        [embedding]
            + layers.flatMap { [$0.inputNorm, $0.postNorm] + $0.projections.flatMap(\.parameters) }
            + [norm] + (config.tieWordEmbeddings ? [] : head.parameters)
    }

    /// Whether the tensor is part of a layer behind the last one.
    func leavesOut(_ name: String) -> Bool {
        guard let first = layers.first?.inputNorm.name, let mark = first.range(of: "layers.0.") else {
            return false
        }
        return name.hasPrefix("\(first[..<mark.lowerBound])layers.\(layers.count).")
    }

    package var linears: [Linear] { layers.flatMap(\.projections) + [head] }

    /// Lays all its matrices out in int8 when they are first multiplied by. The embedding is read as it is stored.
    package func quantize() { linears.forEach { $0.quantize() } }

    /// What the backward pass wants back of one layer.
    struct LayerTape {
        var x, h1, inverse1, q, k, v, context, logSumExp, middle, h2, inverse2, gate, up, inner: Matrix
        var lowAttention: [Matrix?]
        var lowOut: Matrix?
        var lowInner: [Matrix?]
        var lowDown: Matrix?
    }

    /// What is kept of a layer: all that its backward pass wants, or the input that it is made again from.
    enum Saved {
        case tape(LayerTape)
        case input(Matrix)
    }

    /// What a training pass leaves behind; its memory belongs to the arena.
    package struct Tape {
        let tokens: [Int32]
        let positions: [RotaryPosition]
        let segments: [AttentionSegment]
        let layers: [Saved]
        /// Of the last layer; nil for all.
        let wanted: Rows?
        let last: Matrix
        let inverse: Matrix
        /// Final hidden states `[T × C]`, after the last norm; of the wanted rows alone where some were named.
        package let hidden: Matrix

        /// Which row of `hidden` has what is read at these rows of the forest, all of them wanted.
        package func places(of rows: [Int]) -> [Int] {
            guard let wanted else { return rows }
            let places = Dictionary(uniqueKeysWithValues: zip(wanted.indices, 0...))
            return rows.map { places[$0]! }
        }

        package func labels(_ labels: [Label]) -> [Label] {
            zip(places(of: labels.map(\.row)), labels).map { Label(row: $0, target: $1.target) }
        }
    }

    /// Training: what the backward pass wants is kept in `arena`.
    ///
    /// - Parameters:
    ///   - recomputes: keep only the layers' inputs; `backward` computes the layers again, to the same bits.
    ///   - wanted: the rows that are read, in whatever order: the last layer computes nothing but keys and values of the
    ///     others. All without it.
    package func forward(
        _ forest: TokenForest, features: Matrix?, recomputes: Bool = false, of wanted: [Int]? = nil,
        _ arena: Arena
    ) -> Tape {
        let segments = forest.segments
        let wanted = wanted.map { rows(Set($0).sorted(), forest.positions, segments) }
        var x = embed(forest.tokens, features, arena)
        var saved: [Saved] = []
        for (index, layer) in layers.enumerated() {
            let only = index == layers.count - 1 ? wanted : nil
            let output = recomputes ? arena.matrix(only?.indices.count ?? x.rows, x.columns) : nil
            let mark = arena.mark
            let (tape, y) = run(
                layer, x, positions: forest.positions, segments, cache: nil, only: only, arena)
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
            tokens: forest.tokens, positions: forest.positions, segments: segments, layers: saved,
            wanted: wanted, last: x, inverse: inverse, hidden: hidden)
    }

    /// Decoding: the rows' keys and values go into `cache` at `slots`, segments point into the cache, and
    /// nothing else is kept. Returns the final hidden states of the rows in `wanted`, in order.
    package func forward(
        tokens: [Int32], positions: [RotaryPosition], slots: [Int], segments: [AttentionSegment],
        features: Matrix?,
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

    /// How its products are computed; of an int8 decoder those between activations.
    package var compute: Compute { head.weight.compute }

    /// Which rows to name to `forward` where these are read. In f32 all are computed: sums over fewer would round
    /// otherwise than in what is published.
    package func worthNaming(_ rows: [Int]) -> [Int]? { compute == .f32 || rows.isEmpty ? nil : rows }

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
        let positions: [RotaryPosition]
        let segments: [AttentionSegment]
    }

    /// - Parameter wanted: ascending.
    private func rows(_ wanted: [Int], _ positions: [RotaryPosition], _ segments: [AttentionSegment]) -> Rows
    {
        var own: [AttentionSegment] = []
        var (at, first) = (0, 0)
        while first < wanted.count {
            while !segments[at].queries.contains(wanted[first]) { at += 1 }
            let whole = segments[at]
            // Rows that follow each other stay one segment.
            var end = first + 1
            while end < wanted.count, wanted[end] == wanted[end - 1] + 1, whole.queries.contains(wanted[end])
            {
                end += 1
            }
            let after = whole.causal ? whole.queries.upperBound - 1 - wanted[end - 1] : 0
            own.append(
                AttentionSegment(
                    queries: first..<end, shared: whole.shared,
                    own: whole.own.lowerBound..<whole.own.upperBound - after, causal: whole.causal))
            first = end
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
        _ layer: DecoderLayer, _ input: Matrix, positions: [RotaryPosition], _ segments: [AttentionSegment],
        cache: (KeyValueCache.Layer, slots: [Int])?, only: Rows? = nil, _ arena: Arena
    ) -> (LayerTape, Matrix) {
        let epsilon = Float(config.rmsNormEpsilon)
        var x = input
        let h1 = arena.matrix(x.rows, x.columns)
        let inverse1 = arena.matrix(x.rows, 1)
        rmsNorm(x, layer.inputNorm.value, epsilon: epsilon, into: h1, inverse: inverse1)
        let (seen, lowAttention) = layer.attention.forward(h1, firstOf: only?.indices, arena)
        let (q, k, v) = (seen[0], seen[1], seen[2])
        rotary.rotate(k, positions: positions)
        rotary.rotate(q, positions: only?.positions ?? positions)
        if let only { x = gather(only.indices, of: x, arena) }
        let context = arena.matrix(x.rows, q.columns)
        let logSumExp = arena.matrix(x.rows, shape.heads)
        let asking = only?.segments ?? segments
        if let (cache, slots) = cache {
            cache.store(k, v, slots: slots)
            attention(q, cache.keys, cache.values, asking, shape, into: context, logSumExp: nil)
        } else {
            attention(q, k, v, asking, shape, into: context, logSumExp: logSumExp)
        }
        let (middle, lowOut) = layer.o.forward(context, arena)
        addRows(x, to: middle)
        let h2 = arena.matrix(x.rows, x.columns)
        let inverse2 = arena.matrix(x.rows, 1)
        rmsNorm(middle, layer.postNorm.value, epsilon: epsilon, into: h2, inverse: inverse2)
        let (read, lowInner) = layer.inner.forward(h2, arena)
        let (gate, up) = (read[0], read[1])
        let inner = arena.matrix(x.rows, gate.columns)
        siluMultiply(gate, up, into: inner)
        let (y, lowDown) = layer.down.forward(inner, arena)
        addRows(middle, to: y)
        let tape = LayerTape(
            x: input, h1: h1, inverse1: inverse1, q: q, k: k, v: v, context: context, logSumExp: logSumExp,
            middle: middle, h2: h2, inverse2: inverse2, gate: gate, up: up, inner: inner,
            lowAttention: lowAttention, lowOut: lowOut, lowInner: lowInner, lowDown: lowDown)
        return (tape, y)
    }
}
