/// What can be wrong with the material of a report. Every message reads `where: what was found; what to do`.
package enum ReportError: Error, Equatable, CustomStringConvertible {
    /// A line of a metrics file that is no JSON object of numbers (`line` counts from 1).
    case badMetrics(file: String, line: Int, found: String)

    package var description: String {
        switch self {
        case .badMetrics(let file, let line, let found):
            "\(file):\(line): \(found); let dpo-train write the file again"
        }
    }
}
