/// What is wrong with JSON that is read or to be written.
package enum JSONError: Error, Equatable, CustomStringConvertible {
    /// `offset` counts bytes from the start of the text.
    case malformed(offset: Int, found: String, remedy: String)
    case notFinite(String)

    package var description: String {
        switch self {
        case .malformed(let offset, let found, let remedy): "byte \(offset): \(found); \(remedy)"
        case .notFinite(let value): "not a number: \(value) can't be written; find where it came from"
        }
    }
}
