import CKernels

/// The element-wise non-linearities, each with its derivative; all matrices `[T × C]` of one shape.
package enum Activation: String, Sendable {
    /// x·Φ(x), exact
    case gelu
    /// x·σ(1.702 x), as the original CLIP has it
    case quickGELU = "quick_gelu"
    /// x·Φ(x) by tanh of a cubic, as SigLIP has it
    case geluTanh = "gelu_pytorch_tanh"

    package func apply(_ x: Matrix, into y: Matrix) {
        Parallel.ranges(x.rows, grain: 64) { rows in
            for r in rows {
                switch self {
                case .gelu: sl_gelu(x.columns, x.row(r), y.row(r))
                case .quickGELU: sl_quick_gelu(x.columns, x.row(r), y.row(r))
                case .geluTanh: sl_gelu_tanh(x.columns, x.row(r), y.row(r))
                }
            }
        }
    }

    /// Writes dx; it may be the memory of dy.
    package func applyBackward(_ x: Matrix, dy: Matrix, into dx: Matrix) {
        Parallel.ranges(x.rows, grain: 64) { rows in
            for r in rows {
                switch self {
                case .gelu: sl_gelu_backward(x.columns, x.row(r), dy.row(r), dx.row(r))
                case .quickGELU: sl_quick_gelu_backward(x.columns, x.row(r), dy.row(r), dx.row(r))
                case .geluTanh: sl_gelu_tanh_backward(x.columns, x.row(r), dy.row(r), dx.row(r))
                }
            }
        }
    }
}

/// SwiGLU (Shazeer 2020): y = silu(gate) · up.
package func siluMultiply(_ gate: Matrix, _ up: Matrix, into y: Matrix) {
    Parallel.ranges(gate.rows, grain: 64) { rows in
        for r in rows { sl_silu_multiply(gate.columns, gate.row(r), up.row(r), y.row(r)) }
    }
}

/// Writes dgate and dup.
package func siluMultiplyBackward(_ gate: Matrix, _ up: Matrix, dy: Matrix, dgate: Matrix, dup: Matrix) {
    Parallel.ranges(gate.rows, grain: 64) { rows in
        for r in rows {
            sl_silu_multiply_backward(
                gate.columns, gate.row(r), up.row(r), dy.row(r), dgate.row(r), dup.row(r))
        }
    }
}
