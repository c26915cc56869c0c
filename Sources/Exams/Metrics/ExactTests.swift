import Foundation

/// McNemar's exact test for two systems on the same right/wrong items.
package struct McNemarTest: Sendable, Equatable {
    /// Items that only the first system has right.
    package var onlyFirst: Int
    /// Items that only the second has right.
    package var onlySecond: Int

    package init(onlyFirst: Int, onlySecond: Int) {
        (self.onlyFirst, self.onlySecond) = (onlyFirst, onlySecond)
    }

    /// Counts the discordant items of two equally long lists.
    ///
    /// - Throws: `MetricsError.unmatched` for lists of different length.
    package init(first: [Bool], second: [Bool]) throws {
        guard first.count == second.count else {
            throw MetricsError.unmatched(
                where: "McNemar", found: "\(first.count) items against \(second.count)",
                remedy: "compare answers to the same questions in the same order")
        }
        let pairs = zip(first, second)
        self.init(onlyFirst: pairs.count { $0 && !$1 }, onlySecond: pairs.count { !$0 && $1 })
    }

    /// Two-sided p-value: twice the smaller tail of Binomial(n, ½) over the n discordant items, at most 1.
    package var pValue: Double {
        let n = onlyFirst + onlySecond
        let k = min(onlyFirst, onlySecond)
        // Logarithms: 2⁻ⁿ underflows from n = 1,075 on, and POPE has 8,910 items.
        let whole = lgamma(Double(n) + 1) - Double(n) * log(2)
        var tail = 0.0
        for i in 0...k { tail += exp(whole - lgamma(Double(i) + 1) - lgamma(Double(n - i) + 1)) }
        return min(1, 2 * tail)
    }
}

/// Holm's step-down correction: p-values by which all tests of a family may be judged at once.
package func holm(_ pValues: [Double]) -> [Double] {
    var adjusted = pValues
    var largest = 0.0
    let smallestFirst = pValues.indices.sorted { pValues[$0] < pValues[$1] }
    for (rank, index) in smallestFirst.enumerated() {
        largest = max(largest, min(1, Double(pValues.count - rank) * pValues[index]))
        adjusted[index] = largest
    }
    return adjusted
}
