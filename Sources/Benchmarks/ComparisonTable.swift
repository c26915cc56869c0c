/// Figures of a base model and of the rounds after it, with paired intervals of the differences.
package struct ComparisonTable: Sendable, Equatable {
    package var names: [String]
    package var rows: [BootstrapResult]
    /// Coverage of the intervals.
    package var level: Double

    /// - Parameter runs: the base first; all over the same images and benchmarks.
    /// - Throws: what `PairedBootstrap.intervals` throws.
    package init(
        runs: [(name: String, evaluation: Evaluation)], bootstrap: PairedBootstrap = PairedBootstrap()
    ) throws {
        guard let base = runs.first else { throw BenchmarksError.empty(where: "comparison") }
        let figures = base.evaluation.estimators.map(\.name)
        for run in runs where run.evaluation.estimators.map(\.name) != figures {
            throw BenchmarksError.unmatched(
                where: "comparison", found: "\(run.name) and \(base.name) have different figures",
                remedy: "evaluate both on the same benchmarks")
        }
        names = runs.map(\.name)
        level = bootstrap.level
        rows = try bootstrap.intervals(
            runs.map { BootstrapSystem(name: $0.name, sums: try $0.evaluation.sums()) },
            estimators: base.evaluation.estimators)
    }

    package var plainText: String { table.plainText + legend }
    package var markdown: String { table.markdown + "\n" + legend }

    private var legend: String {
        let interval = "\(fixed(100 * level, 0))% interval"
        return names.count > 1
            ? "In brackets: difference to \(names[0]) with its \(interval) (paired bootstrap over images); "
                + "* zero lies outside.\n"
            : "In brackets: \(interval) (bootstrap over images).\n"
    }

    private var table: TextTable {
        let rows = rows.map { row in
            let decimals = 1
            let scale = SummaryKey.isFraction(row.name) ? 100.0 : 1.0
            func number(_ value: Double) -> String { fixed(scale * value, decimals) }
            var cells = [SummaryKey.title(row.name)]
            for (index, value) in row.values.enumerated() {
                var cell = number(value.estimate)
                if index > 0 {
                    let difference = row.differences[index - 1]
                    cell += " (\(signed(scale * difference.estimate, decimals))"
                    cell += " [\(signed(scale * difference.lower, decimals)),"
                    cell += " \(signed(scale * difference.upper, decimals))])"
                    cell += difference.excludesZero ? "*" : " "
                } else if names.count == 1 {
                    cell += " [\(number(value.lower)), \(number(value.upper))]"
                }
                cells.append(cell)
            }
            return cells
        }
        return TextTable([[""] + names] + rows)
    }
}
