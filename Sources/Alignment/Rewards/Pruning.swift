/// Which sentences of a pool stay alive in the growth of a tree.
package struct Pruning: Sendable, Equatable {
    package enum Rule: String, Sendable, CaseIterable {
        /// The `top` best, and `bottom` spread evenly over the rest down to the worst: the kept ones
        /// cover the range of rewards.
        case spread
        /// The `top` best and the `bottom` worst: the paper (k + k), and with 1 + 2 by likelihood the
        /// released code (`sample.py`).
        case ends
    }

    package let rule: Rule
    package let top: Int
    package let bottom: Int

    /// - Throws: `PreferenceError.badValue` where nothing would be kept.
    package init(rule: Rule = .spread, top: Int = 3, bottom: Int = 2) throws {
        guard top >= 0, bottom >= 0, top + bottom > 0 else {
            throw PreferenceError.badValue(
                "keep-top", found: "\(top) best and \(bottom) others are kept",
                remedy: "keep at least one sentence")
        }
        (self.rule, self.top, self.bottom) = (rule, top, bottom)
    }

    /// Indices of the scores to keep, ascending. A pool of at most `top + bottom`, or of fewer than
    /// `minimumPool`, is kept whole.
    ///
    /// Equal scores keep the order of the pool, the earlier being the better one.
    ///
    /// - Throws: `PreferenceError.notFinite`.
    package func kept(_ scores: [Double], minimumPool: Int = 0) throws -> [Int] {
        try PreferenceError.requireFinite(scores, where: "pruning")
        guard scores.count > top + bottom, scores.count >= minimumPool else { return Array(scores.indices) }
        let order = descendingOrder(scores)
        let rest = order.dropFirst(top)
        let lower: [Int] =
            switch rule {
            case .ends: Array(rest.suffix(bottom))
            case .spread:
                (1...max(bottom, 1)).prefix(bottom).map { part in
                    rest[rest.startIndex + part * rest.count / bottom - 1]
                }
            }
        return (order.prefix(top) + lower).sorted()
    }
}
