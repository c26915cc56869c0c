import Checkpoint
import Kernels
import Model

package func largestDifference(_ left: [Float], _ right: [Float]) -> Float {
    guard left.count == right.count else { return .infinity }
    return zip(left, right).reduce(0) { max($0, ($1.0 - $1.1).isNaN ? .infinity : abs($1.0 - $1.1)) }
}

/// ‖left − right‖ / ‖right‖; where right is zero, ‖left‖.
package func relativeError(_ left: [Float], _ right: [Float]) -> Double {
    guard left.count == right.count else { return .infinity }
    var difference = 0.0
    var size = 0.0
    for (l, r) in zip(left, right) {
        difference += (Double(l) - Double(r)) * (Double(l) - Double(r))
        size += Double(r) * Double(r)
    }
    let error = difference.squareRoot() / (size > 0 ? size.squareRoot() : 1)
    return error.isNaN ? .infinity : error
}

package func norm(_ values: [Float]) -> Double {
    values.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
}

/// Compares every parameter's gradient with the tensor of its canonical name.
///
/// A bias of the keys moves all scores of a query alike, so its true gradient is zero and what both sides have is
/// rounding: such tensors are measured against the largest gradient.
/// - Parameter idle: parameters that take no part; their gradients must be zero.
/// - Returns: what disagrees, a line each.
package func gradientFaults(
    _ parameters: [Parameter], in file: SafetensorsFile, idle: Set<String> = [], prefix: String = "",
    within tolerance: Double = 2e-5
) throws -> [String] {
    let held = file.names.filter { $0.hasPrefix(prefix) }
    let largest = try held.map { norm(try Oracle.floats(file, $0)) }.max() ?? 0
    var faults: [String] = []
    var compared = 0
    for parameter in parameters {
        let name = TensorNames.canonical(parameter.name)
        guard let gradient = parameter.gradient?.values else {
            faults.append("\(name) has no gradient")
            continue
        }
        if idle.contains(name) {
            if norm(gradient) != 0 { faults.append("\(name) takes no part and has a gradient") }
            continue
        }
        let wanted = try Oracle.floats(file, prefix + name)
        let isRounding = norm(wanted) < 1e-6 * largest
        let error = isRounding ? norm(gradient) / largest : relativeError(gradient, wanted)
        if !(error < (isRounding ? 1e-6 : tolerance)) { faults.append("\(name): relative error \(error)") }
        compared += 1
    }
    if compared != held.count { faults.append("\(compared) of \(held.count) tensors compared") }
    return faults
}
