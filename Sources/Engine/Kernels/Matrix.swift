import Foundation

/// A view of `rows × columns` floats, row after row, `stride` floats apart. It does not own its memory:
/// an `Arena` (activations) or a `Buffer` (weights, caches) does.
package struct Matrix: @unchecked Sendable {
    package let base: UnsafeMutablePointer<Float>
    package let rows: Int
    package let columns: Int
    package let stride: Int

    package init(_ base: UnsafeMutablePointer<Float>, rows: Int, columns: Int, stride: Int? = nil) {
        self.base = base
        self.rows = rows
        self.columns = columns
        self.stride = stride ?? columns
    }

    package var count: Int { rows * columns }
    package var isContiguous: Bool { stride == columns }

    @inlinable package func row(_ index: Int) -> UnsafeMutablePointer<Float> { base + index * stride }

    /// All elements as one row; of a matrix without gaps.
    package var asOneRow: Matrix {
        precondition(isContiguous)
        return Matrix(base, rows: 1, columns: count)
    }

    package func rows(_ range: Range<Int>) -> Matrix {
        Matrix(base + range.lowerBound * stride, rows: range.count, columns: columns, stride: stride)
    }

    package func columns(_ range: Range<Int>) -> Matrix {
        Matrix(base + range.lowerBound, rows: rows, columns: range.count, stride: stride)
    }

    package subscript(row: Int, column: Int) -> Float {
        get { base[row * stride + column] }
        nonmutating set { base[row * stride + column] = newValue }
    }

    package func fill(_ value: Float) {
        for r in 0..<rows { row(r).update(repeating: value, count: columns) }
    }

    package func copy(from other: Matrix) {
        precondition(rows == other.rows && columns == other.columns)
        for r in 0..<rows { row(r).update(from: other.row(r), count: columns) }
    }

    /// The elements, row after row.
    package var values: [Float] {
        (0..<rows).flatMap { Array(UnsafeBufferPointer(start: row($0), count: columns)) }
    }
}

/// Owns 64-byte-aligned floats, zero at first.
package final class Buffer: @unchecked Sendable {
    package let base: UnsafeMutablePointer<Float>
    package let count: Int
    /// The pages of a large buffer, given back as they came.
    private let pages: UnsafeMutableRawBufferPointer?

    package init(count: Int) {
        self.count = count
        pages = Self.pages(bytes: count * 4)
        if let pages {
            let aligned = pages.baseAddress!.alignedUp(toMultipleOf: Self.hugePage)
            base = aligned.bindMemory(to: Float.self, capacity: count)
        } else {
            let raw = UnsafeMutableRawPointer.allocate(byteCount: max(count, 1) * 4, alignment: 64)
            base = raw.bindMemory(to: Float.self, capacity: max(count, 1))
            base.initialize(repeating: 0, count: max(count, 1))
        }
    }

    private static let hugePage = 1 << 21

    /// Pages that are zero and cost nothing before they are written: a cache of keys and values may take
    /// gigabytes for every batch. Large pages where the system has them: rows of one head lie far apart.
    private static func pages(bytes: Int) -> UnsafeMutableRawBufferPointer? {
        guard bytes >= 2 * hugePage else { return nil }
        let size = bytes + hugePage
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, flags, -1, 0), base != MAP_FAILED else {
            return nil
        }
        _ = madvise(base, size, Int32(MADV_HUGEPAGE))
        return UnsafeMutableRawBufferPointer(start: base, count: size)
    }

    package convenience init(_ values: [Float]) {
        self.init(count: values.count)
        values.withUnsafeBufferPointer { base.update(from: $0.baseAddress!, count: $0.count) }
    }

    deinit {
        if let pages {
            munmap(pages.baseAddress!, pages.count)
        } else {
            UnsafeMutableRawPointer(base).deallocate()
        }
    }

    package func matrix(rows: Int, columns: Int) -> Matrix {
        precondition(rows * columns <= count)
        return Matrix(base, rows: rows, columns: columns)
    }
}

/// A stack of activations: what a step needs is pushed, and all of it is dropped at once, so that a
/// training step allocates nothing after the first one.
package final class Arena: @unchecked Sendable {
    package struct Mark: Sendable {
        let chunk: Int
        let used: Int
    }

    private var chunks: [Buffer] = []
    private var chunk = 0
    private var used = 0
    private let chunkSize: Int

    /// - Parameter chunkSize: floats that are taken from the system at a time. Pages cost nothing before they are
    ///   written, and in large chunks little is left over at their ends.
    package init(chunkSize: Int = 1 << 26) { self.chunkSize = chunkSize }

    /// The most that was in use so far.
    package private(set) var peakBytes = 0

    package var mark: Mark { Mark(chunk: chunk, used: used) }

    /// Drops everything pushed since `mark`.
    package func release(to mark: Mark) {
        chunk = mark.chunk
        used = mark.used
    }

    package func reset() {
        chunk = 0
        used = 0
    }

    /// Uninitialised memory: the caller writes every element, or asks for `zeros`.
    package func matrix(_ rows: Int, _ columns: Int) -> Matrix {
        let need = (rows * columns + 15) & ~15
        while chunk < chunks.count, used + need > chunks[chunk].count {
            chunk += 1
            used = 0
        }
        if chunk == chunks.count { chunks.append(Buffer(count: max(need, chunkSize))) }
        defer {
            used += need
            peakBytes = max(peakBytes, 4 * (chunks[..<chunk].reduce(used) { $0 + $1.count }))
        }
        return Matrix(chunks[chunk].base + used, rows: rows, columns: columns)
    }

    package func zeros(_ rows: Int, _ columns: Int) -> Matrix {
        let matrix = matrix(rows, columns)
        matrix.base.update(repeating: 0, count: matrix.count)
        return matrix
    }
}
