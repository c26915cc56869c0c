import CKernels

/// y = softmax(x) of one row of `columns`; y may be x.
/// - Returns: the largest x and Σ exp(x − that), whose logarithm added to it is log Σ exp(x).
@discardableResult
package func softmax(
    _ x: UnsafePointer<Float>, _ columns: Int, into y: UnsafeMutablePointer<Float>
) -> (peak: Float, sum: Float) {
    let peak = sl_max(columns, x)
    let sum = sl_exp_sum(columns, x, peak, y)
    sl_scale(columns, 1 / sum, y)
    return (peak, sum)
}

/// Of at least one number.
package func largest(_ x: UnsafeBufferPointer<Float>) -> Float { sl_max(x.count, x.baseAddress!) }

/// A draw from softmax(factor · x): the index at which the running sum passes `uniform`, in [0, 1), of the whole.
package func drawIndex(_ x: UnsafeBufferPointer<Float>, factor: Float, uniform: Double) -> Int {
    sl_draw(x.count, x.baseAddress!, factor, uniform)
}
