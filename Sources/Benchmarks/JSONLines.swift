import Foundation

/// Reads files with one JSON object per line: POPE's label files, LLaVA's question and answer files.
package enum JSONLines {
    /// Decodes every line that is not blank.
    ///
    /// - Parameter file: the name that error messages show.
    /// - Throws: `BenchmarksError.badLine` at the first line that is no such object.
    package static func decode<Row: Decodable>(
        _ type: Row.Type = Row.self, from data: Data, file: String
    ) throws -> [Row] {
        let decoder = JSONDecoder()
        var rows: [Row] = []
        var number = 0
        for line in data.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false) {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 || $0 == 0x0D }) { continue }
            do {
                rows.append(try decoder.decode(type, from: Data(line)))
            } catch let error as DecodingError {
                throw BenchmarksError.badLine(file: file, line: number, found: reason(of: error))
            }
        }
        return rows
    }

    private static func reason(of error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "the key \"\(key.stringValue)\" is missing"
        case .typeMismatch(let type, let context), .valueNotFound(let type, let context):
            "\"\(context.codingPath.map(\.stringValue).joined(separator: "."))\" is no \(type)"
        default: "this is no JSON object of the expected form"
        }
    }
}

/// A question's id, which POPE and LLaVA write as a number or as a string.
package struct QuestionID: Hashable, Sendable, Decodable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            description = String(number)
        } else {
            description = try container.decode(String.self)
        }
    }
}
