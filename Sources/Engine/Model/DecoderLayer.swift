import Checkpoint
import Kernels

/// One layer of a decoder; keys under `….layers.N.`.
package final class DecoderLayer: @unchecked Sendable {
    let inputNorm: Parameter
    /// q, k and v.
    let attention: Projections
    let o: Linear
    let postNorm: Parameter
    /// gate and up.
    let inner: Projections
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
        let (attentionPrefix, innerPrefix) = (prefix + "self_attn.", prefix + "mlp.")
        attention = try Projections(
            source, config.isFused ? ["qkv_proj"] : ["q_proj", "k_proj", "v_proj"], under: attentionPrefix,
            inputs: width, widths: [heads, kv, kv], bias: config.queryKeyValueBias)
        o = try Linear(
            source, attentionPrefix + "o_proj", inputs: heads, outputs: width, bias: config.outputBias,
            gain: branch)
        inner = try Projections(
            source, config.isFused ? ["gate_up_proj"] : ["gate_proj", "up_proj"], under: innerPrefix,
            inputs: width, widths: [config.intermediateSize, config.intermediateSize], bias: config.mlpBias)
        down = try Linear(
            source, innerPrefix + "down_proj", inputs: config.intermediateSize, outputs: width,
            bias: config.mlpBias, gain: branch)
    }

    package var projections: [Linear] { attention.linears + [o] + inner.linears + [down] }
}

/// Linear layers that read the same rows: each in a matrix of its own, or all in one with their outputs side by side
/// (Phi-3).
final class Projections: @unchecked Sendable {
    let linears: [Linear]
    /// Outputs of each.
    private let widths: [Int]

    init(
        _ source: any ParameterSource, _ names: [String], under prefix: String, inputs: Int, widths: [Int],
        bias: Bool
    ) throws {
        self.widths = widths
        let outputs = names.count == widths.count ? widths : [widths.reduce(0, +)]
        linears = try zip(names, outputs).map { name, outputs in
            try Linear(source, prefix + name, inputs: inputs, outputs: outputs, bias: bias)
        }
    }

    private var isFused: Bool { linears.count < widths.count }

    /// x `[T × in]` → what each makes of it, and LoRA's part for `backward`.
    ///
    /// - Parameter firstOf: the rows that the first is wanted of; all without it.
    func forward(_ x: Matrix, firstOf rows: [Int]? = nil, _ arena: Arena) -> (parts: [Matrix], low: [Matrix?])
    {
        func chosen(_ x: Matrix) -> Matrix {
            guard let rows else { return x }
            let result = arena.matrix(rows.count, x.columns)
            gatherRows(rows, of: x, into: result)
            return result
        }
        if isFused {
            let (y, low) = linears[0].forward(x, arena)
            var parts = split(y)
            parts[0] = chosen(parts[0])
            return (parts, [low])
        }
        let made = linears.enumerated().map { $1.forward($0 == 0 ? chosen(x) : x, arena) }
        return (made.map(\.y), made.map(\.low))
    }

    /// Room for the gradients of what each made, to be written, or zeros to be added to.
    ///
    /// - Parameter first: the rows that the first is of; all without it.
    func gradients(_ rows: Int, zeros: Bool = false, firstOf first: [Int]? = nil, _ arena: Arena) -> [Matrix]
    {
        func room(_ rows: Int, _ width: Int) -> Matrix {
            zeros ? arena.zeros(rows, width) : arena.matrix(rows, width)
        }
        guard isFused else {
            return widths.enumerated().map { room($0 == 0 ? first?.count ?? rows : rows, $1) }
        }
        var parts = split(room(rows, linears[0].outputs))
        if let first { parts[0] = room(first.count, widths[0]) }
        return parts
    }

    /// Writes the gradient of x, where it is wanted; adds to those of whatever is trained.
    ///
    /// - Parameters:
    ///   - rows: those that the first was wanted of; all without it.
    ///   - dy: in matrices of `gradients`, with zeros.
    func backward(
        _ x: Matrix, firstOf rows: [Int]? = nil, low: [Matrix?], dy: [Matrix], dx: Matrix?, _ arena: Arena
    ) {
        if isFused {
            // They lie side by side, and the first one's columns of the whole are zero so far where it is elsewhere.
            let last = dy[dy.count - 1]
            let whole = Matrix(
                last.base - (linears[0].outputs - last.columns), rows: last.rows,
                columns: linears[0].outputs, stride: last.stride)
            if let rows { scatterRows(dy[0], to: rows, of: whole.columns(0..<dy[0].columns)) }
            return linears[0].backward(x, low: low[0], dy: whole, dx: dx, accumulate: false, arena)
        }
        for (index, linear) in linears.enumerated() {
            if index == 0, let rows {
                let own = arena.matrix(rows.count, x.columns)
                gatherRows(rows, of: x, into: own)
                let dOwn = dx.map { arena.matrix(rows.count, $0.columns) }
                linear.backward(own, low: low[0], dy: dy[0], dx: dOwn, accumulate: false, arena)
                guard let dx, let dOwn else { continue }
                dx.fill(0)
                scatterRows(dOwn, to: rows, of: dx)
            } else {
                linear.backward(x, low: low[index], dy: dy[index], dx: dx, accumulate: index > 0, arena)
            }
        }
    }

    private func split(_ y: Matrix) -> [Matrix] {
        var first = 0
        return widths.map { width in
            defer { first += width }
            return y.columns(first..<first + width)
        }
    }
}
