/// Sufficient statistics per image: the sums of which every figure of a benchmark is a function. A
/// resample of images then costs one vector addition per draw instead of a re-scoring.
package struct ClusteredSums: Sendable {
    /// Image ids in the order of their first appearance.
    package private(set) var clusters: [String] = []
    /// Of each sum, by its name, the column.
    private(set) var columns: [String: Int] = [:]
    /// Column by column, a number per cluster; a column ends where the last cluster that it knows does.
    private var values: [[Double]] = []
    private var rowOf: [String: Int] = [:]

    package init() {}

    /// The sums' names.
    package var names: Set<String> { Set(columns.keys) }

    /// Adds to sums of an image; one that is named for the first time begins at 0 for all.
    package mutating func add(_ amounts: KeyValuePairs<String, Double>, to cluster: String) {
        var row = rowOf[cluster] ?? -1
        if row < 0 {
            row = clusters.count
            rowOf[cluster] = row
            clusters.append(cluster)
        }
        for (name, amount) in amounts {
            var column = columns[name] ?? -1
            if column < 0 {
                column = values.count
                columns[name] = column
                values.append([])
            }
            let missing = row + 1 - values[column].count
            if missing > 0 { values[column].append(contentsOf: repeatElement(0, count: missing)) }
            values[column][row] += amount
        }
    }

    /// A sum over all images; nil where it has no such name.
    package subscript(name: String) -> Double? { columns[name].map { values[$0].reduce(0, +) } }

    /// Sums over all images, by the columns of another that has the same.
    func totals(inOrderOf other: ClusteredSums) -> [Double] {
        order(of: other).map { values[$0].reduce(0, +) }
    }

    /// This one's columns as another orders them.
    private func order(of other: ClusteredSums) -> [Int] {
        other.columns.sorted { $0.value < $1.value }.compactMap { columns[$0.key] }
    }

    /// The sums in the order of another run's images and columns: `clusters.count × columns.count`, row by row.
    ///
    /// - Throws: `MetricsError.badValue` where the other has other sums, `.differentClusters` if the two don't
    ///   cover the same images.
    func table(inOrderOf other: ClusteredSums, first: String, second: String) throws -> [Double] {
        guard names == other.names else {
            throw MetricsError.badValue(
                where: "bootstrap", found: "\(second) was scored on other benchmarks than \(first)",
                remedy: "score both runs on the same benchmarks")
        }
        let order = order(of: other)
        var table: [Double] = []
        table.reserveCapacity(clusters.count * order.count)
        for cluster in other.clusters {
            guard let row = rowOf[cluster] else {
                throw MetricsError.differentClusters(first: first, second: second, missing: cluster)
            }
            for column in order { table.append(row < values[column].count ? values[column][row] : 0) }
        }
        if clusters.count > other.clusters.count {
            let extra = clusters.first { other.rowOf[$0] == nil } ?? ""
            throw MetricsError.differentClusters(first: second, second: first, missing: extra)
        }
        return table
    }
}
