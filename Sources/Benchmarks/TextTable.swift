import Foundation

/// Rows of cells as plain text or Markdown. The first row is the head, the first column is left-aligned.
package struct TextTable: Sendable {
    package var rows: [[String]]

    package init(_ rows: [[String]]) { self.rows = rows }

    package var plainText: String {
        render { cells, _ in cells.joined(separator: "  ").trimmingTrailingSpaces }
    }

    package var markdown: String {
        render { cells, isHead in
            let line = "| " + cells.joined(separator: " | ") + " |"
            guard isHead else { return line }
            let rule = cells.enumerated().map { index, cell in
                let dashes = String(repeating: "-", count: max(3, cell.count - (index == 0 ? 0 : 1)))
                return index == 0 ? dashes : dashes + ":"
            }
            return line + "\n| " + rule.joined(separator: " | ") + " |"
        }
    }

    private func render(_ line: (_ cells: [String], _ isHead: Bool) -> String) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let full = rows.map { $0 + Array(repeating: "", count: columns - $0.count) }
        let widths = (0..<columns).map { column in full.map { $0[column].count }.max() ?? 0 }
        return full.enumerated().map { index, cells in
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return column == 0 ? cell + space : space + cell
            }
            return line(padded, index == 0) + "\n"
        }.joined()
    }
}

extension String {
    fileprivate var trimmingTrailingSpaces: String {
        String(reversed().drop { $0 == " " }.reversed())
    }
}

/// A number with a fixed count of decimals, for people to read.
func fixed(_ value: Double, _ decimals: Int) -> String {
    String(format: "%.\(decimals)f", value)
}

/// The same with its sign: `+1.2`, `−0.5`; what rounds to zero has none.
func signed(_ value: Double, _ decimals: Int) -> String {
    let text = fixed(abs(value), decimals)
    let isZero = text.allSatisfy { $0 == "0" || $0 == "." }
    return (isZero ? "" : value < 0 ? "−" : "+") + text
}
