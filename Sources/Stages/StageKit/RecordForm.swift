import Records

/// What a stage takes for a record.
package enum InputForm: Sendable {
    /// A line as docs/records.md has it.
    case records
    /// The same, but a record without `id` is named by the number of its line.
    case unnamed
    /// A row of another tool, in lines or in one array; its `id` may be missing, a number, or stand twice.
    case rows
}

/// How a stage writes its records.
package enum OutputForm: Sendable {
    case lines
    /// One JSON array, a record per line within it.
    case array

    /// What stands before a record that has `count` before it.
    func opening(after count: Int) -> String { self == .lines ? "" : count == 0 ? "[\n" : ",\n" }

    var ending: String { self == .lines ? "\n" : "" }

    /// What stands behind the last of `count` records.
    func closing(after count: Int) -> String { self == .lines ? "" : count == 0 ? "[]\n" : "\n]\n" }
}

/// Finds where the elements of a JSON array end. It only counts brackets outside of strings; whether an element
/// is JSON, its parser says.
struct ElementScanner {
    static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]

    private var depth = 0
    private var isInString = false
    private var isEscaped = false
    /// Whether the end of the array has been seen.
    private(set) var isClosed = false

    /// Where the comma or bracket behind the current element lies; nil where `bytes`, which go on from those
    /// before, don't hold it.
    mutating func end(in bytes: ArraySlice<UInt8>) -> Int? {
        for (index, byte) in zip(bytes.indices, bytes) {
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""): isInString = true
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "]") where depth == 0:
                isClosed = true
                return index
            // A bracket too many is left for the parser to find.
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth = max(0, depth - 1)
            case UInt8(ascii: ",") where depth == 0: return index
            default: break
            }
        }
        return nil
    }
}

extension UInt8 {
    var isJSONSpace: Bool { self == 0x20 || self == 0x09 || self == 0x0A || self == 0x0D }
}

extension Record {
    /// The id of another tool's row, where it has one: a string that isn't empty, or a number.
    package var rowName: String? {
        switch self["id"] {
        case .string(let id) where !id.isEmpty: id
        case .number(let number): number.raw
        default: nil
        }
    }
}
