import Imaging
import Kernels

/// A batch for the decoder: a forest of token spans. A token attends to the earlier tokens of its own span and
/// to all of its ancestors, and its rotary position counts along that path, so a branch reuses its prefix
/// exactly and nothing is padded or computed twice.
package struct TokenForest: Sendable {
    package struct Span: Sendable {
        /// Index of the parent span, −1 for a root; parents come before their children.
        package let parent: Int
        package let start: Int
        package let count: Int
        /// Tokens from the root to its end.
        package let pathCount: Int
        /// Rotary position of what follows it.
        let next: Int

        package var rows: Range<Int> { start..<start + count }
    }

    package private(set) var spans: [Span] = []
    /// Token ids; −1 − i stands for row i of the batch's pictures.
    package private(set) var tokens: [Int32] = []
    package private(set) var positions: [RotaryPosition] = []

    package init() {}

    package var count: Int { tokens.count }

    /// Appends a span and returns its index. An empty root is allowed, an empty child too.
    ///
    /// - Parameter grid: as the picture has it whose rows are among the tokens.
    @discardableResult
    package mutating func add(
        _ ids: some Collection<Int32>, parent: Int = -1, grid: PictureSize? = nil
    ) -> Int {
        precondition(parent < spans.count)
        var path = RotaryPath(next: parent < 0 ? 0 : spans[parent].next)
        positions += path.add(ids, grid: grid)
        spans.append(
            Span(
                parent: parent, start: tokens.count, count: ids.count,
                pathCount: ids.count + (parent < 0 ? 0 : spans[parent].pathCount), next: path.next))
        tokens.append(contentsOf: ids)
        return spans.count - 1
    }

    /// Spans from the root down to `span`, itself included.
    package func path(to span: Int) -> [Int] {
        var path: [Int] = []
        var at = span
        while at >= 0 {
            path.append(at)
            at = spans[at].parent
        }
        return path.reversed()
    }

    /// One attention segment per span that has tokens.
    package var segments: [AttentionSegment] {
        spans.indices.compactMap { index in
            let span = spans[index]
            guard span.count > 0 else { return nil }
            let ancestors = path(to: index).dropLast().map { spans[$0].rows }
            return AttentionSegment(
                queries: span.rows, shared: merged(ancestors.filter { !$0.isEmpty }), own: span.rows)
        }
    }

    /// What the tokens of `span` are predicted from: the last row before the span for its first token, then
    /// its own rows. Targets that are image features are left out.
    package func labels(of span: Int) -> [Label] {
        var before = spans[span].parent
        while before >= 0, spans[before].count == 0 { before = spans[before].parent }
        var row = before < 0 ? -1 : spans[before].start + spans[before].count - 1
        var labels: [Label] = []
        for at in spans[span].rows {
            if row >= 0, tokens[at] >= 0 { labels.append(Label(row: row, target: tokens[at])) }
            row = at
        }
        return labels
    }

    /// Neighbouring ranges as one: fewer, larger products.
    private func merged(_ ranges: [Range<Int>]) -> [Range<Int>] {
        var result: [Range<Int>] = []
        for range in ranges {
            if let last = result.last, last.upperBound == range.lowerBound {
                result[result.count - 1] = last.lowerBound..<range.upperBound
            } else {
                result.append(range)
            }
        }
        return result
    }
}

/// "Row `row` should predict `target`."
package struct Label: Sendable, Equatable {
    package let row: Int
    package let target: Int32

    package init(row: Int, target: Int32) {
        self.row = row
        self.target = target
    }
}
