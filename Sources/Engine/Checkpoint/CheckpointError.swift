/// Any fault found in a checkpoint's files, or while writing them.
package struct CheckpointError: Error, CustomStringConvertible, Equatable, Sendable {
    /// The file, followed by the key or tensor where one is to blame.
    package let place: String
    package let finding: String
    package let remedy: String

    package init(_ place: String, _ finding: String, _ remedy: String) {
        self.place = place
        self.finding = finding
        self.remedy = remedy
    }

    package var description: String { "\(place): \(finding); \(remedy)" }
}
