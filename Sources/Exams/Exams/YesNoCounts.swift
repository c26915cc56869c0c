import Metrics

/// Outcomes of yes/no questions against the truth; the positive class is *yes*.
package struct YesNoCounts: Sendable, Equatable {
    package var truePositives = 0
    package var falsePositives = 0
    package var trueNegatives = 0
    package var falseNegatives = 0
    /// Unread answers where yes was right. They count as wrong, and as missed in recall.
    package var unparsedPositives = 0
    /// Unread answers where no was right. They count as wrong, but not as a yes.
    package var unparsedNegatives = 0

    package init() {}

    package mutating func add(answer: YesNo?, truth: YesNo) {
        switch (answer, truth) {
        case (.yes, .yes): truePositives += 1
        case (.yes, .no): falsePositives += 1
        case (.no, .no): trueNegatives += 1
        case (.no, .yes): falseNegatives += 1
        case (nil, .yes): unparsedPositives += 1
        case (nil, .no): unparsedNegatives += 1
        }
    }

    package var unparsed: Int { unparsedPositives + unparsedNegatives }

    package var total: Int {
        truePositives + falsePositives + trueNegatives + falseNegatives + unparsed
    }

    package var metrics: YesNoMetrics {
        YesNoMetrics(
            truePositives: Double(truePositives), falsePositives: Double(falsePositives),
            positives: Double(truePositives + falseNegatives + unparsedPositives),
            right: Double(truePositives + trueNegatives), total: Double(total))
    }
}

/// The five figures of a POPE split, as fractions. Where a denominator is zero (a model that never says
/// yes has no precision) the figure is 0; POPE's own script stops there with a division by zero.
package struct YesNoMetrics: Sendable, Equatable {
    package var accuracy: Double
    package var precision: Double
    package var recall: Double
    package var f1: Double
    package var yesRatio: Double

    /// Computes the figures from sums, which may be those of a resample and therefore real numbers.
    init(truePositives: Double, falsePositives: Double, positives: Double, right: Double, total: Double) {
        accuracy = quotient(right, total)
        precision = quotient(truePositives, truePositives + falsePositives)
        recall = quotient(truePositives, positives)
        // 2PR/(P+R) in counts: one division, so that no rounding of P and R enters.
        f1 = quotient(2 * truePositives, truePositives + falsePositives + positives)
        yesRatio = quotient(truePositives + falsePositives, total)
    }

    init(meanOf metrics: [YesNoMetrics]) {
        func mean(_ figure: KeyPath<YesNoMetrics, Double>) -> Double {
            quotient(metrics.reduce(0) { $0 + $1[keyPath: figure] }, Double(metrics.count))
        }
        accuracy = mean(\.accuracy)
        precision = mean(\.precision)
        recall = mean(\.recall)
        f1 = mean(\.f1)
        yesRatio = mean(\.yesRatio)
    }
}
