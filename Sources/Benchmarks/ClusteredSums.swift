/// Sufficient statistics per image: the sums of which every figure of a benchmark is a function. A
/// resample of images then costs one vector addition per draw instead of a re-scoring.
package struct ClusteredSums: Sendable {
    /// Numbers per cluster.
    package let width: Int
    /// Image ids in the order of their first appearance.
    package private(set) var clusters: [String] = []
    /// `clusters.count × width`, row by row.
    private(set) var values: [Double] = []
    private var rowOf: [String: Int] = [:]

    package init(width: Int) { self.width = width }

    /// Adds `amount` to column `column` of the image's row.
    package mutating func add(_ amount: Double, column: Int, cluster: String) {
        var row = rowOf[cluster] ?? -1
        if row < 0 {
            row = clusters.count
            rowOf[cluster] = row
            clusters.append(cluster)
            values.append(contentsOf: repeatElement(0, count: width))
        }
        values[row * width + column] += amount
    }

    /// Sums over all images.
    package var totals: [Double] {
        var totals = [Double](repeating: 0, count: width)
        for row in clusters.indices {
            for column in 0..<width { totals[column] += values[row * width + column] }
        }
        return totals
    }

    /// The same rows in the order of another run's images.
    ///
    /// - Throws: `BenchmarksError.differentClusters` if the two don't cover the same images.
    func values(inOrderOf other: [String], first: String, second: String) throws -> [Double] {
        var ordered: [Double] = []
        ordered.reserveCapacity(values.count)
        for cluster in other {
            guard let row = rowOf[cluster] else {
                throw BenchmarksError.differentClusters(first: first, second: second, missing: cluster)
            }
            ordered.append(contentsOf: values[(row * width)..<((row + 1) * width)])
        }
        if clusters.count > other.count {
            let known = Set(other)
            let extra = clusters.first { !known.contains($0) } ?? ""
            throw BenchmarksError.differentClusters(first: second, second: first, missing: extra)
        }
        return ordered
    }
}
