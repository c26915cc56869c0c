import Foundation

/// Work per second, at the batch size that did best.
struct Rate: Codable {
    struct Try: Codable {
        let batchSize: Int
        let perSecond: Double
        let seconds: [Double]
    }

    let batchSize: Int
    let perSecond: Double
    let tried: [Try]

    /// Takes the median of the seconds that `run` returns for each of `sizes`, until the rate falls.
    /// - Parameter work: what one item of a batch counts for.
    init(sizes: [Int], work: Int, unit: String, run: (Int) throws -> [Double]) rethrows {
        var tried: [Try] = []
        for size in sizes {
            let seconds = try run(size)
            let rate = Double(size * work) / median(seconds)
            tried.append(Try(batchSize: size, perSecond: rate, seconds: seconds))
            talk("  batch \(size): \(String(format: "%.2f", rate)) \(unit)")
            if rate < 0.97 * tried.map(\.perSecond).max()! { break }
        }
        let best = tried.max { $0.perSecond < $1.perSecond }!
        (batchSize, perSecond, self.tried) = (best.batchSize, best.perSecond, tried)
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
