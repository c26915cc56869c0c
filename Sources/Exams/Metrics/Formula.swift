/// How a figure follows from named sums. Its value is NaN where the sums leave it without one.
package indirect enum Formula: Sendable {
    /// The first sum over the second; 0 where that is 0.
    case ratio(String, of: String)
    /// The same, without a value where the second is 0.
    case share(String, of: String)
    /// Of the values of these sums, in their order.
    case function(of: [String], @Sendable ([Double]) -> Double)
    /// Of those formulas whose sums are there, as far as any are.
    case mean([Formula])
    /// Of all of them.
    case sum([Formula])

    /// The formula over a row of sums.
    ///
    /// - Parameter columns: where each sum stands in the row.
    /// - Returns: nil where sums that it needs are not there.
    func bound(to columns: [String: Int]) -> (@Sendable (_ row: [Double]) -> Double)? {
        switch self {
        case .ratio(let part, let whole):
            guard let part = columns[part], let whole = columns[whole] else { return nil }
            return { quotient($0[part], $0[whole]) }
        case .share(let part, let whole):
            guard let part = columns[part], let whole = columns[whole] else { return nil }
            return { $0[whole] == 0 ? .nan : $0[part] / $0[whole] }
        case .function(let names, let value):
            let own = names.compactMap { columns[$0] }
            guard own.count == names.count else { return nil }
            return { row in value(own.map { row[$0] }) }
        case .mean(let formulas):
            let own = formulas.compactMap { $0.bound(to: columns) }
            guard !own.isEmpty else { return nil }
            return { row in own.reduce(0) { $0 + $1(row) } / Double(own.count) }
        case .sum(let formulas):
            let own = formulas.compactMap { $0.bound(to: columns) }
            guard own.count == formulas.count else { return nil }
            return { row in own.reduce(0) { $0 + $1(row) } }
        }
    }
}

extension ClusteredSums {
    /// What formulas give over all images; nil where sums that one needs are not there, or leave it without a value.
    package func values(of formulas: [Formula?]) -> [Double?] {
        let totals = totals(inOrderOf: self)
        return formulas.map { formula in
            formula?.bound(to: columns).map { $0(totals) }.flatMap { $0.isNaN ? nil : $0 }
        }
    }
}

/// `a / b`, and 0 where `b` is 0.
package func quotient(_ a: Double, _ b: Double) -> Double { b == 0 ? 0 : a / b }
