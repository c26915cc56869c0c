import CKernels
import Foundation

/// log softmax(logits)[target] of one row of `columns` logits.
package func logProbability(_ logits: UnsafePointer<Float>, _ columns: Int, of target: Int) -> Float {
    let peak = sl_max(columns, logits)
    return logits[target] - peak - log(sl_sum_exp(columns, logits, peak))
}

/// In place: logits ← (onehot(target) − softmax(logits)) · weight, the gradient of weight · log p(target).
package func logProbabilityBackward(
    _ logits: UnsafeMutablePointer<Float>, _ columns: Int, of target: Int, weight: Float
) {
    let peak = sl_max(columns, logits)
    let sum = sl_exp_sum(columns, logits, peak, logits)
    sl_scale(columns, -weight / sum, logits)
    logits[target] += weight
}
