import JSON
import Records

/// The curves of a training run: for each metric its values by optimiser step.
package struct TrainingMetrics: Sendable, Equatable {
    package struct Curve: Sendable, Equatable {
        /// TRL's name: `loss`, `rewards/accuracies`, …
        package var name: String
        package var points: [Point]
    }

    package struct Point: Sendable, Equatable {
        package var step: Double
        package var value: Double

        package init(step: Double, value: Double) { (self.step, self.value) = (step, value) }
    }

    /// In the order in which the names first appear.
    package private(set) var curves: [Curve] = []

    /// Reads a metrics file, one JSON object per line with `step` and any numbers; members that are no
    /// numbers are no curves.
    ///
    /// - Throws: `ReportError.badMetrics` for a line that is no object or has no `step`.
    package init(jsonLines bytes: [UInt8], file: String) throws {
        var index: [String: Int] = [:]
        let lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        for (number, line) in lines.enumerated() where line.contains(where: { $0 > 0x20 }) {
            let row: JSONObject
            let step: Double
            do {
                row = try JSONObject(parsing: line)
                step = try row.requiredDouble("step")
            } catch let error as RecordError {
                throw ReportError.badMetrics(file: file, line: number + 1, found: error.description)
            }
            for key in row.keys where key != "step" {
                guard case .number(let json)? = row[key], let value = json.double else { continue }
                if index[key] == nil {
                    index[key] = curves.count
                    curves.append(Curve(name: key, points: []))
                }
                if let at = index[key] { curves[at].points.append(Point(step: step, value: value)) }
            }
        }
    }

    package subscript(name: String) -> Curve? { curves.first { $0.name == name } }
}
