/// Rows of cells as plain text or Markdown, each column as wide as its widest cell. The first row is the head.
package struct TextTable: Sendable {
    package var rows: [[String]]
    /// The columns whose cells end at one edge, as numbers do; nil: all but the first.
    private let right: Set<Int>?

    package init(_ rows: [[String]], right: Set<Int>? = nil) { (self.rows, self.right) = (rows, right) }

    package var plainText: String {
        render { cells, _ in
            var line = cells.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
    }

    package var markdown: String {
        render { cells, isHead in
            let line = "| " + cells.joined(separator: " | ") + " |"
            guard isHead else { return line }
            let rule = cells.enumerated().map { column, cell in
                let dashes = String(repeating: "-", count: max(3, cell.count - (isRight(column) ? 1 : 0)))
                return isRight(column) ? dashes + ":" : dashes
            }
            return line + "\n| " + rule.joined(separator: " | ") + " |"
        }
    }

    private func isRight(_ column: Int) -> Bool { right?.contains(column) ?? (column > 0) }

    private func render(_ line: (_ cells: [String], _ isHead: Bool) -> String) -> String {
        let columns = rows.map(\.count).max() ?? 0
        let full = rows.map { $0 + Array(repeating: "", count: columns - $0.count) }
        let widths = (0..<columns).map { column in full.map { $0[column].count }.max() ?? 0 }
        return full.enumerated().map { index, cells in
            let padded = cells.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return isRight(column) ? space + cell : cell + space
            }
            return line(padded, index == 0) + "\n"
        }.joined()
    }
}
