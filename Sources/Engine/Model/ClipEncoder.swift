import Checkpoint
import Kernels

/// The transformer that CLIP's two towers share (Radford et al. 2021): pre-norm layers with biases. Keys under
/// `….encoder.layers.N.`, as transformers' `CLIPEncoderLayer` names them.
package final class ClipEncoder: @unchecked Sendable {
    struct Settings {
        var width: Int
        var inner: Int
        var layers: Int
        var heads: Int
        var epsilon: Float
        var activation: Activation
    }

    final class Layer: @unchecked Sendable {
        let norm1: Norm
        let norm2: Norm
        let q: Linear
        let k: Linear
        let v: Linear
        let out: Linear
        let fc1: Linear
        let fc2: Linear

        init(_ source: any ParameterSource, _ prefix: String, _ settings: Settings) throws {
            let (width, inner) = (settings.width, settings.inner)
            let branch = 1 / Double(2 * settings.layers).squareRoot()
            func linear(_ name: String, _ inputs: Int, _ outputs: Int, _ gain: Double = 1) throws -> Linear {
                try Linear(source, prefix + name, inputs: inputs, outputs: outputs, bias: true, gain: gain)
            }
            norm1 = try Norm(source, prefix + "layer_norm1", width)
            norm2 = try Norm(source, prefix + "layer_norm2", width)
            q = try linear("self_attn.q_proj", width, width)
            k = try linear("self_attn.k_proj", width, width)
            v = try linear("self_attn.v_proj", width, width)
            out = try linear("self_attn.out_proj", width, width, branch)
            fc1 = try linear("mlp.fc1", width, inner)
            fc2 = try linear("mlp.fc2", inner, width, branch)
        }

        var linears: [Linear] { [q, k, v, out, fc1, fc2] }
        var parameters: [Parameter] {
            norm1.parameters + norm2.parameters + linears.flatMap(\.parameters)
        }
    }

    struct LayerTape {
        var x, h1, statistics1, q, k, v, context, logSumExp, middle, h2, statistics2, inner, active: Matrix
    }

    struct Tape {
        let layers: [LayerTape]
        let segments: [AttentionSegment]
        let output: Matrix
    }

    let settings: Settings
    let layers: [Layer]
    private let shape: AttentionShape

    init(_ source: any ParameterSource, prefix: String, _ settings: Settings) throws {
        self.settings = settings
        layers = try (0..<settings.layers).map {
            try Layer(source, "\(prefix)encoder.layers.\($0).", settings)
        }
        shape = AttentionShape(
            heads: settings.heads, keyValueHeads: settings.heads,
            headWidth: settings.width / settings.heads, compute: layers[0].out.weight.compute)
    }

    var parameters: [Parameter] { layers.flatMap(\.parameters) }
    var linears: [Linear] { layers.flatMap(\.linears) }

    /// x `[T × C]` through the first `depth` layers; segments keep the sequences of the batch apart.
    func forward(_ x: Matrix, _ segments: [AttentionSegment], depth: Int, _ arena: Arena) -> Tape {
        var x = x
        var tapes: [LayerTape] = []
        for layer in layers.prefix(depth) {
            let (tape, y) = run(layer, x, segments, arena)
            tapes.append(tape)
            x = y
        }
        return Tape(layers: tapes, segments: segments, output: x)
    }

    /// The same with nothing kept for the way back; x becomes the output.
    func run(_ x: Matrix, _ segments: [AttentionSegment], depth: Int, _ arena: Arena) {
        for layer in layers.prefix(depth) {
            let mark = arena.mark
            x.copy(from: run(layer, x, segments, arena).1)
            arena.release(to: mark)
        }
    }

    private func run(_ layer: Layer, _ x: Matrix, _ segments: [AttentionSegment], _ arena: Arena) -> (
        LayerTape, Matrix
    ) {
        let (h1, statistics1) = layer.norm1.forward(x, settings.epsilon, arena)
        let q = layer.q.forward(h1, arena).y
        let k = layer.k.forward(h1, arena).y
        let v = layer.v.forward(h1, arena).y
        let context = arena.matrix(x.rows, x.columns)
        let logSumExp = arena.matrix(x.rows, settings.heads)
        attention(q, k, v, segments, shape, into: context, logSumExp: logSumExp)
        let middle = layer.out.forward(context, arena).y
        addRows(x, to: middle)
        let (h2, statistics2) = layer.norm2.forward(middle, settings.epsilon, arena)
        let inner = layer.fc1.forward(h2, arena).y
        let active = arena.matrix(x.rows, inner.columns)
        settings.activation.apply(inner, into: active)
        let y = layer.fc2.forward(active, arena).y
        addRows(middle, to: y)
        let tape = LayerTape(
            x: x, h1: h1, statistics1: statistics1, q: q, k: k, v: v, context: context,
            logSumExp: logSumExp, middle: middle, h2: h2, statistics2: statistics2, inner: inner,
            active: active)
        return (tape, y)
    }

    /// `dy` `[T × C]` holds the gradient of the output and becomes that of the input.
    func backward(_ tape: Tape, dy: Matrix, _ arena: Arena) {
        for (layer, saved) in zip(layers, tape.layers).reversed() {
            let mark = arena.mark
            backward(layer, saved, tape.segments, dy, arena)
            arena.release(to: mark)
        }
    }

    private func backward(
        _ layer: Layer, _ saved: LayerTape, _ segments: [AttentionSegment], _ dy: Matrix, _ arena: Arena
    ) {
        let rows = dy.rows
        let dActive = arena.matrix(rows, saved.active.columns)
        layer.fc2.backward(saved.active, low: nil, dy: dy, dx: dActive, accumulate: false, arena)
        let dInner = arena.matrix(rows, dActive.columns)
        settings.activation.applyBackward(saved.inner, dy: dActive, into: dInner)
        let dh2 = arena.matrix(rows, dy.columns)
        layer.fc1.backward(saved.h2, low: nil, dy: dInner, dx: dh2, accumulate: false, arena)
        layer.norm2.backward(saved.middle, saved.statistics2, dy: dh2, dx: dy)

        let dContext = arena.matrix(rows, dy.columns)
        layer.out.backward(saved.context, low: nil, dy: dy, dx: dContext, accumulate: false, arena)
        let dq = arena.zeros(rows, dy.columns)
        let dk = arena.zeros(rows, dy.columns)
        let dv = arena.zeros(rows, dy.columns)
        attentionBackward(
            saved.q, saved.k, saved.v, segments, shape, out: saved.context, logSumExp: saved.logSumExp,
            dOut: dContext, dq: dq, dk: dk, dv: dv)
        let dh1 = arena.matrix(rows, dy.columns)
        layer.q.backward(saved.h1, low: nil, dy: dq, dx: dh1, accumulate: false, arena)
        layer.k.backward(saved.h1, low: nil, dy: dk, dx: dh1, accumulate: true, arena)
        layer.v.backward(saved.h1, low: nil, dy: dv, dx: dh1, accumulate: true, arena)
        layer.norm1.backward(saved.x, saved.statistics1, dy: dh1, dx: dy)
    }
}

/// LayerNorm with its weight and bias.
final class Norm: @unchecked Sendable {
    let weight: Parameter
    let bias: Parameter

    init(_ source: any ParameterSource, _ name: String, _ width: Int) throws {
        weight = try source.parameter(name + ".weight", [width], start: .constant(1))
        bias = try source.parameter(name + ".bias", [width], start: .constant(0))
    }

    var parameters: [Parameter] { [weight, bias] }

    func forward(_ x: Matrix, _ epsilon: Float, _ arena: Arena) -> (y: Matrix, statistics: Matrix) {
        let y = arena.matrix(x.rows, x.columns)
        let statistics = arena.matrix(x.rows, 2)
        layerNorm(x, weight.value, bias.value, epsilon: epsilon, into: y, statistics: statistics)
        return (y, statistics)
    }

    /// Adds to dx.
    func backward(_ x: Matrix, _ statistics: Matrix, dy: Matrix, dx: Matrix) {
        layerNormBackward(
            x, weight.value, statistics: statistics, dy: dy, dx: dx, dw: weight.gradient,
            db: bias.gradient)
    }
}

extension Activation {
    init(_ activation: ClipActivation) {
        switch activation {
        case .gelu: self = .gelu
        case .quickGELU: self = .quickGELU
        case .geluTanh: self = .geluTanh
        }
    }
}
