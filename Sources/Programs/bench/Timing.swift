import Foundation

/// A figure that was measured turn by turn.
struct Series: Codable {
    let median: Double
    let turns: [Double]

    init(_ turns: [Double]) { (median, self.turns) = (bench.median(turns), turns) }

    /// Turn by turn, so that what slows the machine for a while slows both sides.
    static func ratio(_ a: Series, _ b: Series) -> Series { Series(zip(a.turns, b.turns).map { $0 / $1 }) }

    /// `2.31 (2.25–2.40)`
    var description: String {
        func fixed(_ x: Double) -> String { String(format: "%.2f", x) }
        return turns.count < 2
            ? fixed(median) : "\(fixed(median)) (\(fixed(turns.min()!))–\(fixed(turns.max()!)))"
    }
}

func median(_ values: [Double]) -> Double {
    let sorted = values.sorted()
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/// Wall time of `body`.
func wallSeconds(_ body: () throws -> Void) rethrows -> Double {
    let clock = ContinuousClock()
    let taken = try clock.measure(body)
    return Double(taken.components.seconds) + Double(taken.components.attoseconds) * 1e-18
}
