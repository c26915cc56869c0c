/// What a preference rule can't work with. Every message reads `where: what was found; what to do`.
package enum PreferenceError: Error, Equatable, CustomStringConvertible {
    /// A value outside its range, by the name that options and recipes give it; a program puts the dashes before it.
    case badValue(String, found: String, remedy: String)
    /// A score that a rule needs and that a node or candidate doesn't have.
    case missingScore(where: String, name: String, remedy: String)
    /// NaN or infinity where a rule compares.
    case notFinite(where: String, found: String)

    package var description: String {
        switch self {
        case .badValue(let name, let found, let remedy): "\(name): \(found); \(remedy)"
        case .missingScore(let place, let name, let remedy): "\(place): no score \"\(name)\"; \(remedy)"
        case .notFinite(let place, let found): "\(place): \(found); find the stage that wrote it"
        }
    }

    package static func requireFinite(_ values: some Sequence<Double>, where place: String) throws {
        for value in values where !value.isFinite {
            throw PreferenceError.notFinite(where: place, found: "\(value)")
        }
    }
}
