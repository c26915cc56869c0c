import Random

/// A figure with its percentile interval.
package struct Interval: Sendable, Equatable, Codable {
    package var estimate: Double
    package var lower: Double
    package var upper: Double

    package init(estimate: Double, lower: Double, upper: Double) {
        (self.estimate, self.lower, self.upper) = (estimate, lower, upper)
    }

    /// Whether zero lies outside: for a difference, that it is more than chance at the interval's level.
    package var excludesZero: Bool { lower > 0 || upper < 0 }
}

/// A figure to be estimated. Resamples in which its formula has no value are left out of its interval.
package struct Estimator: Sendable {
    package var name: String
    package var formula: Formula

    package init(name: String, _ formula: Formula) { (self.name, self.formula) = (name, formula) }
}

/// A run in a bootstrap: its name, for messages, and its statistics. Of a run that was made with several seeds, one of
/// each; its figures are those of all their answers together.
package struct BootstrapSystem: Sendable {
    package var name: String
    package var seeds: [ClusteredSums]

    package init(name: String, seeds: [ClusteredSums]) { (self.name, self.seeds) = (name, seeds) }
}

/// Intervals of one figure: for each run by itself, and for its difference to the first run.
package struct BootstrapResult: Sendable, Equatable, Codable {
    package var name: String
    /// One per run.
    package var values: [Interval]
    /// One per run but the first: that run minus the first, on the same resamples.
    package var differences: [Interval]
}

/// Paired bootstrap with percentile intervals: images are drawn with replacement, the same for every run
/// and every figure, all rows of an image together. Of a run with several seeds these are drawn with replacement too.
package struct PairedBootstrap: Sendable {
    package var resamples: Int
    package var seed: UInt64
    /// Confidence level of the intervals.
    package var level: Double

    package init(resamples: Int = 10_000, seed: UInt64 = 20_240_522, level: Double = 0.95) {
        (self.resamples, self.seed, self.level) = (resamples, seed, level)
    }

    /// - Throws: `MetricsError.differentClusters` unless all runs cover the same images, `.empty` for no
    ///   images, `.badValue` for options that make no interval, or a figure that no resample gives a value.
    package func intervals(
        _ systems: [BootstrapSystem], estimators: [Estimator]
    ) throws -> [BootstrapResult] {
        guard resamples > 0, level > 0, level < 1 else {
            throw MetricsError.badValue(
                where: "bootstrap", found: "\(resamples) resamples at level \(level)",
                remedy: "give at least one resample and a level between 0 and 1")
        }
        guard let base = systems.first, let first = base.seeds.first, !first.clusters.isEmpty,
            systems.allSatisfy({ !$0.seeds.isEmpty })
        else { throw MetricsError.empty(where: "bootstrap") }
        let tables = try systems.map { system in
            try system.seeds.map { try $0.table(inOrderOf: first, first: base.name, second: system.name) }
        }
        let figures = try estimators.map { estimator in
            guard let figure = estimator.formula.bound(to: first.columns) else {
                throw MetricsError.badValue(
                    where: "bootstrap of \(estimator.name)", found: "no sums to compute it from",
                    remedy: "score what it is made of")
            }
            return figure
        }
        let totals = systems.map { system in
            let own = system.seeds.map { $0.totals(inOrderOf: first) }
            return own.dropFirst().reduce(own[0]) { zip($0, $1).map(+) }
        }
        let draws = resample(
            tables, rows: first.clusters.count, width: first.columns.count, figures)
        return try estimators.indices.map { index in
            let (name, points) = (estimators[index].name, totals.map(figures[index]))
            let own = try points.indices.map { try interval(name, points[$0], draws[$0][index]) }
            let differences = try points.indices.dropFirst().map { system in
                try interval(
                    name, points[system] - points[0],
                    zip(draws[system][index], draws[0][index]).map { $0 - $1 })
            }
            return BootstrapResult(name: name, values: own, differences: differences)
        }
    }

    /// - Parameter tables: `[system][seed]`, each `rows × width`.
    /// - Returns: `[system][figure][resample]`.
    private func resample(
        _ tables: [[[Double]]], rows: Int, width: Int, _ figures: [@Sendable ([Double]) -> Double]
    ) -> [[[Double]]] {
        var generator = SplitMix64(seed: seed)
        // Of its own, so that a run with several seeds changes no other's intervals.
        var seedGenerator = SplitMix64(seed: ~seed)
        var draws = tables.map { _ in
            figures.map { _ in [Double](repeating: 0, count: resamples) }
        }
        var multiplicity = [Double](repeating: 0, count: rows)
        for resample in 0..<resamples {
            for row in 0..<rows { multiplicity[row] = 0 }
            for _ in 0..<rows { multiplicity[generator.below(rows)] += 1 }
            for (system, seeds) in tables.enumerated() {
                var sums = [Double](repeating: 0, count: width)
                for index in seeds.indices {
                    let drawn = seeds.count == 1 ? index : seedGenerator.below(seeds.count)
                    addWeighted(seeds[drawn], multiplicity, to: &sums)
                }
                for (index, figure) in figures.enumerated() { draws[system][index][resample] = figure(sums) }
            }
        }
        return draws
    }

    private func interval(
        _ name: String, _ estimate: Double, _ draws: [Double]
    ) throws -> Interval {
        let sorted = draws.filter { !$0.isNaN }.sorted()
        guard !sorted.isEmpty else {
            throw MetricsError.badValue(
                where: "bootstrap of \(name)", found: "no resample in which it has a value",
                remedy: "score more pictures or draw more resamples")
        }
        let tail = (1 - level) / 2
        return Interval(
            estimate: estimate, lower: quantile(sorted, tail), upper: quantile(sorted, 1 - tail))
    }
}

/// Adds `multiplicity · table`, `rows` weights times a `rows × sums.count` matrix.
private func addWeighted(_ table: [Double], _ multiplicity: [Double], to sums: inout [Double]) {
    let width = sums.count
    table.withUnsafeBufferPointer { table in
        sums.withUnsafeMutableBufferPointer { sums in
            for (row, weight) in multiplicity.enumerated() where weight != 0 {
                let base = row * width
                for column in 0..<width { sums[column] += weight * table[base + column] }
            }
        }
    }
}

/// The quantile of sorted values with linear interpolation between order statistics (numpy's default).
func quantile(_ sorted: [Double], _ probability: Double) -> Double {
    let position = probability * Double(sorted.count - 1)
    let lower = Int(position.rounded(.down))
    let upper = min(lower + 1, sorted.count - 1)
    return sorted[lower] + (position - Double(lower)) * (sorted[upper] - sorted[lower])
}
