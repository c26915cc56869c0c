import Kernels
import Synchronization

/// y = x·Wᵀ + b, W `[out × in]`, with a LoRA beside it where one is attached.
///
/// Several threads may read it at once (`forward`, and `backward` through frozen weights); whoever changes it, by an
/// adapter or a step, has it alone.
package final class Linear: @unchecked Sendable {
    package let weight: Parameter
    package let bias: Parameter?
    /// How products with the weight are computed.
    package private(set) var compute: Compute
    package private(set) var adapter: LoRA?
    /// Of earlier rounds, on and frozen, beside weights that would round them away.
    private var settled: [LoRA] = []
    private var factor: Factor

    package init(weight: Parameter, bias: Parameter? = nil) {
        self.weight = weight
        self.bias = bias
        compute = weight.compute
        factor = Factor(weight, weight.compute)
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
    package var inputs: Int { weight.columns }
    package var outputs: Int { weight.rows }
    package var parameters: [Parameter] { [weight] + (bias.map { [$0] } ?? []) }

    /// Of the adapters of earlier rounds that stand beside the weights.
    var settledRanks: [Int] { settled.map(\.rank) }

    package func attach(_ adapter: LoRA?) { self.adapter = adapter }

    /// Lays the weight out in int8 when it is first multiplied by; it isn't trained then, nor what is below it.
    package func quantize() {
        compute = .int8
        factor = Factor(weight, compute)
    }

    /// Reads what products read of the weights, once; a measure of what memory gives at best.
    /// - Returns: the bytes.
    package func readThrough() -> Int { factor.readThrough() }

    /// Call after an optimiser step: packs again what is trained. Frozen weights under an adapter are not.
    package func weightsChanged() {
        if weight.isTrained { factor.refresh() }
        adapter?.weightsChanged()
    }

    /// Call after the adapter's weights changed, and only they.
    package func adapterChanged() { adapter?.weightsChanged() }

    /// x `[T × in]` → y `[T × out]`; `low` is LoRA's s·x·Aᵀ `[T × r]`, which `backward` wants back.
    package func forward(_ x: Matrix, _ arena: Arena) -> (y: Matrix, low: Matrix?) {
        let y = arena.matrix(x.rows, outputs)
        factor.multiply(x, into: y)
        if let bias { addBias(bias.value, to: y) }
        for earlier in settled { _ = earlier.forward(x, addingTo: y, arena) }
        guard let adapter, adapter.isActive else { return (y, nil) }
        return (y, adapter.forward(x, addingTo: y, arena))
    }

    /// Adds dy·W (and LoRA's share) to dx, or writes it when `accumulate` is false; adds to the gradients of
    /// whatever is trained. `dx` nil: nobody below is trained.
    package func backward(
        _ x: Matrix, low: Matrix?, dy: Matrix, dx: Matrix?, accumulate: Bool, _ arena: Arena
    ) {
        if let dx { factor.multiplyInputGradient(dy, into: dx, accumulate: accumulate) }
        factor.addGradient(dy, x)
        if let dx { settled.forEach { $0.backward(x, low: nil, dy: dy, dx: dx, arena) } }
        if let gradient = bias?.gradient { addColumnSums(dy, to: gradient) }
        if let adapter, let low { adapter.backward(x, low: low, dy: dy, dx: dx, arena) }
    }

    /// Makes the adapter a part of what is computed: of weights multiplied in f32 by folding it in, else beside them.
    package func settle(_ adapter: LoRA) {
        guard compute != .f32 else { return fold(adapter) }
        [adapter.a, adapter.b].forEach { $0.freeze() }
        settled.append(adapter)
    }

    /// The weights with what has settled beside them, in f32; a copy.
    package var wholeWeights: [Float] {
        var values = weight.values
        values.withUnsafeMutableBufferPointer { values in
            let sum = Matrix(values.baseAddress!, rows: outputs, columns: inputs)
            settled.forEach { $0.add(to: sum) }
        }
        return values
    }

    /// W += s·B·A, in f32.
    private func fold(_ adapter: LoRA) {
        adapter.add(to: weight.value)
        factor.refresh()
    }
}

/// A parameter as a factor of products, packed when it is first multiplied by, by whichever thread that is.
private final class Factor: Sendable {
    private let weight: Parameter
    private let compute: Compute
    private let packed = Mutex<GEMM.Packed?>(nil)

    init(_ weight: Parameter, _ compute: Compute) { (self.weight, self.compute) = (weight, compute) }

    private var panels: GEMM.Packed {
        packed.withLock { packed in
            if let packed { return packed }
            let made = GEMM.Packed(weight.stored, compute: compute)
            packed = made
            return made
        }
    }

    func readThrough() -> Int { panels.readThrough() }

    /// After the weights changed.
    func refresh() {
        packed.withLock { packed in
            guard let before = packed else { return }
            let weights = weight.stored
            if before.fits(weights) { before.pack(weights) } else { packed = nil }
        }
    }

    /// y = x·Wᵀ
    func multiply(_ x: Matrix, into y: Matrix, accumulate: Bool = false) {
        GEMM.multiply(x, panels, into: y, accumulate: accumulate)
    }

    /// dx = dy·W, or += when `accumulate`
    func multiplyInputGradient(_ dy: Matrix, into dx: Matrix, accumulate: Bool) {
        if weight.isTrained, compute == .f32 {
            GEMM.multiplyInputGradient(dy, weight.value, into: dx, accumulate: accumulate)
        } else {
            GEMM.multiplyTransposed(dy, panels, into: dx, accumulate: accumulate)
        }
    }

    /// Adds dyᵀ·x to the gradient, where there is one.
    func addGradient(_ dy: Matrix, _ x: Matrix) {
        guard let gradient = weight.gradient else { return }
        GEMM.addWeightGradient(dy, x, into: gradient, compute: compute)
    }
}

/// Low-rank adaptation (Hu et al. 2021): y += s·(x·Aᵀ)·Bᵀ, A `[r × in]`, B `[out × r]`, s = α/r. Shared between
/// threads as its `Linear` is.
package final class LoRA: @unchecked Sendable {
    package let a: Parameter
    package let b: Parameter
    package let scale: Float
    /// Off for the reference model.
    package var isActive = true
    private let factorA: Factor
    private let factorB: Factor

    package init(a: Parameter, b: Parameter, scale: Float) {
        self.a = a
        self.b = b
        self.scale = scale
        (factorA, factorB) = (Factor(a, a.compute), Factor(b, b.compute))
    }

    package var rank: Int { a.rows }

    func weightsChanged() {
        factorA.refresh()
        factorB.refresh()
    }

    func forward(_ x: Matrix, addingTo y: Matrix, _ arena: Arena) -> Matrix {
        let low = arena.matrix(x.rows, rank)
        factorA.multiply(x, into: low)
        scaleRows(low, by: scale)
        factorB.multiply(low, into: y, accumulate: true)
        return low
    }

    /// W += s·B·A
    func add(to weights: Matrix) {
        // dyᵀ·x with dy = Bᵀ and x = A is B·A.
        let transposed = Buffer(count: b.count)
        let bt = transposed.matrix(rows: rank, columns: b.rows)
        for i in 0..<b.rows { for j in 0..<rank { bt[j, i] = b.value[i, j] } }
        GEMM.addWeightGradient(bt, a.value, into: weights, scale: scale)
        withExtendedLifetime(transposed) {}
    }

    /// - Parameter low: what `forward` gave; nil while B is frozen.
    func backward(_ x: Matrix, low: Matrix?, dy: Matrix, dx: Matrix?, _ arena: Arena) {
        let mark = arena.mark
        defer { arena.release(to: mark) }
        if let low { factorB.addGradient(dy, low) }
        let dLow = arena.matrix(dy.rows, rank)
        factorB.multiplyInputGradient(dy, into: dLow, accumulate: false)
        scaleRows(dLow, by: scale)
        factorA.addGradient(dLow, x)
        if let dx { factorA.multiplyInputGradient(dLow, into: dx, accumulate: true) }
    }
}
