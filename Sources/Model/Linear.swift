import CKernels
import Kernels

/// y = x·Wᵀ + b, W `[out × in]`, with a LoRA beside it where one is attached.
package final class Linear: @unchecked Sendable {
    package let weight: Parameter
    package let bias: Parameter?
    package private(set) var adapter: LoRA?
    private var packed: GEMM.Packed?
    /// Of frozen weights only, for the gradient that goes through them.
    private var packedTransposed: GEMM.Packed?

    package init(weight: Parameter, bias: Parameter? = nil) {
        self.weight = weight
        self.bias = bias
    }

    /// Starts, where the source is random, with the deviation gain/√inputs, which keeps the size of what goes
    /// through whatever the width (a fixed 0.02 leaves small models asleep for their first hundreds of steps).
    convenience init(
        _ source: any ParameterSource, _ name: String, inputs: Int, outputs: Int, bias: Bool = false,
        gain: Double = 1
    ) throws {
        let start = ParameterStart.normal(deviation: gain / Double(inputs).squareRoot())
        self.init(
            weight: try source.parameter(name + ".weight", [outputs, inputs], start: start),
            bias: bias ? try source.parameter(name + ".bias", [outputs], start: .constant(0)) : nil)
    }

    /// The module's full name, as LoRA targets are matched.
    package var name: String { String(weight.name.dropLast(".weight".count)) }
    package var inputs: Int { weight.value.columns }
    package var outputs: Int { weight.value.rows }
    package var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    package func attach(_ adapter: LoRA?) { self.adapter = adapter }

    /// Call after an optimiser step: packs again what is trained. Frozen weights under an adapter are not.
    package func weightsChanged() {
        if weight.isTrained {
            packed?.pack(weight.value)
            packedTransposed = nil
        }
        adapter?.weightsChanged()
    }

    /// Call after the adapter's weights changed, and only they.
    package func adapterChanged() { adapter?.weightsChanged() }

    private var panels: GEMM.Packed {
        if let packed { return packed }
        let made = GEMM.Packed(weight.value)
        packed = made
        return made
    }

    private var transposedPanels: GEMM.Packed {
        if let packedTransposed { return packedTransposed }
        let made = GEMM.Packed(weight.value, transposed: true)
        packedTransposed = made
        return made
    }

    /// x `[T × in]` → y `[T × out]`; `low` is LoRA's s·x·Aᵀ `[T × r]`, which `backward` wants back.
    package func forward(_ x: Matrix, _ arena: Arena) -> (y: Matrix, low: Matrix?) {
        let y = arena.matrix(x.rows, outputs)
        GEMM.multiply(x, panels, into: y)
        if let bias {
            Parallel.ranges(y.rows, grain: 128) { rows in
                for r in rows { sl_add(y.columns, bias.value.base, y.row(r)) }
            }
        }
        guard let adapter, adapter.isActive else { return (y, nil) }
        return (y, adapter.forward(x, addingTo: y, arena))
    }

    /// Adds dy·W (and LoRA's share) to dx, or writes it when `accumulate` is false; adds to the gradients of
    /// whatever is trained. `dx` nil: nobody below is trained.
    package func backward(
        _ x: Matrix, low: Matrix?, dy: Matrix, dx: Matrix?, accumulate: Bool, _ arena: Arena
    ) {
        if let dx {
            if weight.isTrained {
                GEMM.multiplyInputGradient(dy, weight.value, into: dx, accumulate: accumulate)
            } else {
                GEMM.multiply(dy, transposedPanels, into: dx, accumulate: accumulate)
            }
        }
        if let gradient = weight.gradient { GEMM.addWeightGradient(dy, x, into: gradient) }
        if let gradient = bias?.gradient { addColumnSums(dy, to: gradient) }
        if let adapter, let low { adapter.backward(x, low: low, dy: dy, dx: dx, arena) }
    }

    /// Folds the adapter into the weights in f32: W += s·B·A.
    package func fold(_ adapter: LoRA) {
        // dyᵀ·x with dy = Bᵀ and x = A is B·A.
        let transposed = Buffer(count: adapter.b.count)
        let (outputs, rank) = (outputs, adapter.rank)
        let bt = transposed.matrix(rows: rank, columns: outputs)
        for i in 0..<outputs { for j in 0..<rank { bt[j, i] = adapter.b.value[i, j] } }
        GEMM.addWeightGradient(bt, adapter.a.value, into: weight.value, scale: adapter.scale)
        withExtendedLifetime(transposed) {}
        packed?.pack(weight.value)
        packedTransposed?.pack(weight.value)
    }
}

/// db `[1 × C]` += Σ rows of dy, in a fixed order.
func addColumnSums(_ dy: Matrix, to gradient: Matrix) {
    Parallel.ranges(dy.columns, grain: 64) { columns in
        for r in 0..<dy.rows {
            sl_add(columns.count, dy.row(r) + columns.lowerBound, gradient.base + columns.lowerBound)
        }
    }
}

/// Low-rank adaptation (Hu et al. 2021): y += s·(x·Aᵀ)·Bᵀ, A `[r × in]`, B `[out × r]`, s = α/r.
package final class LoRA: @unchecked Sendable {
    package let a: Parameter
    package let b: Parameter
    package let scale: Float
    /// Off for the reference model.
    package var isActive = true
    private var packedA: GEMM.Packed?
    private var packedB: GEMM.Packed?

    package init(a: Parameter, b: Parameter, scale: Float) {
        self.a = a
        self.b = b
        self.scale = scale
    }

    package var rank: Int { a.value.rows }

    func weightsChanged() {
        packedA?.pack(a.value)
        packedB?.pack(b.value)
    }

    func forward(_ x: Matrix, addingTo y: Matrix, _ arena: Arena) -> Matrix {
        let pa = packedA ?? GEMM.Packed(a.value)
        let pb = packedB ?? GEMM.Packed(b.value)
        (packedA, packedB) = (pa, pb)
        let low = arena.matrix(x.rows, rank)
        GEMM.multiply(x, pa, into: low)
        sl_scale(low.count, scale, low.base)
        GEMM.multiply(low, pb, into: y, accumulate: true)
        return low
    }

    func backward(_ x: Matrix, low: Matrix, dy: Matrix, dx: Matrix?, _ arena: Arena) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        if let gradient = b.gradient { GEMM.addWeightGradient(dy, low, into: gradient) }
        let dLow = arena.matrix(dy.rows, rank)
        GEMM.multiplyInputGradient(dy, b.value, into: dLow, accumulate: false)
        sl_scale(dLow.count, scale, dLow.base)
        if let gradient = a.gradient { GEMM.addWeightGradient(dLow, x, into: gradient) }
        if let dx { GEMM.multiplyInputGradient(dLow, a.value, into: dx, accumulate: true) }
    }
}
