import Foundation

/// A number with a fixed count of decimals, for people to read.
package func fixed(_ value: Double, _ decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
}

/// The same with its sign: `+1.2`, `−0.5`; what rounds to zero has none.
package func signed(_ value: Double, _ decimals: Int) -> String {
    let text = fixed(abs(value), decimals)
    let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
    return (isZero ? "" : value < 0 ? "−" : "+") + text
}
