import CKernels

/// One step of AdamW (Loshchilov & Hutter 2019) for one parameter, the arithmetic of `torch.optim.AdamW`.
package struct AdamWStep: Sendable {
    /// That gradients are multiplied by, for a norm that is clipped.
    package var gradientScale: Float
    package var rate: Float
    package var beta1: Float
    package var beta2: Float
    /// 1 − β^t
    package var correction1: Float
    package var correction2: Float
    package var epsilon: Float
    package var decay: Float

    package init(
        gradientScale: Float, rate: Float, betas: (Float, Float), corrections: (Float, Float), epsilon: Float,
        decay: Float
    ) {
        (self.gradientScale, self.rate, self.epsilon, self.decay) = (gradientScale, rate, epsilon, decay)
        (beta1, beta2) = betas
        (correction1, correction2) = corrections
    }

    /// Moves `value` and both moments, all rows of one length; the gradient is zero afterwards.
    package func update(_ value: Matrix, gradient: Matrix, first: Matrix, second: Matrix) {
        let (value, gradient) = (value.asOneRow, gradient.asOneRow)
        let (first, second) = (first.asOneRow, second.asOneRow)
        precondition([gradient, first, second].allSatisfy { $0.count == value.count })
        Parallel.ranges(value.count, grain: 1 << 14) { range in
            let at = range.lowerBound
            sl_adamw(
                range.count, value.base + at, gradient.base + at, first.base + at, second.base + at,
                gradientScale, rate, beta1, beta2, correction1, correction2, epsilon, decay)
            (gradient.base + at).update(repeating: 0, count: range.count)
        }
    }
}
