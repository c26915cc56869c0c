import Metrics

/// A number that an exam gives: what it is called, in which unit, and how it follows from sums.
package struct Figure: Sendable {
    package enum Unit: Sendable, Equatable {
        /// A share, which tables show in percent.
        case fraction
        /// From 0 to a greatest number.
        case points(Int)
        case count
        /// What the name says.
        case named
    }

    package enum Better: Sendable { case more, less, neither }

    /// In `summary.json`.
    package let key: String
    package let name: String
    package let unit: Unit
    package let better: Better
    /// nil where it comes from elsewhere than the answers.
    package let formula: Formula?
    /// Whether it stands in summary and comparison; else only in what `eval` prints.
    package let isSummarized: Bool

    package init(
        _ key: String, _ name: String, _ unit: Unit, better: Better = .neither, _ formula: Formula?,
        isSummarized: Bool = true
    ) {
        (self.key, self.name, self.unit, self.better) = (key, name, unit, better)
        (self.formula, self.isSummarized) = (formula, isSummarized)
    }

    /// What a table calls it.
    package var title: String {
        let sign: String? =
            switch unit {
            case .fraction: "%"
            case .points(let most): "(0–\(most))"
            case .count, .named: nil
            }
        let arrow: String? =
            switch better {
            case .more: "↑"
            case .less: "↓"
            case .neither: nil
            }
        return [name, sign, arrow].compactMap { $0 }.joined(separator: " ")
    }

    var estimator: Estimator? { formula.map { Estimator(name: key, $0) } }

    /// What a table multiplies it by.
    package var scale: Double { unit == .fraction ? 100 : 1 }
    package var decimals: Int { unit == .count ? 0 : 1 }
}

/// What is told of an exam where there is no room for all of its figures.
package struct Highlights: Sendable {
    package enum Change: Sendable {
        /// As a share of what it was.
        case relative
        /// In percentage points.
        case points
        case pointsWithBounds
    }

    /// Columns of a table with a line for each run.
    package var columns: [(key: String, title: String)] = []
    /// Drawn with their intervals.
    package var plotted: [String] = []
    /// In the sentence that holds a run against its base.
    package var changes: [(key: String, name: String, change: Change)] = []

    package init() {}
}
