import CKernels
import Foundation
import Synchronization

/// How products with weights are computed. Sums are f32 in all.
package enum Compute: String, Sendable, CaseIterable {
    /// Factors are f32; weights of two bytes are widened on the way.
    case f32
    /// Both factors are rounded to bf16, which CPUs with AVX512-BF16 multiply twice as fast; on others the rounded
    /// factors are multiplied as f32, and sums differ in their last bits.
    case bf16
    /// As bf16, over weights that were rounded to int8 times a scale per output when they were laid out: half as much to
    /// read from memory. For decoders that only draw and score; what else a model has computes as its checkpoint says.
    case int8

    /// What models that are opened from now on compute in; nil leaves it to their checkpoints.
    package static var preferred: Compute? {
        get { preference.withLock { $0 } }
        set { preference.withLock { $0 = newValue } }
    }
    private static let preference = Mutex<Compute?>(nil)

    /// Whether this CPU multiplies pairs of bf16.
    package static let multipliesBF16 = sl_multiplies_bf16() != 0
}

/// Weights `[rows × columns]`, row after row, in the type that they are stored in, read where they lie.
package struct StoredMatrix: @unchecked Sendable {
    let base: UnsafeRawPointer
    /// nil for f32.
    package let half: HalfFloat?
    package let rows: Int
    package let columns: Int
    /// In elements.
    let stride: Int
    private let owner: AnyObject?
    private let isMapped: Bool

    /// - Parameters:
    ///   - bytes: of a mapped file, at any address.
    ///   - half: their type; f32 without it.
    ///   - owner: keeps them.
    ///   - isFile: whether the system can read them again, so that pages may go once they are laid out.
    package init(
        mapped bytes: UnsafeRawBufferPointer, as half: HalfFloat?, rows: Int, columns: Int, owner: AnyObject,
        isFile: Bool = true
    ) {
        precondition(bytes.count == rows * columns * (half == nil ? 4 : 2))
        base = bytes.baseAddress ?? UnsafeRawPointer(bitPattern: 64)!
        (self.half, self.rows, self.columns, stride) = (half, rows, columns, columns)
        (self.owner, isMapped) = (owner, isFile)
    }

    /// - Parameter owner: keeps the memory of `matrix`; the caller does without it.
    package init(_ matrix: Matrix, owner: AnyObject? = nil) {
        base = UnsafeRawPointer(matrix.base)
        (half, rows, columns, stride) = (nil, matrix.rows, matrix.columns, matrix.stride)
        (self.owner, isMapped) = (owner, false)
    }

    /// The matrix itself where it is one of floats.
    var floats: Matrix? {
        guard half == nil else { return nil }
        let elements = UnsafeMutableRawPointer(mutating: base).assumingMemoryBound(to: Float.self)
        return Matrix(elements, rows: rows, columns: columns, stride: stride)
    }

    var elementBytes: Int { half == nil ? 4 : 2 }

    var type: sl_type {
        switch half {
        case nil: SL_F32
        case .f16: SL_F16
        case .bf16: SL_BF16
        }
    }

    /// Widens a row into `columns` floats.
    package func read(row: Int, into floats: UnsafeMutablePointer<Float>) {
        let bytes = UnsafeRawBufferPointer(
            start: base + row * stride * elementBytes, count: columns * elementBytes)
        let target = UnsafeMutableBufferPointer(start: floats, count: columns)
        if let half {
            half.widen(bytes, into: target)
        } else {
            UnsafeMutableRawBufferPointer(target).copyMemory(from: bytes)
        }
    }

    /// Gives the pages of a mapped file in which rows lie back to the system, which reads them again where they are needed
    /// again.
    func forget(_ rows: Range<Int>) {
        guard isMapped, !rows.isEmpty else { return }
        let page = Int(sysconf(Int32(_SC_PAGESIZE)))
        let start = Int(bitPattern: base)
        let first = (start + rows.lowerBound * stride * elementBytes) / page * page
        let end = (start + rows.upperBound * stride * elementBytes) / page * page
        if end > first { madvise(UnsafeMutableRawPointer(bitPattern: first), end - first, MADV_DONTNEED) }
    }
}
