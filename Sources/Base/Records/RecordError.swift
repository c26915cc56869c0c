import JSON

/// What can be wrong with a record. The stage puts `file:line:` before it.
package indirect enum RecordError: Error, Equatable, CustomStringConvertible {
    case json(JSONError)
    case notAnObject(found: String)
    /// A file that is one array, where records are lines.
    case array
    case missing(key: String)
    case wrongType(key: String, found: String, wanted: String)
    case invalid(key: String, found: String, remedy: String)
    case newerVersion(found: Int)
    /// The fault lies within the named part of the record, such as `nodes[3]`.
    case within(String, RecordError)

    package var description: String {
        switch self {
        case .json(let error): error.description
        case .notAnObject(let found): "not a record: found \(found); every line must be one JSON object"
        case .array: "a JSON array, but records are lines; convert it with sightline import"
        case .missing(let key): "missing key: \"\(key)\" isn't there; add it"
        case .wrongType(let key, let found, let wanted):
            "wrong type: key \"\(key)\" is \(found); it must be \(wanted)"
        case .invalid(let key, let found, let remedy): "wrong value: key \"\(key)\" is \(found); \(remedy)"
        case .newerVersion(let found):
            "newer contract: the record has version \(found), but this program reads "
                + "\(Record.currentVersion); update the program"
        case .within(let part, let error): "\(part): \(error)"
        }
    }
}
