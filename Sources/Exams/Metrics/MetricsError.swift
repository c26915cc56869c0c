/// What can be wrong with the material of a benchmark. Every message reads
/// `where: what was found; what to do`.
package enum MetricsError: Error, Equatable, CustomStringConvertible {
    /// A line of a file that cannot be read as its format says (`line` counts from 1).
    case badLine(file: String, line: Int, found: String)
    /// Answers and questions do not match one to one.
    case unmatched(where: String, found: String, remedy: String)
    /// A score was asked of nothing.
    case empty(where: String)
    /// Two runs that are to be compared pair by pair do not cover the same images.
    case differentClusters(first: String, second: String, missing: String)
    /// A number that JSON cannot hold or that an option does not allow.
    case badValue(where: String, found: String, remedy: String)

    package var description: String {
        switch self {
        case .badLine(let file, let line, let found):
            "\(file):\(line): \(found); fix or remove this line"
        case .unmatched(let place, let found, let remedy), .badValue(let place, let found, let remedy):
            "\(place): \(found); \(remedy)"
        case .empty(let place):
            "\(place): there is nothing to score; give at least one answered question"
        case .differentClusters(let first, let second, let missing):
            "\(second): has no answers for image \(missing), which \(first) has; "
                + "score both runs on the same images"
        }
    }
}
